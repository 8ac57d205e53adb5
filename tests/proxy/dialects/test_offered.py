"""Tools are taken out of requests of every dialect, and what stays keeps its bytes."""

from __future__ import annotations

import pytest

from proxy.dialects.offered import Offered


@pytest.mark.parametrize(
    ("body", "names", "expected"),
    [
        (
            b'{"tools": [ {"type":"function","function":{"name":"a" }}, {"function":{"name":"bad"}}],"x":1}',
            ["a", "bad"],
            b'{"tools": [{"type":"function","function":{"name":"a" }}],"x":1}',
        ),
        (
            b'{"functions":[{"name":"bad"}],"function_call":"auto","messages":[]}',
            ["bad"],
            b'{"messages":[]}',
        ),
        (
            b'{"tools":[{"type":"custom","custom":{"name":"bad"}}],"tool_choice":"auto","parallel_tool_calls":true}',
            ["bad"],
            b"{}",
        ),
        (
            b'{"tools":[{"type":"function","name":"bad","parameters":{}},{"type":"web_search"}]}',
            ["bad", "web_search"],
            b'{"tools":[{"type":"web_search"}]}',
        ),
        (
            b'{"tools":[{"name":"bad","input_schema":{}},{"name":"a","input_schema":{"x":1.0}}]}',
            ["bad", "a"],
            b'{"tools":[{"name":"a","input_schema":{"x":1.0}}]}',
        ),
        (
            b'{"tools":[{"functionDeclarations":[{"name":"bad"},{"name":"a"}]},{"googleSearch":{}}],"toolConfig":{}}',
            ["bad", "a", "googleSearch"],
            b'{"tools":[{"functionDeclarations":[{"name":"a"}]},{"googleSearch":{}}],"toolConfig":{}}',
        ),
        (
            b'{"tools":[{"function_declarations":[{"name":"bad"}]}],"contents":[]}',
            ["bad"],
            b'{"contents":[]}',
        ),
        (
            b'{"functions":[{"name":"bad"}],"tools":[{"name":"a"}],"tool_choice":"auto"}',
            ["bad", "a"],
            b'{"tools":[{"name":"a"}],"tool_choice":"auto"}',
        ),
        (
            b'{"tools":[{"name":"bad"}],"tools":[{"name":"a"}]}',
            ["bad", "a"],
            b'{"tools":[],"tools":[{"name":"a"}]}',
        ),
    ],
)
def test_by_every_name(body: bytes, names: list[str], expected: bytes) -> None:
    offered = Offered(body)
    assert offered.names == names
    assert offered.without(lambda name: name == "bad") == expected


def test_what_is_insisted_on() -> None:
    body = b'{"tools":[],"tool_choice":{"type":"function","function":{"name":"a"}},"toolConfig":{"x":[{"y":["b"]}]}}'
    assert {"a", "b"} <= set(Offered(body).chosen())
    assert Offered(b'{"tools":null}').names == []


@pytest.mark.parametrize("body", [b"[]", b'{"tools":[7]}', b'{"tools":["x"'])
def test_what_cannot_be_read(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        Offered(body)
