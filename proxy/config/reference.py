"""``${env:NAME}``, ``${env:NAME:-default}`` and ``${file:/path}`` inside of text, resolved once and never printed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from proxy.config.files import MAX_SECRET, read_bounded
from proxy.config.problem import nearest, quote

_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FORMS = "write ${env:NAME}, ${env:NAME:-default} or ${file:/path}, and $${ for the text itself"


class Unresolved(Exception):
    """A reference without value: a sentence, perhaps a suggestion; ``absent`` when it is well written and only the
    variable or file is missing."""

    def __init__(self, message: str, suggestion: str | None = None, *, absent: bool = False) -> None:
        super().__init__(message)
        self.suggestion = suggestion
        self.absent = absent


class Resolver:
    """Resolves the references of one load. Each is looked up once; ``files`` collects what was read, or tried."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._known: dict[tuple[Path, str], str | Unresolved] = {}
        self.files: dict[Path, None] = {}

    def resolve(self, text: str, directory: Path) -> str:
        """``text`` with every reference replaced; relative files stand below ``directory``.

        Raises:
            Unresolved: the first reference that has no value.
        """
        if "${" not in text:
            return text
        return _REFERENCE.sub(lambda found: self._replace(found, directory), text)

    def _replace(self, found: re.Match[str], directory: Path) -> str:
        if found[0] == "$${":
            return "${"
        if found[1] is None:
            raise Unresolved(f"`${{` is not closed by `}}`; {_FORMS}")
        key = (directory, found[1])
        if key not in self._known:
            try:
                self._known[key] = self._look_up(found[1], directory)
            except Unresolved as error:
                self._known[key] = error
        value = self._known[key]
        if isinstance(value, Unresolved):
            raise value
        return value

    def _look_up(self, body: str, directory: Path) -> str:
        kind, colon, rest = body.partition(":")
        if kind == "env" and colon:
            return self._variable(rest)
        if kind == "file" and colon:
            return self._file(rest, directory)
        suggestion = f"${{env:{body}}}" if _NAME.fullmatch(body) else None
        if colon and (near := nearest(kind, ("env", "file"))) is not None:
            suggestion = f"${{{near}:{rest}}}"
        forms = f"; {_FORMS}" if suggestion is None else ""
        raise Unresolved(f"{quote(f'${{{body}}}')} is not a reference{forms}", suggestion)

    def _variable(self, rest: str) -> str:
        name, has_default, default = rest.partition(":-")
        if not _NAME.fullmatch(name):
            raise Unresolved(f"{quote(name)} is not the name of an environment variable; {_FORMS}")
        value = self._environ.get(name, "")
        if value:
            return value
        if has_default:
            return default
        state = "is empty" if name in self._environ else "is not set"
        near = None if name in self._environ else nearest(name, self._environ)
        raise Unresolved(f"the environment variable {name} {state}", near, absent=True)

    def _file(self, rest: str, directory: Path) -> str:
        if not rest.strip() or "\0" in rest:
            raise Unresolved(f"`${{file:…}}` names no file; {_FORMS}")
        path = directory / rest
        self.files[path] = None
        try:
            text = read_bounded(path, MAX_SECRET).decode()
        except UnicodeDecodeError:
            raise Unresolved(f"the file {quote(rest)} is not UTF-8 text", absent=True) from None
        except ValueError as error:
            raise Unresolved(f"the file {quote(rest)} {error}", absent=True) from None
        text = text.removesuffix("\n").removesuffix("\r")
        if not text:
            raise Unresolved(f"the file {quote(rest)} is empty", absent=True)
        return text
