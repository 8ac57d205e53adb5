"""LiteLLM's model groups: entries with one name, which become one route, and what one entry says."""

from __future__ import annotations

from typing import Any

from proxy.config.problem import Path
from proxy.importing.accounts import Accounts
from proxy.importing.source import Source, flag, number, seconds

_MILLION = 1_000_000
# Of a route, where it has one entry alone: LiteLLM's → how a limit is written here.
_LIMITS = {"rpm": "{}/min", "tpm": "{} tokens/min", "max_parallel_requests": "{} concurrent"}
_PRICES = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cached_read",
    "cache_creation_input_token_cost": "cache_write_5m",
}
_CAN = {
    "supports_vision": "vision",
    "supports_function_calling": "tools",
    "supports_parallel_function_calling": "parallel_tools",
    "supports_response_schema": "json_schema",
    "supports_pdf_input": "files",
    "supports_audio_input": "audio",
}
_SIZES = {"max_input_tokens": "context", "max_output_tokens": "max_output"}
_TOLD = {"id", "db_model", "description", "mode", "metadata", "created_at", "updated_at", "created_by", "updated_by"}
_STRATEGIES = {
    "simple-shuffle": "random",
    "least-busy": "least_busy",
    "latency-based-routing": "latency",
    "cost-based-routing": "cost",
    "usage-based-routing": "headroom",
    "usage-based-routing-v2": "headroom",
}
# By which weights are told, the first that an entry has.
_WEIGHTS = ("weight", "rpm", "tpm")
_MOST = 1_000_000


class Entry:
    """One deployment. ``weight`` None: it says none."""

    __slots__ = ("limits", "order", "path", "retries", "target", "timeouts", "weight")

    def __init__(self, path: Path, target: str) -> None:
        self.path = path
        self.target = target
        self.weight: float | None = None
        self.order = float("inf")
        self.limits: dict[str, float] = {}
        self.timeouts: dict[str, float] = {}
        self.retries: int | None = None


class Groups:
    """All entries of the file by the name that callers use, in its order."""

    def __init__(self, source: Source, accounts: Accounts) -> None:
        self._source = source
        self._accounts = accounts
        self._credentials = _credentials(source)
        self.strategy = self._strategy()
        self.found: dict[str, list[Entry]] = {}
        models = source.value.get("model_list")
        for at, entry in enumerate(models if isinstance(models, list) else ()):
            if isinstance(entry, dict) and isinstance(entry.get("model_name"), str):
                self._add(("model_list", at), entry)

    def tree(self, name: str) -> Any:
        """The target of a group."""
        entries = self.found[name]
        tiers: dict[float, list[Entry]] = {}
        for entry in entries:
            tiers.setdefault(entry.order, []).append(entry)
        parts = [self._balance(tiers[order]) for order in sorted(tiers)]
        return parts[0] if len(parts) == 1 else {"fallback": parts}

    def _balance(self, entries: list[Entry]) -> Any:
        targets = list(dict.fromkeys(entry.target for entry in entries))
        if len(targets) == 1:
            return targets[0]
        if self.strategy == "random" and any(entry.weight is not None for entry in entries):
            weights: dict[str, float] = {}
            for entry in entries:
                weights[entry.target] = weights.get(entry.target, 0) + (1 if entry.weight is None else entry.weight)
            most = max(weights.values())
            scale = most / _MOST if most > _MOST else 1
            of = [{"weight": _short(weight / scale), "target": target} for target, weight in weights.items()]
            return {"balance": {"by": "weighted", "of": of}} if most else {"balance": {"by": "random", "of": targets}}
        return {"balance": {"by": self.strategy, "of": targets}}

    def _strategy(self) -> str:
        path: Path = ("router_settings", "routing_strategy")
        said = self._source.section("router_settings").get("routing_strategy", "simple-shuffle")
        found = _STRATEGIES.get(str(said))
        if found is None:
            self._source.lost(path, "there is no such way to choose here; `random` is written")
        elif "routing_strategy" in self._source.section("router_settings"):
            self._source.carried(path, f"`balance: {{by: {found}}}`, where a model has several entries")
        return found or "random"

    def _add(self, path: Path, entry: dict[str, Any]) -> None:
        params = entry.get("litellm_params")
        if not isinstance(params, dict):
            self._source.lost(path, "the entry has no `litellm_params`")
            return
        at = (*path, "litellm_params")
        params, where = self._with_credential(at, params)
        name = str(entry["model_name"])
        found = self._found(at, name, params, where)
        if found is None:
            self._source.lost((*path, "model_name"), "the entry is left out: see the others of its findings")
            return
        provider, model = found
        made = Entry(path, f"{provider}/{model}")
        self._say_limits(at, params, made)
        self._say_times(at, params, made)
        self._say_model(path, entry, provider, model)
        if "custom_llm_provider" in params:
            self._source.carried((*at, "custom_llm_provider"), "decides about the account")
        if flag(params.get("drop_params")):
            self._source.needless((*at, "drop_params"), "`on_loss: report` is the usual")
        self._source.carried((*path, "model_name"), "`models` of a route")
        self.found.setdefault(name, []).append(made)

    def _found(self, at: Path, name: str, params: dict[str, Any], where: dict[str, Path]) -> tuple[str, str] | None:
        """Provider and model."""
        if isinstance(params.get("mock_response"), str):
            self._source.carried((*at, "mock_response"), "a simulated account that says so")
            self._source.carried((*at, "model"), "the simulated account answers instead")
            return self._accounts.simulated(self._source.text(params["mock_response"])), "mock"
        found = self._accounts.target(at, params, where)
        if found is None or "*" not in found[1]:
            if found is not None and "*" in name:
                self._source.lost((*at, "model"), "a pattern of names that leads to one model: list the names")
                return None
            return found
        if found[1] != name:
            said = "the name that callers use is passed on as it is: their prefix cannot be taken away"
            self._source.lost((*at, "model"), f"{said}; name the models, or a pattern such as `{found[1]}` without it")
            return None
        return found[0], "*"

    def _with_credential(self, at: Path, params: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Path]]:
        """With what a named credential holds, and where that stands."""
        name = params.get("litellm_credential_name")
        if name is None:
            return params, {}
        if name not in self._credentials:
            self._source.lost((*at, "litellm_credential_name"), "there is no such credential in this file")
            return params, {}
        path, values = self._credentials[name]
        self._source.carried((*at, "litellm_credential_name"), "its values, in the account")
        return {**values, **params}, {key: (*path, key) for key in values if key not in params}

    def _say_limits(self, at: Path, params: dict[str, Any], made: Entry) -> None:
        for key in ("order", "weight", *_LIMITS):
            found = number(params.get(key))
            if found is None:
                continue
            if key == "order":
                made.order = found
                self._source.carried((*at, key), "the place in `fallback`")
            elif key == "weight":
                made.weight = found
                self._source.carried((*at, key), "`weight` of `balance`, where the model has several entries")
            else:
                made.limits[key] = found
        if made.weight is None:
            made.weight = next((made.limits[key] for key in _WEIGHTS if key in made.limits), None)

    def say_limits(self, name: str) -> list[str]:
        """What becomes of limits of entries, once all are known: limits of the route, if it is one entry's."""
        entries, limits = self.found[name], list[str]()
        for entry in entries:
            for key, amount in entry.limits.items():
                path = (*entry.path, "litellm_params", key)
                if len(entries) == 1 and amount >= 1:
                    limits.append(_LIMITS[key].format(int(amount)))
                    self._source.carried(path, "a limit of the route")
                elif key != "max_parallel_requests" and entry.weight == amount and self.strategy == "random":
                    self._source.lost(path, "it is carried as its `weight`; one of several entries cannot have a limit")
                else:
                    self._source.lost(path, "one of several entries cannot have a limit of its own")
        return limits

    def _say_times(self, at: Path, params: dict[str, Any], made: Entry) -> None:
        for key, ours in (("timeout", "attempt"), ("request_timeout", "attempt"), ("stream_timeout", "first_token")):
            found = number(params.get(key))
            if found:
                made.timeouts[ours] = found
                self._source.carried((*at, key), f"`timeouts: {{{ours}: {seconds(found)}}}` of the route")
        for key in ("num_retries", "max_retries"):
            found = number(params.get(key))
            if found is not None:
                made.retries = min(10, int(found))
                self._source.carried((*at, key), f"`retries: {{max: {made.retries}}}` of the route")

    def _say_model(self, path: Path, entry: dict[str, Any], provider: str, model: str) -> None:
        """Prices and capabilities, which belong to the account here."""
        price: dict[str, str] = {}
        can: dict[str, Any] = {}
        info = entry.get("model_info")
        for part, values in (("litellm_params", entry["litellm_params"]), ("model_info", info)):
            if not isinstance(values, dict):
                continue
            for key, value in values.items():
                amount, at = number(value), (*path, part, key)
                if key in _PRICES and amount is not None:
                    price[_PRICES[key]] = _money(amount * _MILLION)
                elif part == "model_info" and key in _CAN and flag(value) is not None:
                    can[_CAN[key]] = flag(value)
                elif part == "model_info" and key in _SIZES and amount:
                    can[_SIZES[key]] = int(amount)
                elif part == "model_info" and key in _TOLD:
                    self._source.needless(at, "it tells people something; nothing here depends on it")
                    continue
                else:
                    continue
                self._source.carried(at, "`models` of the account")
        if {"input", "output"} <= price.keys():
            can["price"] = price
        elif price:
            for part in ("litellm_params", "model_info"):
                for key in _PRICES:
                    if key in (entry.get(part) or {}):
                        self._source.lost((*path, part, key), "a price needs the cost of input and of output")
        settings = self._accounts.found[provider]
        if can and settings["kind"] != "simulated":
            known = settings.setdefault("models", {}).setdefault(model, can)
            if known != can:
                self._source.lost((*path, "model_info"), "another entry says something else of the same model")


def _credentials(source: Source) -> dict[Any, tuple[Path, dict[str, Any]]]:
    """Named credentials, and where their values stand."""
    found: dict[Any, tuple[Path, dict[str, Any]]] = {}
    listed = source.value.get("credential_list")
    for at, entry in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(entry, dict) and isinstance(entry.get("credential_values"), dict):
            path: Path = ("credential_list", at)
            name = entry.get("credential_name")
            found[name if isinstance(name, str) else None] = (*path, "credential_values"), entry["credential_values"]
            source.carried((*path, "credential_name"), "its values stand in the accounts that use it")
            if "credential_info" in entry:
                source.needless((*path, "credential_info"), "it tells people something; nothing here depends on it")
    return found


def _short(value: float) -> int | float:
    return int(value) if value == int(value) else round(value, 6)


def _money(dollars: float) -> str:
    return "$" + f"{dollars:.9f}".rstrip("0").rstrip(".")
