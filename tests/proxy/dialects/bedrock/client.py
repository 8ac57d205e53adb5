"""botocore as the judge: what AWS' own client would send for the same input, and what it reads from answers."""

from __future__ import annotations

import base64
import json
from typing import Any

from botocore.eventstream import EventStreamBuffer  # type: ignore[import-untyped]
from botocore.parsers import EventStreamJSONParser, RestJSONParser  # type: ignore[import-untyped]
from botocore.serialize import create_serializer  # type: ignore[import-untyped]
from botocore.validate import ParamValidator  # type: ignore[import-untyped]

from tests.support.heard.bedrock import model


def accepted(body: bytes, operation: str = "Converse") -> dict[str, Any]:
    """The body, if botocore takes it as input and would send exactly that."""
    found: dict[str, Any] = json.loads(body)
    shape = model().operation_model(operation)
    given = {**_as_input(found, shape.input_shape), "modelId": "m"}
    report = ParamValidator().validate(given, shape.input_shape)
    assert not report.has_errors(), report.generate_report()
    sent = create_serializer("rest-json").serialize_to_request(given, shape)
    assert json.loads(sent["body"]) == found
    return found


def _as_input(value: Any, shape: Any) -> Any:
    """JSON as the arguments of a client: blobs are bytes there. Members that nobody knows are found out later."""
    if shape.type_name == "blob":
        return base64.b64decode(value, validate=True)
    if shape.type_name == "list":
        return [_as_input(one, shape.member) for one in value]
    if shape.type_name == "structure" and not shape.is_document_type:
        return {
            name: _as_input(one, shape.members[name]) if name in shape.members else one for name, one in value.items()
        }
    return value


def answer(body: bytes) -> dict[str, Any]:
    """A whole answer as the client gives it."""
    shape = model().operation_model("Converse").output_shape
    found = RestJSONParser().parse({"status_code": 200, "headers": {}, "body": body}, shape)
    return {name: value for name, value in found.items() if name != "ResponseMetadata"}


def stream(body: bytes) -> list[dict[str, Any]]:
    """The events of a stream as the client gives them."""
    buffer = EventStreamBuffer()
    buffer.add_data(body)
    shape = model().operation_model("ConverseStream").output_shape.members["stream"]
    return [EventStreamJSONParser().parse(message.to_response_dict(), shape) for message in buffer]
