"""The guarantees of the door that are taken away: framing, sizes, callers; the columns are those of a ``Cut``."""

from __future__ import annotations

_FRAMING = "tests/faults/test_framing.py"

SERVER: tuple[tuple[str, str, str, str, str, str], ...] = (
    (
        "BAD-01",
        "Content-Length and Transfer-Encoding pass together",
        "proxy/server/head.py",
        "    if len(watched) > (host is not None)",
        "    if len(watched) > 99 + (host is not None)",
        _FRAMING,
    ),
    (
        "BAD-01",
        "two Host headers pass",
        "proxy/server/head.py",
        "    elif _HOST.fullmatch(host) is None:",
        "    elif not host:",
        _FRAMING,
    ),
    (
        "BAD-02",
        "no deadline for a slow body",
        "proxy/server/protocol.py",
        "            self.deadline = min(monotonic() + self.limits.body_timeout, self._body_ends)\n\n    def want_body",
        "            self.deadline = math.inf\n\n    def want_body",
        "tests/faults/test_slow_clients.py",
    ),
    (
        "BAD-03",
        "a chunked body has no limit",
        "proxy/server/chunks.py",
        "            if self.size > self.max_body:",
        "            if self.size > 1 << 60:",
        "tests/faults/test_sizes.py tests/proxy/server/test_chunks.py",
    ),
    (
        "BAD-04",
        "JSON nested too deep crashes",
        "proxy/dialects/splice.py",
        "    except (msgspec.DecodeError, RecursionError) as error:",
        "    except msgspec.DecodeError as error:",
        "tests/faults/test_json.py tests/proxy/dialects/test_splice.py",
    ),
    (
        "BAD-05",
        "what a client signs may be anything",
        "proxy/dialects/gemini/signature.py",
        "    except ValueError:  # not base64, not ASCII, not UTF-8\n",
        "    except UnicodeDecodeError:\n",
        "tests/faults/test_schema_fuzz.py",
    ),
    (
        "BAD-06",
        "all headers of the client are passed on",
        "proxy/inbound.py",
        "[header for header in x.headers if header[0] in FORWARDED]",
        "list(x.headers)",
        "tests/e2e/test_splice.py tests/proxy/test_inbound.py",
    ),
    (
        "BAD-07",
        "what should be JSON may be anything",
        "proxy/upstream.py",
        "        return read_told(body)",
        "        return read_told(b'{}')",
        "tests/faults/test_hostile_upstream.py tests/proxy/test_upstream.py",
    ),
    (
        "BAD-07",
        "the provider's cookies reach the caller",
        "proxy/wire/passing.py",
        '    b"content-language": b"content-language",',
        '    b"content-language": b"content-language",\n    b"set-cookie": b"set-cookie",',
        "tests/faults/test_hostile_upstream.py tests/proxy/wire/test_passing.py",
    ),
    (
        "SEC-05",
        "the body is read before the caller is known",
        "proxy/inbound.py",
        "    door = runtime.doors.get(x.path)",
        "    door = ()",
        "tests/faults/test_credentials.py tests/proxy/test_inbound.py",
    ),
    (
        "SEC-06",
        "of two credentials the last one counts",
        "policies/identity/authenticate.py",
        "            if credential is not None and found != credential:",
        "            if credential is not None and not found:",
        "tests/faults/test_credentials.py tests/policies/identity/test_authenticate.py",
    ),
    (
        "SEC-07",
        "ids of resources may hold anything",
        "proxy/dialects/paths.py",
        " and _REST.fullmatch(path, len(prefix))",
        " and len(path) > len(prefix)",
        "tests/faults/test_paths.py tests/proxy/dialects/test_paths.py",
    ),
)
