"""Whether AWS would believe a request: its signature, computed anew by botocore from what arrived."""

from __future__ import annotations

import re
from typing import Any

from botocore.auth import SigV4Auth  # type: ignore[import-untyped]
from botocore.awsrequest import AWSRequest  # type: ignore[import-untyped]
from botocore.credentials import Credentials  # type: ignore[import-untyped]

from tests.support.journal import body_of, header_of

_PROOF = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), "
    r"Signature=([0-9a-f]{64})"
)
_MUST_BE_SIGNED = re.compile(r"host|content-type|x-amz.*")


def check_signature(origin: str, seen: dict[str, Any], own: Credentials, service: str, region: str) -> None:
    """Compare with what botocore signs for the same bytes."""
    found = _PROOF.fullmatch(header_of(seen, "authorization") or "")
    assert found is not None, seen["headers"]
    key, day, in_region, for_service, names, signature = found.groups()
    stamp = header_of(seen, "x-amz-date")
    assert stamp is not None
    assert (key, in_region, for_service, day) == (own.access_key, region, service, stamp[:8])
    assert header_of(seen, "x-amz-security-token") == own.token
    sent = [(name, value) for name, value in seen["headers"] if name in names.split(";")]
    assert {name for name, _ in seen["headers"] if _MUST_BE_SIGNED.fullmatch(name)} <= set(names.split(";"))
    query = f"?{seen['query']}" if seen["query"] else ""
    request = AWSRequest(seen["method"], url=f"{origin}{seen['path']}{query}", data=body_of(seen))
    for name, value in sent:
        request.headers.add_header(name, value)
    request.context["timestamp"] = stamp
    auth = SigV4Auth(own, service, region)
    assert auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request) == signature
