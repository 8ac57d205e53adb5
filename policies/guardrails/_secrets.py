"""What secrets look like: keys and tokens of services by their forms, private keys, and what is said to be a secret."""

from __future__ import annotations

import base64
import binascii
import math
import re
import string
import zlib
from collections import Counter
from collections.abc import Callable

import msgspec

from proxy.guarding.scanner import Check, Pattern

_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_PLACEHOLDER = re.compile(
    r"(?i)x{6,}|\*{3,}|\.{3}|example|sample|dummy|placeholder|change[-_ ]?me|your[-_ ]|my[-_]?(?:pass|secret|token|key)"
    r"|<[a-z_ -]+>|\$\{|\$\(|\{\{|%[a-z_]+%|redacted|0{8,}|1234567|abcdefg"
    r"|^(?:pass(?:word)?|secret|none|null|true|false)$"
)
_LEAST_BITS = 3.0  # per character, of what is a secret because somebody says so
_LEAST_DIFFERENT = 8  # characters: fewer cannot have so many bits
_JUDGED = 400  # characters by which it is judged, however long it is
_SEEN, _BODY = 4096, re.compile(r"[A-Za-z0-9+/=]{32}")  # of a private key: in how much of it its body begins
_DIGIT, _LETTER = re.compile(r"\d"), re.compile(r"[^\W\d_]")


def _on(judge: Callable[[str], bool]) -> Check:
    return lambda text, start, end: judge(text[start:end])


def entropy(text: str) -> float:
    """Bits per character, as often as each is there."""
    counts = Counter(text)
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts.values())


def _is_random(text: str) -> bool:
    """What chance made: not a word, a path, or something that stands for a secret."""
    text = text[:_JUDGED]
    if len(set(text)) < _LEAST_DIFFERENT:
        return False
    tail = text.rpartition("-")[2].rpartition("_")[2] or text
    return (
        _is_mixed(tail if len(tail) > 15 else text)
        and _PLACEHOLDER.search(text) is None
        and entropy(text) >= _LEAST_BITS
    )


def _is_mixed(text: str) -> bool:
    return _DIGIT.search(text) is not None and _LETTER.search(text) is not None


def _said(text: str) -> bool:
    """Something after `password =`: a passphrase need not be random, but it is no word of a language, and no code."""
    text = text[:_JUDGED]
    if _PLACEHOLDER.search(text) is not None or len(set(text)) < 5:
        return False
    kinds = sum(any(test(char) for char in text) for test in (str.islower, str.isupper, str.isdigit, _is_sign))
    return kinds >= 3 or (kinds == 2 and len(text) >= 12 and any(char.isdigit() for char in text))


def _is_sign(char: str) -> bool:
    return not char.isalnum()


def _github(text: str) -> bool:
    """The last six characters are a CRC-32 of the others:
    https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/"""
    body, check = text[4:-6], zlib.crc32(text[4:-6].encode())
    written = ""
    while check:
        check, rest = divmod(check, 62)
        written = _BASE62[rest] + written
    return text[-6:] == written.rjust(6, "0") or _is_random(body)


def _jwt(text: str) -> bool:
    head = text.partition(".")[0]
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError):
        return False
    return isinstance(found, dict) and "alg" in found


def _private_key(text: str) -> bool:
    return _BODY.search(text[:_SEEN]) is not None


def _basic(text: str) -> bool:
    try:
        return b":" in base64.b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return False


_WORD = r"(?:[a-z0-9]{1,20}[_.-]){0,3}"
_ASSIGNED = (
    r"(?i)\b" + _WORD + r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|apikey|access[_-]?key|private[_-]?key"
    r"|client[_-]?secret|auth[_-]?key|encryption[_-]?key|credentials?)(?:[_.-][a-z0-9]{1,12})?"
    r"[\"'`]?[ \t]{0,3}(?:=|:|:=|=>|==|\bis\b)[ \t]{0,3}[\"'`]?([A-Za-z0-9+/_=.~!@#$%^&*-]{8,})"
)
_KEY = r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"
_KEY_END = r"(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)"

# Kind → what it looks like. Those that anybody could have written by chance must be random.
_FORMS: tuple[tuple[str, str, Check | None], ...] = (
    ("aws_access_key", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b", None),
    ("github_token", r"\bgh[pousr]_[A-Za-z0-9]{36,255}\b", _on(_github)),
    ("github_token", r"\bgithub_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}\b", None),
    ("gitlab_token", r"\bgl(?:pat|ptt|dt|rt|soat|cbt|oas)-[A-Za-z0-9_-]{20,}", _on(_is_random)),
    ("openai_key", r"\bsk-(?:proj-|svcacct-|admin-|None-)?[A-Za-z0-9_-]{20,}", _on(_is_random)),
    ("anthropic_key", r"\bsk-ant-[a-z]{3,6}[0-9]{2}-[A-Za-z0-9_-]{40,}", None),
    ("google_key", r"\bAIza[A-Za-z0-9_-]{35}", _on(_is_random)),
    ("google_key", r"\bya29\.[A-Za-z0-9_-]{30,}", _on(_is_random)),
    ("google_key", r"\bGOCSPX-[A-Za-z0-9_-]{28}", None),
    ("slack_token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}", _on(_is_random)),
    ("slack_token", r"\bxapp-[0-9]-[A-Z0-9]+-[0-9]+-[a-z0-9]{20,}\b", None),
    (
        "slack_webhook",
        r"\bhooks\.slack\.com/(?:services|workflows)/T[A-Z0-9]{6,}/B?[A-Z0-9]{6,}/[A-Za-z0-9]{16,}\b",
        None,
    ),
    ("stripe_key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{16,}\b", _on(_is_random)),
    ("stripe_key", r"\bwhsec_[A-Za-z0-9+/]{24,}", _on(_is_random)),
    ("twilio_key", r"\b(?:AC|SK)[0-9a-f]{32}\b", _on(_is_random)),
    ("sendgrid_key", r"\bSG\.[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{39,50}", None),
    ("mailgun_key", r"\bkey-[0-9a-f]{32}\b", _on(_is_random)),
    ("npm_token", r"\bnpm_[A-Za-z0-9]{36}\b", _on(_is_random)),
    ("pypi_token", r"\bpypi-AgE[A-Za-z0-9_-]{50,}", None),
    ("hugging_face_token", r"\bhf_[A-Za-z0-9]{34,}\b", _on(_is_random)),
    ("digitalocean_token", r"\bdo[opr]_v1_[0-9a-f]{64}\b", None),
    ("shopify_token", r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b", None),
    ("square_token", r"\bsq0(?:atp|csp)-[A-Za-z0-9_-]{22,43}", _on(_is_random)),
    ("databricks_token", r"\bdapi[0-9a-f]{32}(?:-[0-9])?\b", _on(_is_random)),
    ("vault_token", r"\bhv[sbr]\.[A-Za-z0-9_-]{24,}", _on(_is_random)),
    ("telegram_token", r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{33}", None),
    ("discord_token", r"\b[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}", _on(_is_random)),
    ("linear_key", r"\blin_api_[A-Za-z0-9]{40}\b", None),
    ("notion_token", r"\b(?:secret_[A-Za-z0-9]{43}|ntn_[A-Za-z0-9]{40,})\b", _on(_is_random)),
    ("atlassian_token", r"\bATATT3[A-Za-z0-9_=-]{50,}", None),
    ("grafana_token", r"\bglsa_[A-Za-z0-9]{32}_[0-9a-f]{8}\b", None),
    ("groq_key", r"\bgsk_[A-Za-z0-9]{48,}\b", _on(_is_random)),
    ("replicate_token", r"\br8_[A-Za-z0-9]{37}\b", _on(_is_random)),
    ("azure_storage_key", r"\bAccountKey=[A-Za-z0-9+/]{86}==", None),
    ("jwt", r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}", _on(_jwt)),
    ("private_key", _KEY + r"(?:-{0,2}[A-Za-z0-9+/=\s\\,:.()])*" + _KEY_END + "?", _on(_private_key)),
)
_SAID: tuple[tuple[str, str, Check], ...] = (
    ("aws_secret_key", r"(?i)\baws.{0,20}?(?:secret|key).{0,20}?[\s\"'=:]([A-Za-z0-9/+]{40})\b", _on(_is_random)),
    ("connection_string", r"(?i)\b[a-z][a-z0-9+.-]+://[^\s:/?#@\"'<>]*:([^\s/@\"'<>]+)@[a-z0-9.\[-]", _on(_said)),
    ("connection_string", r"(?i)\b(?:pwd|password)=([^\s;\"'<>]{6,});", _on(_said)),
    (
        "authorization",
        r"(?i)\bauthorization[\"']?[ \t]{0,2}[:=][ \t]{0,2}[\"']?basic ([A-Za-z0-9+/=]{8,})",
        _on(_basic),
    ),
    ("authorization", r"(?i)\bbearer ([A-Za-z0-9_.~+/=-]{20,})", _on(_is_random)),
    ("generic_secret", _ASSIGNED, _on(_said)),
)
SECRETS: tuple[Pattern, ...] = (
    *(Pattern(kind, regex, check) for kind, regex, check in _FORMS),
    *(Pattern(kind, regex, check, 0.8, 1) for kind, regex, check in _SAID),
)
KINDS: tuple[str, ...] = tuple(dict.fromkeys(pattern.entity for pattern in SECRETS))
