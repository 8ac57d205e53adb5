"""LiteLLM's ``config.yaml`` as a file of this gateway, and a word about every key of it.

What its documentation says of keys is at https://docs.litellm.ai/docs/proxy/config_settings, read in November 2026.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from proxy.config.problem import Path
from proxy.config.syntax import parse
from proxy.importing.accounts import Accounts
from proxy.importing.groups import Entry, Groups
from proxy.importing.imported import Imported
from proxy.importing.settings import say_settings
from proxy.importing.source import REFERENCE, Source, seconds
from proxy.importing.writing import comment, write

LISTEN = "127.0.0.1:4000"  # LiteLLM's port
_SHORT_KEY = 20  # characters; a shorter key can be guessed
_SECTIONS = (
    "model_list",
    "litellm_settings",
    "router_settings",
    "general_settings",
    "environment_variables",
    "credential_list",
)
_HEAD = "Written by `sluicegate import litellm`, which also lists what it could not carry. Look it through."
_OPTIONAL = "An account whose variable is missing is left out, with a notice: LiteLLM starts without it too."
_FALLBACKS = (
    ("context_window_fallbacks", ["context_too_long"]),
    ("content_policy_fallbacks", ["content_refused"]),
)
_SAFE = re.compile(r"[^A-Za-z0-9_.-]+")
_LONGEST_NAME = 64
_VARIABLE = re.compile(r"\$\{env:(\w+)\}")


def convert(data: bytes, file: str) -> Imported:
    """``data`` is the content of ``file``."""
    root, problems = parse(data, file)
    if root is None or problems:
        return Imported("", problems=tuple(str(problem) for problem in problems) or (f"{file}: the file is empty",))
    source = Source(root)
    accounts = Accounts(source)
    groups = Groups(source, accounts)
    if not groups.found:
        place = f"{file}:1:1"
        said = (
            "`model_list` has no entry that can be carried"
            if "model_list" in source.value
            else "there is no `model_list`"
        )
        return Imported("", source.findings(), problems=(f"{place} {said}",))
    return _File(source, accounts, groups).imported()


class _File:
    """The new file as it is put together."""

    def __init__(self, source: Source, accounts: Accounts, groups: Groups) -> None:
        self._source = source
        self._accounts = accounts
        self._groups = groups
        self._comments: dict[Path, str] = {}
        self._aliases = self._read_aliases()

    def imported(self) -> Imported:
        """All of it."""
        settings = say_settings(self._source)
        entries = [entry for found in self._groups.found.values() for entry in found]
        providers = {name: self._accounts.found[name] for name in self._accounts.found if _is_used(name, entries)}
        tenants = self._tenants()
        routes = self._routes(bool(tenants))
        value: dict[str, Any] = {
            "listen": LISTEN,
            **settings,
            "providers": providers,
            **tenants,
            "routes": routes,
        }
        self._comments["listen",] = "LiteLLM's port, on this machine alone: beyond it every route must authenticate."
        if any("optional" in settings for settings in providers.values()):
            self._comments["providers",] = _OPTIONAL
        for name in self._source.value:
            if name not in _SECTIONS:
                self._source.unknown((name,), _SECTIONS)
        text = "\n".join([*comment(_HEAD), "", write(value, self._comments)])
        return Imported(
            text, self._source.findings(), tuple(dict.fromkeys(_VARIABLE.findall(text))), routes=len(routes)
        )

    def _tenants(self) -> dict[str, Any]:
        """The master key, if it can be known by its hash."""
        path: Path = ("general_settings", "master_key")
        key = self._source.section("general_settings").get("master_key")
        if key is None:
            return {}
        if not isinstance(key, str) or key.startswith(REFERENCE) or len(key) < _SHORT_KEY:
            self._source.lost(
                path,
                "keys are known by their hash: `sluicegate keys new ORGANISATION/TEAM/KEY` makes one for `tenants`; "
                "put `authenticate` first into each route. Until then the routes stand open on this machine",
            )
            return {}
        self._source.carried(path, "its hash, as the key `master`; `authenticate` in each route")
        digest = f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"
        self._comments["tenants",] = "The master key by its hash. It calls models, and operates nothing: see `admin`."
        return {"tenants": {"litellm": {"teams": {"default": {"keys": {"master": {"hash": digest}}}}}}}

    def _routes(self, authenticate: bool) -> dict[str, Any]:
        routes: dict[str, Any] = {}
        for name, entries in self._groups.found.items():
            key = self._key(name, routes)
            route: dict[str, Any] = {}
            if name != "*":
                route["models"] = [name, *self._aliases.get(name, ())]
            for part in ("attempt", "first_token"):
                found = [entry.timeouts[part] for entry in entries if part in entry.timeouts]
                if found:
                    route.setdefault("timeouts", {})[part] = seconds(max(found))
                    if part == "attempt" and max(found) > 600:
                        route["timeouts"]["total"] = seconds(max(found))
            retries = [entry.retries for entry in entries if entry.retries is not None]
            if retries:
                route["retries"] = {"max": max(retries)}
            limits = self._groups.say_limits(name)
            policies = [
                *(["authenticate"] if authenticate else []),
                *([{"quota": {"limits": limits}}] if limits else []),
            ]
            if policies:
                route["policies"] = policies
            route["target"] = self._with_fallbacks(name, self._groups.tree(name))
            routes[key] = route
        self._say_unused_fallbacks()
        return routes

    def _key(self, name: str, routes: dict[str, Any]) -> str:
        """A route's name."""
        plain = _SAFE.sub("-", name).strip("-._")[: _LONGEST_NAME - 4] or "any"
        key, at = plain, 2
        while key in routes:
            key, at = f"{plain}-{at}", at + 1
        return key

    def _read_aliases(self) -> dict[str, list[str]]:
        """Other names of groups, by group."""
        path: Path = ("router_settings", "model_group_alias")
        said = self._source.section("router_settings").get("model_group_alias")
        found: dict[str, list[str]] = {}
        for alias, meant in said.items() if isinstance(said, dict) else ():
            group = meant.get("model") if isinstance(meant, dict) else meant
            at = (*path, alias)
            if group not in self._groups.found or alias in self._groups.found or group == "*":
                self._source.lost(at, "it leads to no model of this file, or is one itself")
                continue
            found.setdefault(str(group), []).append(alias)
            self._source.carried(
                (*at, "model") if isinstance(meant, dict) else at, "another name in `models` of the route"
            )
            if isinstance(meant, dict) and "hidden" in meant:
                self._source.lost((*at, "hidden"), "the list of models shows every name")
        return found

    def _with_fallbacks(self, name: str, target: Any) -> Any:
        """The tree of a group with what others do for it: for what reasons first, in general last."""
        for key, on in _FALLBACKS:
            others = self._others(key, name)
            if others:
                target = {"fallback": {"on": on, "of": [target, *others]}}
        others = self._others("fallbacks", name) or self._default(name)
        return {"fallback": [target, *others]} if others else target

    def _sections(self, key: str) -> list[tuple[Path, Any]]:
        """Both places where it may stand; the router's wins."""
        return [
            ((section, key), found)
            for section in ("router_settings", "litellm_settings")
            if (found := self._source.section(section).get(key)) is not None
        ]

    def _others(self, key: str, name: str) -> list[Any]:
        for path, listed in self._sections(key):
            for at, entry in enumerate(listed if isinstance(listed, list) else ()):
                if isinstance(entry, dict) and isinstance(entry.get(name), list):
                    return self._trees((*path, at, name), entry[name], name)
        if key == "fallbacks":
            return [] if name == "*" else self._others_of_any(name)
        return []

    def _others_of_any(self, name: str) -> list[Any]:
        """``fallbacks: [{"*": […]}]`` is for everybody who has none."""
        for path, listed in self._sections("fallbacks"):
            for at, entry in enumerate(listed if isinstance(listed, list) else ()):
                if isinstance(entry, dict) and isinstance(entry.get("*"), list):
                    return self._trees((*path, at, "*"), entry["*"], name)
        return []

    def _default(self, name: str) -> list[Any]:
        for path, listed in self._sections("default_fallbacks"):
            if isinstance(listed, list):
                return self._trees(path, listed, name)
        return []

    def _trees(self, path: Path, names: list[Any], name: str) -> list[Any]:
        """Targets of other groups; a pattern passes on the name that it is called by, which here is another's."""
        trees = []
        for at, other in enumerate(names):
            if not isinstance(other, str) or other not in self._groups.found:
                self._source.lost((*path, at), "it is no model of this file")
            elif "*" in other:
                self._source.lost((*path, at), "a pattern of names is no model that others can lead to")
            else:
                self._source.carried((*path, at), "`fallback` of the route")
                if other != name:
                    trees.append(self._groups.tree(other))
        return trees

    def _say_unused_fallbacks(self) -> None:
        """Of models that the file does not have."""
        for key in ("fallbacks", "context_window_fallbacks", "content_policy_fallbacks"):
            for path, listed in self._sections(key):
                for at, entry in enumerate(listed if isinstance(listed, list) else ()):
                    for name in entry if isinstance(entry, dict) else ():
                        if name != "*" and name not in self._groups.found:
                            self._source.lost((*path, at, name), "there is no such model in this file")


def _is_used(name: str, entries: list[Entry]) -> bool:
    """Whether an account was not made for an entry that is left out."""
    return any(entry.target.partition("/")[0] == name for entry in entries)
