"""Tags come from where the file says, and from nowhere else."""

from __future__ import annotations

from typing import Any

from policies.context.tags import Tags, TagsConfig


def test_tags_come_from_header_other_headers_body_and_file(context: Any, exchange: Any) -> None:
    """Constants win over what the client says."""
    config = TagsConfig(
        accept=("user", "env"),
        from_headers={"session": "X-Session"},
        from_body={"customer": "user", "count": "n"},
        set={"env": "prod"},
    )
    policy = Tags.compile(config, context)
    x = exchange(
        [(b"x-sluicegate-tags", b"user=ada, env=dev, secret=x"), (b"x-session", b"s1")],
        body=b'{"messages":[{"user":"nested"}],"user":"bob","n":3}',
    )
    policy.on_request(x)
    assert x.tags == {"user": "ada", "session": "s1", "customer": "bob", "env": "prod"}
    assert policy.explain(x) == "user=ada, env=prod, session=s1, customer=bob"


def test_nothing_is_taken_that_is_not_asked_for(context: Any, exchange: Any) -> None:
    """Without `accept` the tags header is not even read."""
    x = exchange([(b"x-sluicegate-tags", b"not a tag at all")])
    Tags.compile(TagsConfig(set={"env": "prod"}), context).on_request(x)
    assert x.tags == {"env": "prod"}


def test_unusable_values_are_left_out(context: Any, exchange: Any) -> None:
    """A control character or an endless value does not reach logs."""
    policy = Tags.compile(TagsConfig(from_headers={"a": "x-a"}, from_body={"user": "user"}), context)
    x = exchange([(b"x-a", b"bell\x07")], body=b'{"user":"' + b"u" * 300 + b'"}')
    policy.on_request(x)
    assert x.tags == {}


def test_bad_names_are_problems_with_their_place(context: Any) -> None:
    """Names and constant values are checked while compiling."""
    Tags.compile(TagsConfig(accept=("User",), from_body={"a b": "user"}, set={"env": "", "OK": "1"}), context)
    assert [at for at, _ in context.problems] == ["accept[0]", "from_body.a b", "set.OK", "set.env"]
