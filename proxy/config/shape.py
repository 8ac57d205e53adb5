"""Whether the file has the shape that its schema says: every deviation, in words for whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache, partial
from typing import Any
from zoneinfo import available_timezones

import jsonschema
import yaml

from proxy.config.document import UNREADABLE, Report
from proxy.config.problem import Path, listing, nearest, quote
from proxy.config.schema import GATEWAY, Schema, bundle, resolve
from proxy.flags.rollout import Rollout
from proxy.limits.rule import parse as parse_limit
from proxy.units import Duration, Money, Percent, Size

Error = Any  # jsonschema.ValidationError, of which the stubs do not know what our schemas guarantee
_EXPECTED = {
    "duration": "a duration such as 30s",
    "money": "an amount such as $0.15",
    "percent": "a share such as 5%",
    "size": "a size such as 10MiB",
    "secret": "text",
    "glob": "text",
    "date": "a day such as 2027-01-31",
    "limit": "a limit such as 60/min",
    "rollout": "a share such as `10%` or `10% by user`",
    "time_zone": "a time zone such as Europe/Berlin",
}
_TYPES = {
    "object": "a map",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}
# What YAML 1.1 took for a boolean, and people still do.
_YES, _NO = ("yes", "on", "y"), ("no", "off", "n")
# Text that needs no quotes inside of a list.
_BARE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MAX_LISTED = 12
_UNITS: dict[str, type[Duration | Money | Percent | Size]] = {
    "duration": Duration,
    "money": Money,
    "percent": Percent,
    "size": Size,
}
_LONGEST_EXAMPLE, _LINE = 60, 1000  # characters
_LONGEST_SHOWN = 16  # characters of a text that stands where a map belongs; keys are longer


def _check_format(validator: Any, format_: str, instance: Any, schema: Schema) -> Iterator[jsonschema.ValidationError]:
    """Our own formats: quantities with bounds, days, secrets."""
    if not isinstance(instance, str) or instance is UNREADABLE:
        return
    sentence = _misfit(format_, instance, schema)
    if sentence is not None:
        yield jsonschema.ValidationError(sentence)


def _misfit(format_: str, text: str, schema: Schema) -> str | None:
    try:
        if format_ in _UNITS:
            return _out_of_bounds(_UNITS[format_], text, schema)
        if format_ == "date":
            if not _DAY.fullmatch(text):
                return f"{quote(text)} is not a day; write it like 2027-01-31"
            date.fromisoformat(text)
        if format_ == "limit":
            return _misfit_limit(text, schema)
        if format_ == "rollout":
            Rollout.parse(text)
        if format_ == "time_zone" and text not in available_timezones():
            return f"there is no time zone {quote(text)}; write it like Europe/Berlin"
    except ValueError as error:
        return f"there is no such day as {text}" if format_ == "date" else str(error)
    if format_ == "secret" and not text.isprintable():
        return "this holds a line break or another control character, which no header can carry"
    return None


def _misfit_limit(text: str, schema: Schema) -> str | None:
    kind = schema.get("x-kind")
    if parse_limit(text).kind != (kind or parse_limit(text).kind):
        return f"{quote(text)} is no amount of money; write it like $50/month"
    return None


def _out_of_bounds(unit: type[Duration | Money | Percent | Size], text: str, schema: Schema) -> str | None:
    value = unit.parse(text)
    low, high = schema.get("x-min"), schema.get("x-max")
    if low is not None and value < unit.parse(low):
        return f"must be at least {low}, not {text}"
    if high is not None and value > unit.parse(high):
        return f"must be at most {high}, not {text}"
    return None


def _check_items(validator: Any, items: Schema, instance: Any, schema: Schema) -> Iterator[jsonschema.ValidationError]:
    """The items of a list, unless it is too long to be looked into."""
    if isinstance(instance, list) and len(instance) <= schema.get("maxItems", len(instance)):
        for at, item in enumerate(instance):
            yield from validator.descend(item, items, path=at)


def _check_branch(
    root: Schema, validator: Any, forms: Any, instance: Any, _: Schema
) -> Iterator[jsonschema.ValidationError]:
    """Of several forms, the one that the value's type shows is meant: its errors are those of the value."""
    for form in forms:
        resolved = resolve(form, root)
        if _may_be(instance, resolved, root):
            if _unindented(instance, resolved) is not None:
                break
            yield from validator.descend(instance, form)
            return
    yield jsonschema.ValidationError("no form fits")


def _check_beside(validator: Any, marks: list[str], instance: Any, _: Schema) -> Iterator[jsonschema.ValidationError]:
    """A map with one key, beside which ``marks`` may stand."""
    if isinstance(instance, dict) and instance and len(_meant(instance, marks)) != 1:
        yield jsonschema.ValidationError("not one key")


def _meant(instance: dict[str, Any], marks: list[str]) -> list[str]:
    """The keys that are not marks, nor seem to be meant for one."""
    return [key for key in instance if _near_key(key, marks) is None]


def _may_be(instance: Any, form: Schema, root: Schema) -> bool:
    """Whether the value's type shows this form. Of two maps, the one with ``x-marks`` is meant where it has one of
    these keys."""
    if "oneOf" in form:
        return any(_may_be(instance, resolve(inner, root), root) for inner in form["oneOf"])
    if not _is_type(instance, form["type"]):
        return False
    return "x-marks" not in form or any(key in instance for key in form["x-marks"])


@cache
def _validator(name: str) -> Any:
    root = bundle(name)
    kind = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
        jsonschema.Draft202012Validator,
        {
            "format": _check_format,
            "items": _check_items,
            "oneOf": partial(_check_branch, root),
            "x-beside": _check_beside,
        },
    )
    return kind(root)


def check_shape(value: Any, report: Report, schema: str = GATEWAY) -> None:
    """Report everything in ``value`` that the schema (a file of ``schemas``) does not admit."""
    validator = _validator(schema)
    shape = _Shape(validator.schema, report)
    for error in validator.iter_errors(value):
        if report.is_full:
            return
        shape.explain(error)


class _Shape:
    """Turns errors of the schema into problems."""

    def __init__(self, root: Schema, report: Report) -> None:
        self._root = root
        self._report = report
        self._explain: dict[str, Callable[[Path, Error], None]] = {
            "additionalProperties": self._unknown_key,
            "required": self._missing,
            "type": self._wrong_type,
            "oneOf": self._no_form,
            "propertyNames": self._key_name,
            "enum": self._not_listed,
            "pattern": self._misspelled,
            "format": self._misspelled,
            "minProperties": self._too_few_keys,
            "maxProperties": self._too_many_keys,
            "x-beside": self._not_one_key,
            "minItems": self._too_few_items,
            "minLength": self._too_short,
            "maxLength": self._too_long,
            "uniqueItems": self._twice,
            "minimum": self._too_small,
            "exclusiveMinimum": self._not_above,
            "maximum": self._too_large,
            "maxItems": self._too_many_items,
        }

    def explain(self, error: Error) -> None:
        """Report one error."""
        if error.instance is not UNREADABLE:
            # What is wrong with a key is found at its map.
            name = "propertyNames" if "propertyNames" in error.absolute_schema_path else error.validator
            self._explain[name](tuple(error.absolute_path), error)

    def _no_form(self, path: Path, error: Error) -> None:
        """None of several forms has the type of the value, or it is a map that was not indented."""
        for form in error.validator_value:
            name = _unindented(error.instance, resolve(form, self._root))
            if name is not None:
                self._report.problem(path, f"the settings of `{name}` must be indented deeper than `{name}` itself")
                return
        self._wrong_type(path, error)

    def _unknown_key(self, path: Path, error: Error) -> None:
        known = list(error.schema["properties"])
        noun = error.schema.get("x-noun", "key")
        for key in error.instance:
            if key in known:
                continue
            suggestion = _near_key(key, [name for name in known if name not in error.instance])
            suggestion = suggestion or _near_key(key, known)
            beside = error.schema.get("x-beside", ())
            listed = "" if suggestion is not None else _known(name for name in known if name not in beside)
            what = "key" if suggestion in beside else noun
            if noun == "kind of target" and key == "target" and len(error.instance) == 1:
                listed = "; targets stand here by themselves, without `target:`"
            self._report.problem((*path, key), f"unknown {what} {quote(key)}{listed}", suggestion, key=True)

    def _missing(self, path: Path, error: Error) -> None:
        known = error.schema.get("properties", {})
        is_closed = error.schema.get("additionalProperties") is False
        typos = {_near_key(key, error.validator_value): key for key in error.instance if key not in known}
        for key in error.validator_value:
            if key in error.instance:
                continue
            if key not in typos:
                self._report.problem(path, f"`{key}` is missing{self._wanted(known.get(key))}", key=True)
            elif not is_closed:  # else it is reported as an unknown key
                typo = typos[key]
                self._report.problem((*path, typo), f"unknown key {quote(typo)}", key, key=True)

    def _wanted(self, schema: Schema | None) -> str:
        schema = resolve(schema or {}, self._root)
        if "enum" in schema:
            return f"; one of: {', '.join(schema['enum'])}"
        return f"; it is {schema['x-expected']}" if "x-expected" in schema else ""

    def _wrong_type(self, path: Path, error: Error) -> None:
        value = error.instance
        suggestion = None
        if error.schema.get("type") == "boolean" and isinstance(value, str):
            suggestion = "true" if value.lower() in _YES else "false" if value.lower() in _NO else None
        elif error.schema.get("type") in ("number", "integer") and isinstance(value, str):
            suggestion = value.rstrip("%") if value.rstrip("%").isdecimal() else None
        elif error.schema.get("format") == "duration" and _is_number(value):
            suggestion = f"{value}s"
        elif error.schema.get("format") in ("percent", "rollout") and _is_number(value):
            suggestion = f"{value}%" if value >= 1 else f"{value * 100:g}%"
        elif error.schema.get("format") == "size" and _is_number(value):
            suggestion = f"{value}B"
        elif error.schema.get("format") == "money" and _is_number(value):
            suggestion = f"${value}"
        elif error.schema.get("type") == "array" and isinstance(value, str) and not _is_secret(error.schema["items"]):
            written = self._report.written(path) or ""
            suggestion = f"[{written}]" if _BARE.fullmatch(written) else None
        elif error.schema.get("type") == "string" and isinstance(value, (int, float)) and self._may_quote(error.schema):
            suggestion = self._report.written(path)
        must = f"must be {_expected(error.schema)}{'' if suggestion else _such_as(error.schema)}"
        if _is_secret(error.schema) and _is_number(value):
            must = f"{must} (quote it if it is)"
        if value is None:
            self._report.problem(path, f"{must}, but nothing stands here", suggestion)
        else:
            self._report.problem(path, f"{must}, not {self._described(path, value, error.schema)}", suggestion)

    @staticmethod
    def _may_quote(schema: Schema) -> bool:
        """Whether a number would do if it stood in quotes."""
        return (
            not _is_secret(schema)
            and schema.get("format") in (None, "glob")
            and not {"pattern", "enum", "x-expected"} & schema.keys()
        )

    def _described(self, path: Path, value: Any, schema: Schema) -> str:
        """``value`` as the reader wrote it; nothing that came through a reference, nothing secret."""
        if isinstance(value, dict):
            return "a map"
        if isinstance(value, list):
            return "a list"
        written = self._report.written(path)
        # A text where a list or a map of secrets belongs may be one of them that lost its brackets or its key.
        is_lost = schema.get("type") == "object" and len(written or "") > _LONGEST_SHOWN
        if _is_secret(schema) or _is_secret(schema.get("items", {})) or is_lost:
            return "what stands here"
        if isinstance(value, bool):
            return f"{written}"
        if _is_number(value):
            return f"the number {written}"
        return f"the text {quote(written or '')}" if _is_type(value, "string") else "this"

    def _not_listed(self, path: Path, error: Error) -> None:
        if not _is_type(error.instance, error.schema["type"]):
            return  # said already
        written = self._report.written(path) or ""
        known = error.validator_value
        noun = error.schema.get("x-noun")
        if noun == "policy":
            known = [name for name in self._policies() if name != "use"]
        if error.instance in known:
            self._report.problem(path, f"the policy `{written}` needs settings; write `- {written}: {{…}}`")
            return
        suggestion = nearest(str(error.instance), known)
        listed = "" if suggestion is not None else _known(known)
        what = (
            f"unknown {noun} {quote(written)}{listed}"
            if noun
            else f"{quote(written)} is not one of: {', '.join(known)}"
        )
        self._report.problem(path, what, suggestion)

    def _policies(self) -> list[str]:
        forms = self._root["$defs"]["policy_entry"]["oneOf"]
        return [name for name in forms[1]["properties"] if name not in forms[1]["x-beside"]]

    def _misspelled(self, path: Path, error: Error) -> None:
        if error.validator == "pattern" and "format" in error.schema and "x-expected" not in error.schema:
            return
        written = self._report.written(path)
        if error.validator == "format" and written == error.instance:
            self._report.problem(path, error.message)
        else:
            described = self._described(path, error.instance, error.schema)
            self._report.problem(path, f"must be {_expected(error.schema)}, not {described}")

    def _key_name(self, path: Path, error: Error) -> None:
        key = error.instance
        self._report.problem((*path, key), f"{quote(key)} is not {_expected(error.schema)}", key=True)

    def _too_few_keys(self, path: Path, error: Error) -> None:
        noun = error.schema.get("x-noun")
        names = [name for name in error.schema.get("properties", ()) if name not in error.schema.get("x-beside", ())]
        if noun is not None:
            self._report.problem(path, f"a {noun} is missing{_known(names)}")
        elif names:
            self._report.problem(path, f"at least one setting is needed{_known(names)}")
        else:
            self._report.problem(path, "at least one entry is needed", key=True)

    def _not_one_key(self, path: Path, error: Error) -> None:
        if _meant(error.instance, error.validator_value):
            self._too_many_keys(path, error)
        else:
            self._too_few_keys(path, error)

    def _too_many_keys(self, path: Path, error: Error) -> None:
        noun = error.schema.get("x-noun", "key")
        found = _meant(error.instance, error.schema.get("x-beside", []))
        if error.validator == "maxProperties" and found != list(error.instance):
            return  # said already
        keys = listing(found[:_MAX_LISTED], "and")
        more = "begin each with its own `-`" if noun == "policy" else "one has to hold the other"
        self._report.problem(path, f"one {noun} is expected here, not {len(found)} ({keys}); {more}")

    def _too_few_items(self, path: Path, error: Error) -> None:
        self._report.problem(path, "an empty list has no meaning here; add an entry, or leave the key out")

    def _too_many_items(self, path: Path, error: Error) -> None:
        self._report.problem(path, f"at most {error.validator_value} entries, not {len(error.instance)}")

    def _too_short(self, path: Path, error: Error) -> None:
        self._report.problem(path, "an empty text has no meaning here")

    def _too_long(self, path: Path, error: Error) -> None:
        self._report.problem(path, f"at most {error.validator_value} characters, not {len(error.instance)}")

    def _twice(self, path: Path, error: Error) -> None:
        for at, item in enumerate(error.instance):
            if item is not UNREADABLE and item in error.instance[:at]:
                shown = self._described((*path, at), item, error.schema.get("items", {}))
                self._report.problem((*path, at), f"{shown} stands in this list for the second time")

    def _too_small(self, path: Path, error: Error) -> None:
        self._report.problem(path, f"must be at least {error.validator_value}, not {self._report.written(path)}")

    def _not_above(self, path: Path, error: Error) -> None:
        self._report.problem(path, f"must be more than {error.validator_value}, not {self._report.written(path)}")

    def _too_large(self, path: Path, error: Error) -> None:
        self._report.problem(path, f"must be at most {error.validator_value}, not {self._report.written(path)}")


def _expected(schema: Schema) -> str:
    """What may stand at a place, as a noun."""
    if "x-expected" in schema:
        return str(schema["x-expected"])
    if "format" in schema:
        return _EXPECTED[schema["format"]]
    if "enum" in schema:
        return f"one of: {', '.join(map(str, schema['enum']))}"
    return _TYPES[schema["type"]]


def _such_as(schema: Schema) -> str:
    """What a list or a map looks like here, if that is short and not said already."""
    if "x-expected" in schema or schema.get("type") not in ("object", "array") or not schema.get("examples"):
        return ""
    example = yaml.safe_dump(schema["examples"][0], default_flow_style=True, sort_keys=False, width=_LINE).strip()
    return f" such as `{example}`" if len(example) <= _LONGEST_EXAMPLE else ""


def _unindented(value: Any, branch: Schema) -> str | None:
    """The key of a one-key map whose settings stand beside it instead of below."""
    if not isinstance(value, dict) or len(value) < 2 or "x-noun" not in branch:
        return None
    empty = [key for key in value if key in branch.get("properties", {}) and value[key] is None]
    beside = set(value) - set(empty) - set(branch.get("x-beside", ()))
    return empty[0] if len(empty) == 1 and beside else None


def _is_secret(schema: Schema) -> bool:
    return schema.get("format") == "secret" or bool(schema.get("x-secret"))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_type(value: Any, name: str) -> bool:
    return bool(jsonschema.Draft202012Validator.TYPE_CHECKER.is_type(value, name))


def _near_key(key: str, known: list[str]) -> str | None:
    """The known key that was probably meant; ``-`` for ``_`` and capitals count for nothing."""
    plain = key.lower().replace("-", "_").replace(" ", "_")
    return plain if plain in known else nearest(plain, known)


def _known(names: Any) -> str:
    words = list(map(str, names))
    if not words:
        return "; it has no settings"
    more = ", …" if len(words) > _MAX_LISTED else ""
    return f"; known: {', '.join(words[:_MAX_LISTED])}{more}"
