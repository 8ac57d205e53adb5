"""The wire's types know what botocore knows."""

from __future__ import annotations

import pytest

from proxy.dialects.bedrock import wire
from tests.support.heard.bedrock import model


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (wire.Block, "ContentBlock"),
        (wire.Inner, "ToolResultContentBlock"),
        (wire.ToolWire, "Tool"),
        (wire.Choice, "ToolChoice"),
        (wire.Inference, "InferenceConfiguration"),
        (wire.Thought, "ReasoningContentBlock"),
        (wire.Spec, "ToolSpecification"),
    ],
)
def test_every_member_is_known(ours: type, theirs: str) -> None:
    assert set(model().shape_for(theirs).members) <= set(ours.__struct_fields__)  # type: ignore[attr-defined]


def test_every_member_of_a_request_that_is_read_exists() -> None:
    """What is not read of it is told as left out."""
    assert wire.KNOWN - {"modelId"} < set(model().shape_for("ConverseRequest").members)
