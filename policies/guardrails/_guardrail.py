"""A guardrail of AWS Bedrock, asked by ApplyGuardrail: what it is told, and what its assessments amount to.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ApplyGuardrail.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from policies.guardrails._consulted import Span
from proxy.guarding.service import ServiceFailed
from proxy.guarding.verdict import Direction
from proxy.guarding.vocabulary import is_word

PATH = "/v1/guardrail"  # of the gateway's own question; the account knows where that is
MAX_ASKED = 20_000  # characters of the texts in one question; a longer text goes alone
CONFIDENCE = {"NONE": 0.0, "LOW": 0.33, "MEDIUM": 0.67, "HIGH": 1.0}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,63}")  # of a regular expression of a guardrail
FILTERS = ("hate", "insults", "misconduct", "prompt_attack", "sexual", "violence")  # of contents
_OTHERS = (
    "topic word regex grounding relevance address age aws_access_key aws_secret_key ca_health_number "
    "ca_social_insurance_number credit_debit_card_cvv credit_debit_card_expiry credit_debit_card_number driver_id "
    "email international_bank_account_number ip_address license_plate mac_address name password phone pin swift_code "
    "uk_national_health_service_number uk_national_insurance_number uk_unique_taxpayer_reference_number url username "
    "us_bank_account_number us_bank_routing_number us_individual_tax_identification_number us_passport_number "
    "us_social_security_number vehicle_identification_number"
)
# Everything that is told by its own name: what a provider says beside that is `other`.
KNOWN = (*FILTERS, *_OTHERS.split(), "other")

Action = Literal["NONE", "BLOCKED", "ANONYMIZED"]


class _Found(msgspec.Struct, rename="camel"):
    """One entry of any policy. Which members it has depends on that."""

    action: Action
    type: str = ""
    name: str = ""
    match: str = ""
    confidence: Literal["NONE", "LOW", "MEDIUM", "HIGH"] | None = None


class _Lists(msgspec.Struct, frozen=True, rename="camel"):
    """The entries of one policy: each policy has some of these lists."""

    topics: list[_Found] = []
    filters: list[_Found] = []
    custom_words: list[_Found] = []
    managed_word_lists: list[_Found] = []
    pii_entities: list[_Found] = []
    regexes: list[_Found] = []


class _Assessment(msgspec.Struct, rename="camel"):
    topic_policy: _Lists = _Lists()
    content_policy: _Lists = _Lists()
    word_policy: _Lists = _Lists()
    sensitive_information_policy: _Lists = _Lists()
    contextual_grounding_policy: _Lists = _Lists()


class _Answer(msgspec.Struct):
    action: Literal["NONE", "GUARDRAIL_INTERVENED"]
    assessments: list[_Assessment]


_READ = msgspec.json.Decoder(_Answer)


class Anonymised(NamedTuple):
    """A text, what is put in its place, and what it is."""

    match: str
    label: str
    entity: str


class Assessed(NamedTuple):
    """What counts, and what was anonymised."""

    blocked: tuple[str, ...]
    anonymised: tuple[Anonymised, ...]


def question(phase: Direction, texts: Iterable[str], *, full: bool) -> bytes:
    """The body of a question. ``full``: it is to tell of filters that have found nothing as well."""
    asked: dict[str, Any] = {
        "source": "INPUT" if phase == "input" else "OUTPUT",
        "content": [{"text": {"text": text}} for text in texts],
    }
    return msgspec.json.encode(asked | {"outputScope": "FULL"} if full else asked)


def assessed(answer: bytes, categories: Mapping[str, float]) -> Assessed:
    """What an answer says. ``categories``: filter of contents → the confidence from which on it counts; empty: those
    that the guardrail itself blocks. What other policies block always counts.

    Raises:
        ServiceFailed: it is no answer, or lacks a confidence that is needed.
    """
    try:
        found = _READ.decode(answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ServiceFailed("an answer that is no guardrail's") from None
    blocked: dict[str, None] = {}
    anonymised: list[Anonymised] = []
    for each in found.assessments:
        if categories:
            blocked |= dict.fromkeys(_filters(each, categories))
        for lists, kind in (
            (each.topic_policy, "topic"),
            (each.word_policy, "word"),
            (each.sensitive_information_policy, "regex"),
            (each.contextual_grounding_policy, ""),
            *([] if categories else [(each.content_policy, "")]),
        ):
            for one in _entries(lists):
                entity = _entity(one, kind)
                if one.action == "BLOCKED":
                    blocked[entity] = None
                elif one.action == "ANONYMIZED":
                    anonymised.append(Anonymised(one.match, _label(one, entity), entity))
    if found.action == "GUARDRAIL_INTERVENED" and not (blocked or anonymised or _passed_over(found)):
        blocked["other"] = None  # something that is not known here: nobody may take it for nothing
    return Assessed(tuple(blocked), tuple(anonymised))


def _entries(lists: _Lists) -> Iterator[_Found]:
    for name in lists.__struct_fields__:
        yield from getattr(lists, name)


def _entity(found: _Found, kind: str) -> str:
    """What it is called: names of topics and words are nobody's business."""
    name = kind if kind in ("topic", "word") else found.type.lower() or kind
    return name if name in KNOWN else "other"


def _label(found: _Found, entity: str) -> str:
    if entity == "regex" and _NAME.fullmatch(found.name):
        return found.name.upper()
    return entity.upper()


def _passed_over(found: _Answer) -> bool:
    """Whether it has intervened for contents of which the file has an opinion of its own."""
    return any(one.action == "BLOCKED" for each in found.assessments for one in each.content_policy.filters)


def _filters(assessment: _Assessment, categories: Mapping[str, float]) -> list[str]:
    """The filters of the file that are sure enough."""
    scores: dict[str, float] = {}
    for one in assessment.content_policy.filters:
        if one.confidence is not None:
            name = one.type.lower()
            scores[name] = max(scores.get(name, 0.0), CONFIDENCE[one.confidence])
    if missing := categories.keys() - scores.keys():
        raise ServiceFailed(f"no confidence for {', '.join(sorted(missing))}")
    return [name for name, least in categories.items() if scores[name] >= least]


def spans(texts: Sequence[str], anonymised: Iterable[Anonymised]) -> list[Span]:
    """Wherever in the texts what was anonymised stands: as a whole word, if it does so anywhere.

    Raises:
        ServiceFailed: it stands nowhere, so that nobody knows what was meant.
    """
    found: list[Span] = []
    for match, label, _ in anonymised:
        places = [(number, at) for number, text in enumerate(texts) for at in _places(text, match)]
        whole = [(number, at) for number, at in places if is_word(texts[number], at, at + len(match))]
        if not places:
            raise ServiceFailed("it anonymises what was not asked about")
        found += (Span(number, at, at + len(match), label) for number, at in whole or places)
    return found


def _places(text: str, match: str) -> Iterator[int]:
    at = text.find(match) if match else -1
    while at >= 0:
        yield at
        at = text.find(match, at + len(match))
