"""A cassette in use: what is on it by what was asked, and where new takes go.

The same request, recorded several times, is answered by its takes in their order; the last one then repeats.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from proxy.cassettes import cassette
from proxy.cassettes.matching import Match, canonical, fingerprint, fits, nearest
from proxy.cassettes.recorder import STAR, Pending, Recorder
from proxy.cassettes.take import Request, Take
from proxy.kept import aside

Mode = Literal["once", "none", "all", "new"]
MISSED = "cassette_miss"  # code of the refusal
MISSED_STATUS = 404  # clients do not try again after it
_ASIDE = 64 << 10  # bytes of a body from which on reading it would hold up others
_MAX_MESSAGE = 1500  # characters
_DOCUMENT = msgspec.json.Decoder(Take)


class Settings(msgspec.Struct, frozen=True):
    """How a cassette is used. ``name``: as the file writes its path."""

    name: str
    path: Path
    mode: Mode
    match: Match

    @property
    def key(self) -> str:
        """Under which the deck is shared. What is only read is read again when it has changed."""
        version = ""
        if self.mode == "none" and self.path.exists():
            found = self.path.stat()
            version = f"{found.st_mtime_ns} {found.st_size}"
        return f"cassette {self.path} {self.mode} {self.match!r} {version}"


class Deck:
    """One cassette. Shared by all routes that use it alike; outlives a reload, as long as it is used."""

    def __init__(self, settings: Settings, told: Callable[[str, str], None]) -> None:
        self.name, self._match = settings.name, settings.match
        mode = settings.mode
        found = cassette.Found([], [], False) if mode == "all" else cassette.load(settings.path)
        self.flaws = found.flaws
        if not found.exists and mode == "none":
            self.flaws = [f"{settings.path}: there is no such cassette; record one first"]
        self.replays = mode in ("none", "new") or (mode == "once" and found.exists)
        self.records = mode in ("all", "new") or (mode == "once" and not found.exists)
        self._entries: list[cassette.Entry] = []
        self._takes: dict[bytes, list[Take]] = {}
        self._starred: dict[bytes, list[bytes]] = {}  # what was asked, in the pieces between the stars
        self._next: dict[bytes, int] = {}
        for entry in found.entries:
            self._know(entry)
        kept = self._learn if mode == "new" else None
        self._recorder = Recorder(settings.path, told, kept, fresh=mode == "all") if self.records else None

    def __len__(self) -> int:
        return len(self._entries)

    async def find(self, sent: Request) -> Take | None:
        """The next take of what is asked."""
        large = len(sent.content()) > _ASIDE
        spelled = await aside(canonical, sent, self._match) if large else canonical(sent, self._match)
        key = self._key(spelled)
        if key is None and self._recorder is not None and await self._recorder.flushed():
            key = self._key(spelled)
        if key is None:
            return None
        takes = self._takes[key]
        at = self._next.get(key, 0)
        self._next[key] = at + 1
        return takes[min(at, len(takes) - 1)]

    async def missed(self, sent: Request) -> str:
        """What is told of a request that is not on it."""
        return await aside(self._missed, sent)

    def record(self, pending: Pending) -> bool:
        """Keep an exchange; False if there is no room for it."""
        return self._recorder is not None and self._recorder.add(pending)

    async def aclose(self) -> None:
        """Write what is left."""
        if self._recorder is not None:
            await self._recorder.aclose()

    def _key(self, spelled: bytes) -> bytes | None:
        """Of the takes of a request."""
        key = fingerprint(spelled)
        if key in self._takes:
            return key
        return next((other for other, pieces in self._starred.items() if fits(spelled, pieces)), None)

    def _know(self, entry: cassette.Entry) -> None:
        spelled = canonical(entry.take.request, self._match)
        key = fingerprint(spelled)
        self._entries.append(entry)
        self._takes.setdefault(key, []).append(entry.take)
        if STAR in spelled:
            self._starred[key] = spelled.split(STAR)

    def _learn(self, documents: list[bytes]) -> None:
        """What was recorded just now. On the line 0: it may stand anywhere, as others write too."""
        for document in documents:
            self._know(cassette.Entry(_DOCUMENT.decode(document), 0))

    def _missed(self, sent: Request) -> str:
        message = f"{self.name} holds no answer to this {sent.method} {sent.path}"
        found = nearest([entry.take.request for entry in self._entries], sent, self._match)
        if found is None:
            return f"{message}, as it is empty."
        at, differences = found
        line = self._entries[at].line
        where = f"take {at + 1}" + (f", line {line}" if line else "")
        text = f"{message}. The nearest recorded request ({where}) differs in {'; '.join(differences)}"
        return text if len(text) <= _MAX_MESSAGE else f"{text[:_MAX_MESSAGE]}…"
