"""JSON as it flows: read as what it says, written as it came."""

from __future__ import annotations

import json

from proxy.guarding.escaped import Escaped

RAW = r'{"a\u00e4": "x\n\"\\y\ud83d\ude00", "n": 12}'


def test_it_is_read_plainly_and_written_as_it_came() -> None:
    for at in range(len(RAW) + 1):
        escaped = Escaped()
        text = escaped.read(RAW[:at]) + escaped.read(RAW[at:]) + escaped.finish()
        assert text.startswith('{"aä": "x\n"\\y')
        assert escaped.written(text[:7]) + escaped.written(text[7:]) == RAW


def test_another_text_is_put_there_as_json_has_it() -> None:
    escaped = Escaped()
    text = escaped.read(r'{"a": "\u0078 b", "n": 12}')
    start, number = text.index("x"), text.index("12")
    out = escaped.written(text[:start]) + escaped.put('"')
    escaped.written(text[start])
    out += escaped.written(text[start + 1 : number]) + escaped.put("n")
    escaped.written("12")
    assert json.loads(out + escaped.written(text[number + 2 :])) == {"a": '" b', "n": "n"}


def test_what_is_no_json_stays() -> None:
    escaped = Escaped()
    text = escaped.read(r"\u12") + escaped.read(r"zz\q") + escaped.finish()
    assert escaped.written(text) == r"\u12zz\q"
