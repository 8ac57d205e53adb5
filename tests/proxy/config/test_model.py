"""The typed file: units are numbers, secrets are hidden, and the schema says the same."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
import pytest

from policies.table import POLICIES, TARGETS
from proxy.config import model
from proxy.config.model import GatewayConfig, convert
from proxy.config.schema import bundle, resolve
from proxy.limits.limit import LimitConfig
from proxy.providers.table import PROVIDERS
from proxy.units import Duration, Money, Percent, Secret, Size

SCHEMA = bundle()


def test_units_are_numbers_and_secrets_are_hidden() -> None:
    config = convert(
        {
            "providers": {},
            "routes": {},
            "server": {"max_body": "1MiB"},
            "timeouts": {"gap": "250ms"},
            "tenants": {"a": {"teams": {"b": {"keys": {"c": {"hash": "sha256:00"}}}}}},
        },
        GatewayConfig,
    )
    assert config.server.max_body == 2**20
    assert config.timeouts.gap == 0.25
    assert "sha256" not in repr(config)


def test_a_wrong_unit_is_an_error_with_its_sentence() -> None:
    with pytest.raises(msgspec.ValidationError, match="'5 parsecs' has the unit"):
        convert({"gap": "5 parsecs"}, model.TimeoutsConfig)


def _plain(value: Any, schema: dict[str, Any]) -> Any:
    """A default of the schema as the class would hold it."""
    if schema.get("format") == "duration":
        return Duration.parse(value)
    if schema.get("format") == "size":
        return Size.parse(value)
    if schema.get("format") == "percent":
        return Percent.parse(value)
    if schema.get("format") == "money":
        return Money.parse(value)
    if isinstance(value, list) and schema["items"].get("format") == "percent":
        return tuple(map(Percent.parse, value))
    return tuple(value) if isinstance(value, list) else value


def _default(field: msgspec.structs.FieldInfo) -> Any:
    made = field.default_factory
    found = field.default if made is msgspec.NODEFAULT else made()
    if isinstance(found, msgspec.Struct):  # a map with defaults of its own
        return {}
    return tuple(found) if isinstance(found, list) else found


def _agree(schema: dict[str, Any], type_: Any, where: str) -> None:
    """Names, what is required, defaults; and the same for every map below."""
    schema = resolve(schema, SCHEMA)
    if "oneOf" in schema:
        forms = [resolve(form, SCHEMA) for form in schema["oneOf"]]
        schema = next(form for form in forms if form["type"] == "object")
    fields = {field.encode_name: field for field in msgspec.structs.fields(type_)}
    if schema["type"] == "array":  # written as a plain list, which the class holds under a name
        (only,) = fields.values()
        _agree(schema["items"], next(inner for inner in get_args(only.type) if inner is not ...), where)
        return
    assert schema["additionalProperties"] is False, where
    assert schema["properties"].keys() == fields.keys(), where
    required = {name for name, field in fields.items() if field.required}
    assert set(schema.get("required", ())) - {"kind"} == required, where
    for name, field in fields.items():
        value = resolve(schema["properties"][name], SCHEMA)
        at = f"{where}.{name}"
        if name != "kind" and not field.required:
            expected = _default(field)
            # None and "nothing" are one: the schema writes neither.
            written = _plain(value["default"], value) if "default" in value else None
            assert written == expected or (written is None and expected in (None, (), {})), at
        for inner in (field.type, *get_args(field.type)):
            if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
                is_map = "properties" in value or "oneOf" in value
                below = value if is_map else (value.get("additionalProperties") or value["items"])
                _agree(below, inner, at)


@pytest.mark.parametrize("name", [*POLICIES, *TARGETS])
def test_a_policys_schema_and_its_class_agree(name: str) -> None:
    type_ = POLICIES[name] if name in POLICIES else TARGETS[name]
    _agree({"$ref": f"#/$defs/policies.{name}"}, type_.Config, name)


@pytest.mark.parametrize("kind", PROVIDERS)
def test_a_providers_schema_and_its_class_agree(kind: str) -> None:
    _agree({"$ref": f"#/$defs/providers.{kind}"}, PROVIDERS[kind].Config, kind)


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("server", model.ServerConfig),
        ("timeouts", model.TimeoutsConfig),
        ("route_timeouts", model.RouteTimeoutsConfig),
        ("retries", model.RetriesConfig),
        ("health", model.HealthConfig),
        ("overload", model.OverloadConfig),
        ("jobs", model.JobsConfig),
        ("ledger", model.LedgerConfig),
        ("alerts", model.AlertsConfig),
        ("tiers", model.TiersConfig),
        ("limit", LimitConfig),
        ("admin", model.AdminConfig),
        ("log", model.LogConfig),
        ("conversations", model.ConversationsConfig),
        ("organisation", model.OrganisationConfig),
        ("route", model.RouteConfig),
        ("match", model.MatchConfig),
    ],
)
def test_a_sections_schema_and_its_class_agree(name: str, type_: Any) -> None:
    _agree({"$ref": f"#/$defs/{name}"}, type_, name)


def test_the_files_schema_and_its_class_agree() -> None:
    assert SCHEMA["properties"].keys() == set(GatewayConfig.__struct_fields__)
    assert set(SCHEMA["required"]) == {"providers", "routes"}


def test_what_the_schema_calls_secret_is_held_as_a_secret() -> None:
    key = model.KeyConfig(hash=Secret("sha256:00"))
    assert "sha256" not in f"{key}{key!r}"
