"""Writes the file of a gateway to develop against: keys of the environment and servers of this machine, as routes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from proxy.development.services import SERVICES, Server, Service

_WIDTH = 110  # characters of a list on one line
Keys = Sequence[tuple[Service, str]]


def file_of(keys: Keys, servers: Sequence[Server]) -> str:
    """The YAML text. It holds references to keys, and never a key."""
    servers = [server for server in servers if server.models]
    if not keys and not servers:
        return "providers:\n  sim: {kind: simulated}\n\nroutes:\n  everything: {target: sim/*}\n"
    providers, routes, claimed = [], [], set[str]()
    claims = [(server.name, _server(server), _names(server)) for server in servers]
    claims += [(service.name, _provider(service, variable), service.models) for service, variable in keys]
    for name, provider, models in claims:
        own = [model for model in models if model not in claimed]
        claimed.update(own)
        if own or not models:  # a provider without a route would be a problem
            providers.append(provider)
        if own:
            routes.append(_route(name, own))
    others = [service.name for service, _ in keys if not service.models]
    others = others or [service.name for service, _ in keys if service.name == "openai"]
    if others:
        routes.append(_others(others))
    return "\n".join(["providers:", *providers, "", "routes:", *routes, ""])


def notices_of(keys: Keys, servers: Sequence[Server]) -> list[str]:
    """What to know of the file."""
    found = [f"{server.name} at {server.url} has no model yet" for server in servers if not server.models]
    first: dict[str, str] = {}
    served = [(server, model) for server in servers for model in server.models]
    for server, model in served:
        if first.setdefault(model, server.name) != server.name:
            found.append(f"{model} of {server.name} is not reached: {first[model]} has a model of that name")
    claimed: dict[str, str] = {}
    for service, _ in keys:
        if service.models and all(model in claimed for model in service.models):
            found.append(f"{service.name} is not reached: {claimed[service.models[0]]} has the same models")
        for model in service.models:
            claimed.setdefault(model, service.name)
    if not keys and not any(server.models for server in servers):
        names = ", ".join(service.keys[0] for service in SERVICES[:3])
        found.append("no key and no local model was found, so a simulated provider answers, with made-up text")
        found.append(f"for real answers set {names} or another key, or start Ollama, and run this again")
    return found


def sample_of(keys: Keys, servers: Sequence[Server]) -> str:
    """A model that can be asked for."""
    samples = [service.sample for service, _ in keys if service.sample]
    samples += [model for server in servers for model in server.models]
    return samples[0] if samples else "MODEL" if keys else "any"


def _provider(service: Service, variable: str) -> str:
    kind = f"openai, preset: {service.name}" if service.is_preset else service.name
    return f'  {service.name}: {{kind: {kind}, api_key: "${{env:{variable}}}"}}'


def _server(server: Server) -> str:
    return f"  {server.name}: {{kind: openai, preset: {server.name}, base_url: {server.url}}}"


def _names(server: Server) -> tuple[str, ...]:
    """As clients ask for them; a tag that goes without saying for Ollama goes without saying here, too."""
    short = (model.removesuffix(":latest") for model in server.models)
    return tuple(dict.fromkeys([*server.models, *short] if server.name == "ollama" else server.models))


def _route(name: str, models: Iterable[str]) -> str:
    # JSON is YAML; dollars begin a reference there.
    quoted = [json.dumps(model, ensure_ascii=False).replace("${", "$${") for model in models]
    line = ", ".join(quoted)
    listed = f" [{line}]" if len(line) <= _WIDTH else "".join(f"\n      - {model}" for model in quoted)
    return f"  {name}:\n    models:{listed}\n    target: {name}/*"


def _others(names: Sequence[str]) -> str:
    """A model that nobody claims: whoever has it."""
    targets = ", ".join(f"{name}/*" for name in names)
    return f"  others:\n    target: {targets if len(names) == 1 else f'{{fallback: [{targets}]}}'}"
