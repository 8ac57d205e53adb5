"""The model is replaced in the bytes; every other byte is the client's own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.dialects.splice import insert_model, read_envelope, read_form, splice_form_model, splice_model
from proxy.errors import BadRequest

_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["model", "a", "x model", '"model"']) | st.text(max_size=8), inner, max_size=4
        )
    ),
    max_leaves=20,
)
_SPACE = st.sampled_from(["", " ", "\n", "\t  ", "\r\n"])


@st.composite
def bodies(draw: st.DrawFn) -> tuple[bytes, str, int, int]:
    """A JSON object with one top-level model: its bytes, the model, and where the model's value stands."""
    model = draw(st.text(max_size=20))
    members = draw(st.dictionaries(st.text(max_size=8).filter(lambda name: name != "model"), _VALUES, max_size=5))
    at = draw(st.integers(0, len(members)))
    text, start, end = "{", 0, 0
    names: list[str | None] = [*members]
    names.insert(at, None)
    for index, name in enumerate(names):
        gaps = [draw(_SPACE) for _ in range(4)]
        key = "model" if name is None else name
        ascii_only = draw(st.booleans())
        text += gaps[0] + (json.dumps(key, ensure_ascii=ascii_only) if name is not None else '"model"')
        text += gaps[1] + ":" + gaps[2]
        start = len(text.encode("utf-8", "surrogatepass")) if name is None else start
        text += json.dumps(model if name is None else members[name], ensure_ascii=ascii_only)
        end = len(text.encode("utf-8", "surrogatepass")) if name is None else end
        text += gaps[3] + ("," if index < len(names) - 1 else "")
    return (text + "}").encode("utf-8", "surrogatepass"), model, start, end


@given(bodies(), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_only_the_models_bytes_change(case: tuple[bytes, str, int, int], new: str) -> None:
    """Whatever else the body holds, in any spelling and spacing, stays as it is."""
    body, model, start, end = case
    try:
        assert read_envelope(body).model == model
    except BadRequest:  # a lone surrogate or a NUL in some text: no JSON that the gateway passes on
        return
    spliced = splice_model(body, new)
    assert spliced[:start] == body[:start]
    assert spliced[len(spliced) - (len(body) - end) :] == body[end:]
    assert json.loads(spliced)["model"] == new


@pytest.mark.parametrize(
    ("body", "spliced"),
    [
        (b'{"model":"a","x":{"model":"b"}}', b'{"model":"N","x":{"model":"b"}}'),
        (b'{"x":{"model":"b"},"model":"a"}', b'{"x":{"model":"b"},"model":"N"}'),
        (b'{"x":"\\"model\\":\\"b\\"","model" :\n"a"}', b'{"x":"\\"model\\":\\"b\\"","model" :\n"N"}'),
        (b'{"x":"model","model":"a\\u0062"}', b'{"x":"model","model":"N"}'),
        (
            b'{"tools":[{"model":{"type":"string"}}],"model":"a"}',
            b'{"tools":[{"model":{"type":"string"}}],"model":"N"}',
        ),
    ],
)
def test_nested_members_of_the_same_name_stay(body: bytes, spliced: bytes) -> None:
    """Only the top-level model counts, wherever it stands."""
    assert splice_model(body, "N") == spliced


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","model":"b"}',
        b'{"model":"a","mod\\u0065l":"b"}',
        b'{"model":null,"model":"b"}',
        b'{"model":"a","model":null}',
    ],
)
def test_a_model_that_two_readers_would_read_differently_is_refused(body: bytes) -> None:
    """Twice, however it is spelled: the gateway and the provider must not disagree."""
    with pytest.raises(BadRequest, match="twice"):
        read_envelope(body)


def test_a_name_spelled_with_escapes_is_passed_but_not_replaced() -> None:
    """The decoy further in stays as it is."""
    body = b'{"mod\\u0065l":"a","x":{"model":"b"}}'
    assert read_envelope(body).model == "a"
    with pytest.raises(BadRequest, match="plainly"):
        splice_model(body, "N")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"[]", "invalid_type"),
        (b'{"model":5}', "invalid_type"),
        (b'{"model":"a","stream":"yes"}', "invalid_type"),
        (b'{"model":"a"} x', "invalid_json"),
        (b'{"model":"\xff"}', "invalid_json"),
        (b'{"model":"a","x":"\xff"}', "invalid_json"),
        (b'{"model":"a","x":NaN}', "invalid_json"),
        (b'{"model":"a","x":"\\ud800"}', "invalid_json"),
        (b'{"model":"a","x":"\x00"}', "invalid_json"),
        (b'\xef\xbb\xbf{"model":"a"}', "invalid_json"),
        (b'{"model":"a","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "invalid_json"),
    ],
)
def test_what_is_no_json_object_is_refused(body: bytes, code: str) -> None:
    """Each with its code, none with a crash."""
    with pytest.raises(BadRequest) as caught:
        read_envelope(body)
    assert caught.value.error_code == code


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        (b'{"model":5}', "model", "`model` must be a string."),
        (b'{"model":"a","stream":1}', "stream", "`stream` must be true or false."),
        (b"[]", None, "The body must be a JSON object."),
    ],
)
def test_a_wrong_type_is_said_plainly(body: bytes, param: str | None, message: str) -> None:
    """With the parameter, as official clients show it."""
    with pytest.raises(BadRequest) as caught:
        read_envelope(body)
    assert (caught.value.param, caught.value.message) == (param, message)


def _form(*parts: tuple[str, str], boundary: str = "B") -> bytes:
    text = "".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n" for head, value in parts
    )
    return f"{text}--{boundary}--\r\n".encode()


def test_a_forms_model_is_replaced_in_place() -> None:
    """The file part may hold anything, also what looks like the field."""
    decoy = 'x\r\nContent-Disposition: form-data; name="model"\r\n\r\nfake'
    body = _form(('name="file"; filename="model"', decoy), ('name="model"', "whisper-1"), ('name="language"', "en"))
    form = read_form(body, b"multipart/form-data; boundary=B")
    assert form.model == "whisper-1"
    assert splice_form_model(body, b"multipart/form-data; boundary=B", "big") == body.replace(b"whisper-1", b"big")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (_form(('name="model"', "a"), ('name="model"', "b")), b"multipart/form-data; boundary=B"),
        (_form(('name="model"', "a"))[:-8], b"multipart/form-data; boundary=B"),
        (b"nothing like a form", b"multipart/form-data; boundary=B"),
        (_form(('name="model"', "a")), b"multipart/form-data"),
        (_form(('name="model"', "a")), b"application/json"),
        (b"", b"multipart/form-data; boundary=" + b"B" * 10_000_000),
    ],
)
def test_a_malformed_form_is_refused(body: bytes, content_type: bytes) -> None:
    """Twice the same field, a missing end, another type: a 400, no guess."""
    with pytest.raises(BadRequest):
        read_form(body, content_type)


def test_a_body_full_of_decoys_is_refused_quickly() -> None:
    """Candidates are bounded, since each costs a decode of the body."""
    body: dict[str, Any] = {"model": "a", "x": [{"model": "b"}] * 1000}
    with pytest.raises(BadRequest, match="too many"):
        splice_model(json.dumps(body).encode(), "N")


@pytest.mark.parametrize(
    ("body", "inserted"),
    [
        (b'{"input":"x"}', b'{"model":"m","input":"x"}'),
        (b' {\n "input" : [1.0] }', b' {"model":"m",\n "input" : [1.0] }'),
        (b"{ }", b'{"model":"m" }'),
    ],
)
def test_a_model_is_put_first_where_there_was_none(body: bytes, inserted: bytes) -> None:
    """Every other byte stays."""
    assert insert_model(body, "m") == inserted
    assert json.loads(inserted)["model"] == "m"


def test_a_forms_model_is_put_first_where_there_was_none() -> None:
    """As a field of its own."""
    body = _form(('name="image"; filename="a.png"', "PNG"))
    content_type = b"multipart/form-data; boundary=B"
    inserted = splice_form_model(body, content_type, "m")
    assert inserted.endswith(body)
    assert read_form(inserted, content_type).model == "m"
