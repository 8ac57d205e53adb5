"""Which gateway is asked, and what its refusals say. What a running one answers: tests/e2e/test_receipts.py."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

import pytest

from proxy.commands.asking import KEY, Gateway, GatewayEdge, Unanswered, add_address
from tests.support.environment import free_port


@pytest.mark.parametrize("url", ["", "ftp://host", "http://", "http://host:port", "http://host:99999"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(Unanswered, match="no address of a gateway"):
        Gateway(url)


def test_a_key_that_no_header_carries() -> None:
    with pytest.raises(Unanswered, match="characters"):
        Gateway("127.0.0.1:1", "a\nb")


def test_nobody_there() -> None:
    with pytest.raises(Unanswered, match="no gateway answers at"):
        Gateway(f"127.0.0.1:{free_port()}").receipt("req_1")


def test_something_else_there() -> None:
    """That speaks another language."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            pass
        connection = server.accept()[0]
        connection.close()
        gateway = Gateway(f"127.0.0.1:{port}")
        server.close()
        with pytest.raises(Unanswered):
            gateway.receipt("req_1")


def test_the_arguments_come_before_the_environment_and_the_file() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, default=Path("gateway.yaml"))
    add_address(parser)
    edge = GatewayEdge(lambda path: f"http://{path.stem}:1", {KEY: "sk-of-the-environment"})
    found = Gateway.of(parser.parse_args([]), edge)
    assert found.url == "http://gateway:1"
    assert found._headers == {"authorization": "Bearer sk-of-the-environment"}
    found = Gateway.of(parser.parse_args(["--url", "https://there", "--key", "sk-mine"]), edge)
    assert (found.url, found._headers) == ("https://there", {"authorization": "Bearer sk-mine"})
    assert Gateway("127.0.0.1:1")._headers == {}
