"""The types take what is sent, also what they do not know."""

from __future__ import annotations

from proxy.dialects.openai_responses.wire import ANSWER, EVENT, ITEM, KNOWN, REQUEST


def test_items_of_any_kind_are_read() -> None:
    item = ITEM.decode(b'{"type":"shell_call_output","call_id":"c","output":[{"stdout":"x"}],"max_output_length":5}')
    assert (item.type, item.call_id, item.output) == ("shell_call_output", "c", [{"stdout": "x"}])


def test_unknown_members_are_left_to_others() -> None:
    assert REQUEST.decode(b'{"new":[1]}').model is None
    assert "new" not in KNOWN
    assert ANSWER.decode(b'{"new":[1],"usage":null}').usage is None
    assert EVENT.decode(b'{"type":"x","obfuscation":"y"}').type == "x"
