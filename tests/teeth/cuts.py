"""The guarantees that are taken away, each with the tests that must notice. See ``tests/teeth/__main__.py``."""

from __future__ import annotations

from typing import NamedTuple


class Cut(NamedTuple):
    """In ``file``, ``old`` (which stands there once) becomes ``new``; then one of ``tests`` must fail."""

    name: str
    what: str
    file: str
    old: str
    new: str
    tests: str


_FRAMING = "tests/faults/test_framing.py"
_GOLDEN = "tests/golden/test_config.py"

CUTS = (
    Cut(
        "BAD-01",
        "Content-Length and Transfer-Encoding pass together",
        "proxy/server/head.py",
        "    if len(watched) > (host is not None)",
        "    if len(watched) > 99 + (host is not None)",
        _FRAMING,
    ),
    Cut(
        "BAD-01",
        "two Host headers pass",
        "proxy/server/head.py",
        "    elif _HOST.fullmatch(host) is None:",
        "    elif not host:",
        _FRAMING,
    ),
    Cut(
        "BAD-02",
        "no deadline for a slow body",
        "proxy/server/protocol.py",
        "            self.deadline = min(monotonic() + self.limits.body_timeout, self._body_ends)\n\n    def want_body",
        "            self.deadline = math.inf\n\n    def want_body",
        "tests/faults/test_slow_clients.py",
    ),
    Cut(
        "BAD-03",
        "a chunked body has no limit",
        "proxy/server/chunks.py",
        "            if self.size > self.max_body:",
        "            if self.size > 1 << 60:",
        "tests/faults/test_sizes.py tests/proxy/server/test_chunks.py",
    ),
    Cut(
        "BAD-04",
        "JSON nested too deep crashes",
        "proxy/dialects/splice.py",
        "    except (msgspec.DecodeError, RecursionError) as error:",
        "    except msgspec.DecodeError as error:",
        "tests/faults/test_json.py tests/proxy/dialects/test_splice.py",
    ),
    Cut(
        "BAD-06",
        "all headers of the client are passed on",
        "proxy/inbound.py",
        "[header for header in x.headers if header[0] in FORWARDED]",
        "list(x.headers)",
        "tests/e2e/test_splice.py tests/proxy/test_inbound.py",
    ),
    Cut(
        "BAD-07",
        "what should be JSON may be anything",
        "proxy/upstream.py",
        "        _JSON.decode(body)",
        "        _JSON.decode(b'{}')",
        "tests/faults/test_hostile_upstream.py tests/proxy/test_upstream.py",
    ),
    Cut(
        "BAD-07",
        "the provider's cookies reach the caller",
        "proxy/passing.py",
        '    b"content-language": b"content-language",',
        '    b"content-language": b"content-language",\n    b"set-cookie": b"set-cookie",',
        "tests/faults/test_hostile_upstream.py tests/proxy/test_passing.py",
    ),
    Cut(
        "CFG-01",
        "unknown keys pass",
        "schemas/gateway.json",
        '  "additionalProperties": false,\n  "properties": {\n    "listen"',
        '  "additionalProperties": true,\n  "properties": {\n    "listen"',
        _GOLDEN,
    ),
    Cut(
        "CFG-01",
        "zero weights pass",
        "proxy/config/targets.py",
        'report.problem(at, "every weight is 0',
        'report.notice(at, "every weight is 0',
        _GOLDEN,
    ),
    Cut(
        "SEC-05",
        "the body is read before the caller is known",
        "proxy/inbound.py",
        "    door = runtime.doors.get(x.path)",
        "    door = ()",
        "tests/faults/test_credentials.py tests/proxy/test_inbound.py",
    ),
    Cut(
        "SEC-06",
        "of two credentials the last one counts",
        "policies/identity/authenticate.py",
        "            if credential is not None and found != credential:",
        "            if credential is not None and not found:",
        "tests/faults/test_credentials.py tests/policies/identity/test_authenticate.py",
    ),
    Cut(
        "SEC-07",
        "ids of resources may hold anything",
        "proxy/dialects/openai.py",
        " and _REST.fullmatch(path, len(prefix))",
        " and len(path) > len(prefix)",
        "tests/faults/test_paths.py tests/proxy/dialects/test_openai.py",
    ),
    Cut(
        "SPLICE",
        "the body is parsed and dumped again",
        "proxy/dialects/splice.py",
        '    return b"%b%b%b" % (body[:start], msgspec.json.encode(model), body[end:])',
        '    return msgspec.json.encode(msgspec.json.decode(body) | {"model": model})',
        "tests/e2e/test_splice.py tests/proxy/dialects/test_splice.py",
    ),
    Cut(
        "STR-01",
        "line ends are made uniform",
        "proxy/flow.py",
        "            return chunk\n        if scanner.ended",
        '            return chunk\n        chunk = chunk.replace(b"\\r\\n", b"\\n")\n        if scanner.ended',
        "tests/e2e/test_streams.py tests/proxy/test_flow.py",
    ),
    Cut(
        "STR-01",
        "U+2028 ends a line",
        "proxy/sse.py",
        '_LINE_END = re.compile(rb"\\r\\n?|\\n")',
        '_LINE_END = re.compile(rb"\\r\\n?|\\n|\\xe2\\x80\\xa8")',
        "tests/proxy/test_sse.py",
    ),
    Cut(
        "STR-02",
        "a client that leaves cancels nothing",
        "proxy/server/protocol.py",
        '            self._stop(cycle, "client_gone")',
        "            cycle.disconnected = True",
        "tests/e2e/test_cancel.py",
    ),
    Cut(
        "STR-03",
        "nobody waits for a slow reader",
        "proxy/server/cycle.py",
        "        if self._flow.write_paused and not self.disconnected:",
        "        if self.is_head and self._flow.write_paused:",
        "tests/e2e/test_slow_readers.py",
    ),
    Cut(
        "STR-04",
        "keep-alive comments count as content",
        "proxy/flow.py",
        "            content = scanner is None or scanner.feed(chunk)",
        "            content = scanner is None or scanner.feed(chunk) or True",
        "tests/e2e/test_streams.py tests/proxy/test_flow.py",
    ),
    Cut(
        "STR-05",
        "the end of the connection is the end of the stream",
        "proxy/flow.py",
        "        if scanner is not None and scanner.wants_end and not scanner.ended:",
        "        if scanner is not None and scanner.wants_end and scanner.max_event < 0:",
        "tests/e2e/test_streams.py tests/proxy/test_flow.py",
    ),
    Cut(
        "STR-06",
        "an event has no limit",
        "proxy/sse.py",
        "MAX_EVENT = 1 << 20",
        "MAX_EVENT = 1 << 40",
        "tests/e2e/test_streams.py",
    ),
    Cut(
        "CLOSE",
        "policies are not told of a cancelled request",
        "proxy/pipeline.py",
        "            _call_all(self._close[x.entered], x)",
        "            _call_all(self._close[x.entered] if answer is not None else (), x)",
        "tests/proxy/test_pipeline.py",
    ),
    Cut(
        "REL-01",
        "an answer names another generation than the one that made it",
        "proxy/app.py",
        "        x.generation = runtime.generation\n",
        "        x.generation = runtime.generation + 1\n",
        "tests/e2e/test_reload.py tests/proxy/test_app.py",
    ),
    Cut(
        "REL-02",
        "a bad file ends the watching",
        "proxy/reload.py",
        "                    await self._refuse(found)\n",
        "                    await self._refuse(found)\n                    raise asyncio.CancelledError\n",
        "tests/e2e/test_reload.py tests/e2e/test_reload_files.py",
    ),
    Cut(
        "REL-03",
        "changes of content are not seen",
        "proxy/reload.py",
        "    return _contents(now) != _contents(seen)",
        "    return seen is None",
        "tests/e2e/test_reload_files.py tests/proxy/test_reload.py",
    ),
    Cut(
        "REL-05",
        "old generations keep what they held",
        "proxy/reload.py",
        "        old.release()\n",
        "",
        "tests/e2e/test_reload.py tests/proxy/test_reload.py",
    ),
    Cut(
        "REL-06",
        "streams get no last word",
        "proxy/stream.py",
        "        if DRAINING not in cancelled.args:",
        "        if True:",
        "tests/e2e/test_drain.py tests/proxy/test_stream.py",
    ),
    Cut(
        "SEC-03",
        "secrets show themselves",
        "proxy/units.py",
        '        return "***"\n\n    def __format__',
        "        return self.reveal()\n\n    def __format__",
        "tests/proxy/test_units.py tests/faults/test_secrets.py",
    ),
)
