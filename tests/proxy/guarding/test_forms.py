"""Where text stands in forms: fields, files and their names; what could be read in two ways is not read."""

from __future__ import annotations

import pytest

from proxy.guarding.carriers import splice
from proxy.guarding.forms import form_carriers

KIND = b"multipart/form-data; boundary=x-1"
FORM = (
    b'--x-1\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper\r\n'
    b'--x-1\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nAda says \xc3\xbc\r\nand more\r\n'
    b'--x-1\r\ncontent-disposition: form-data; name="file"; filename="Ada%22s \xc3\xbc.mp3"\r\n'
    b"Content-Type: audio/mpeg\r\n\r\nID3\x00\xff\r\n"
    b"--x-1\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''Ada%20b.txt\r\n\r\nAda in a file\r\n"
    b'--x-1\r\nContent-Disposition: form-data; name="Ada"\r\n\r\n1\r\n'
    b"--x-1--\r\n"
)


def test_no_place_is_missed_and_nothing_else_is_disturbed() -> None:
    found = form_carriers(FORM, KIND, media=True)
    told = [(carrier.path, carrier.text) for carrier in found if "Ada" in carrier.text]
    assert told == [
        ("prompt", "Ada says ü\r\nand more"),
        ("filename", 'Ada"s ü.mp3'),
        ("filename", "Ada b.txt"),
        ("file", "Ada in a file"),
        ("*", "Ada"),
    ]
    assert next(carrier for carrier in found if carrier.path == "prompt").place == "user"
    changed = splice(FORM, [(carrier, carrier.text.replace("Ada", "[X]")) for carrier in found])
    assert changed == FORM.replace(b"''Ada%20b.txt", b"''%5BX%5D%20b.txt").replace(b"Ada", b"[X]")
    assert splice(FORM, []) == FORM


def test_a_file_that_is_no_text_is_one_where_others_are_not_taken() -> None:
    with pytest.raises(ValueError, match="no text"):
        form_carriers(FORM, KIND, media=False)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"--x-1--", b"--x-1"),
        (b"--x-1--\r\n", b"--x-1--\r\nAda"),
        (
            b'--x-1\r\nContent-Disposition: form-data; name="model"',
            b'Ada\r\n--x-1\r\nContent-Disposition: form-data; name="m"',
        ),
        (b"and more", b"\n--x-1\nand more"),
        (b"\r\nand more\r\n", b"\nand more\n"),
        (b'form-data; name="prompt"', b"form-data; name=prompt"),
        (b'form-data; name="prompt"', b'form-data; name="a"; name="prompt"'),
        (b'form-data; name="prompt"', b'attachment; name="prompt"'),
        (b"Content-Type: audio/mpeg", b"Content-Transfer-Encoding: base64"),
        (b"Content-Type: audio/mpeg", b"X-Note: Ada"),
        (b"Content-Type: audio/mpeg", b"Content-Type: a\r\n b"),
        (b"says \xc3\xbc", b"says \xc3"),
    ],
)
def test_what_could_be_read_in_two_ways_is_not_read(old: bytes, new: bytes) -> None:
    assert FORM.count(old) == 1
    with pytest.raises(ValueError):  # noqa: PT011 -- which of them does not matter
        form_carriers(FORM.replace(old, new), KIND, media=True)


def test_without_a_boundary_there_is_no_form() -> None:
    for kind in (b"", b"multipart/mixed; boundary=x-1", b"multipart/form-data", b'multipart/form-data; boundary=""'):
        with pytest.raises(ValueError, match="no boundary"):
            form_carriers(FORM, kind, media=True)
    assert form_carriers(FORM, b'Multipart/Form-Data; charset=utf-8; boundary="x-1"', media=True)
