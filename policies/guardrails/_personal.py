"""What personal data looks like: patterns by kind, and what a candidate must be beyond its looks."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from policies.guardrails import _checksums as sums
from proxy.guarding.scanner import Check, Pattern

# Country calling codes: https://www.itu.int/rec/T-REC-E.164
_CALLING = re.compile(
    r"1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
    r"|2[1-689]\d|3[578]\d|42[013]|5[09]\d|6[789]\d|80[08]|85\d|87[08]|88[0-368]|9[679]\d"
)
_FILES = frozenset({"png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "py", "json", "html", "pdf", "zip"})
_DATE = (
    r"(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}-\d{2}-\d{2}"
    r"|(?:\d{1,2}(?:st|nd|rd|th)?\.? )?[A-Za-zäöüéû]{3,9}\.? (?:\d{1,2}(?:st|nd|rd|th)?,? )?\d{4})"
)
_STREET = (
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Square|Sq|Place|Pl|Terrace|Ter|Way"
    r"|Parkway|Pkwy|Circle|Cir|Crescent|Highway|Hwy|Close|Gardens|Grove|Mews|Row|Trail)"
)
_UNIT = r"(?:,? (?:Apt|Suite|Ste|Unit|Flat|Floor|#)\.? ?[A-Za-z0-9-]{1,6})?"
_TOWN = r"(?:,? [A-Z][a-z]+(?: [A-Z][a-z]+)*,? (?:[A-Z]{2} \d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}))?"


_ADDRESSES = (
    r"\b\d{1,5}[A-Za-z]? (?:[NSEW]\.? )?(?:[A-Z0-9][A-Za-z0-9'-]+ ){1,4}" + _STREET + r"\b\.?" + _UNIT + _TOWN,
    r"(?:[A-ZÄÖÜ][a-zäöüß-]+(?:straße|strasse|str\.|weg|platz|allee|gasse|ring)) \d{1,4} ?[a-z]?\b"
    r"(?:,? \d{4,5} [A-ZÄÖÜ][a-zäöüß]+)?",
    r"\b\d{1,4}(?: bis| ter)?,? (?:rue|avenue|boulevard|place|chemin|impasse) (?:d[eu]s? |de la |de l')?"
    r"[A-Z][A-Za-zéèêçô'-]+(?:,? \d{5} [A-ZÉ][A-Za-zéèêç-]+)?",
    r"(?i)\b(?:P\.? ?O\.? ?Box|Postfach) \d{2,6}\b",
)


_AHEAD = 3  # characters after a number's first that tell whether it goes on
_GROUP_BEFORE = re.compile(r"(?:\d{4}|[A-Z]{2}\d{2}(?: [A-Z]{4})?) $", re.ASCII)
_GROUP_AFTER = re.compile(r" \d{3}", re.ASCII)


# What goes with a number beside it; letters of scripts without spaces do not.
_CLINGS = r"(?![\u0e00-\U0010ffff])\w"
_CAME_BEFORE = re.compile(rf"(?<={_CLINGS})|(?<={_CLINGS}[.-])")
_CLINGING = re.compile(f"(?<={_CLINGS})")
_GOES_ON = re.compile(rf"[.-]?{_CLINGS}")


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether something is not part of an identifier."""
    return _CAME_BEFORE.match(text, start) is None and _GOES_ON.match(text, end) is None


def _on(judge: Callable[[str], bool]) -> Check:
    """A check of a number that is not part of a longer one."""

    def check(text: str, start: int, end: int) -> bool:
        if not _stands_alone(text, start, end) or not judge(text[start:end]):
            return False
        found = text[start:end]
        if " " not in found or found[0] in "+(":
            return True
        return not (_GROUP_BEFORE.search(text[max(0, start - 10) : start]) or _GROUP_AFTER.match(text, end))

    return check


def _email(text: str, start: int, end: int) -> bool:
    name, _, domain = text[start:end].rpartition("@")
    if text[start - 1 : start] in ("/", ":") and text[max(0, start - 3) : start] == "://":
        return False
    return len(name) <= 64 and domain.rpartition(".")[2].lower() not in _FILES and ".." not in text[start:end]


def _international(text: str) -> bool:
    number = sums.digits(text)
    return 8 <= len(number) <= 15 and _CALLING.match(number) is not None and len(set(number)) > 2


def _north_american(text: str) -> bool:
    number = sums.digits(text)[-10:]
    return number[0] in "23456789" and number[3] in "23456789" and number[1:3] != "11" and number[4:6] != "11"


def _national(text: str) -> bool:
    number = sums.digits(text)
    return 9 <= len(number) <= 12 and number[1] != "0" and len(set(number)) > 2


def _ipv4(text: str, start: int, end: int) -> bool:
    if text[max(0, start - 8) : start].lower().rstrip(" :=").endswith(("v", "version", "ver", "release")):
        return False
    try:
        address = IPv4Address(text[start:end])
    except AddressValueError:
        return False
    return _stands_alone(text, start, end) and not address.is_unspecified and not address.is_loopback


def _ipv6(text: str, start: int, end: int) -> bool:
    found = text[start:end]
    if text[end : end + 1] == ":" or (start and text[start - 1] == ":") or _CLINGING.match(text, start):
        return False
    try:
        address = IPv6Address(found)
    except AddressValueError:
        return False
    return len(found) >= 6 and not address.is_loopback


def _document(text: str) -> bool:
    return sum(char.isdigit() for char in text) >= 4


def _uk_licence(text: str) -> bool:
    return int(text[6:8]) % 50 in range(1, 13)


def _card(text: str, start: int, end: int) -> bool:
    if _GROUP_BEFORE.search(text[max(0, start - 10) : start]):
        return False
    return _stands_alone(text, start, end) and sums.payment_card(text[start:end])


_NATIONAL_IDS = (
    (r"(?i)\b(?:\d{8}|[XYZ]-?\d{7})-?[A-Z]\b", sums.dni),
    (r"(?i)\b[A-Z]{6}\d{2}[ABCDEHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b", sums.codice_fiscale),
    (r"\b[1-478] ?\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\d) ?(?:\d{2}|2[AB]) ?\d{3} ?\d{3} ?\d{2}\b", sums.nir),
    (r"\b[1-9]\d{10}\b|\b[1-9]\d ?\d{3} \d{3} \d{3}\b", sums.german_tax_id),
    (r"\b\d{2}(?:[02468][1-9]|[13579][0-2])(?:[0-2]\d|3[01])\d{5}\b", sums.pesel),
    (r"\b(?:19|20)?\d{2}(?:0[1-9]|1[0-2])(?:[06][1-9]|[1278]\d|[39][01])[-+]\d{4}\b", sums.personnummer),
    (r"\b\d{3}\.\d{3}\.\d{3}-\d{2}\b", sums.cpf),
    (r"\b[2-9]\d{3}[ -]\d{4}[ -]\d{4}\b", sums.aadhaar),
    (r"\b[1-79]\d{2}[ -]\d{3}[ -]\d{3}\b", sums.sin),
)
# Whose looks alone would not do: the digits after their names.
_SAID_IDS = (
    (r"(?i)\b(?:nhs|patient)[^\d\n]{0,16}\b(\d{10}|\d{3} \d{3} \d{4})\b", sums.nhs),
    (r"(?i)\b(?:bsn|burgerservicenummer|sofinummer)[^\d\n]{0,12}\b(\d{9}|\d{4}[. ]\d{2}[. ]\d{3})\b", sums.bsn),
    (r"(?i)\bcpf[^\d\n]{0,12}\b(\d{11})\b", sums.cpf),
)

_PATTERNS: tuple[Pattern, ...] = (
    Pattern("email", r"\b[A-Za-z0-9][A-Za-z0-9._%+-]*@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}\b", _email),
    Pattern("phone", r"\+\d(?:[ ./()-]{0,2}\d){7,14}\b", _on(_international), 0.9),
    Pattern("phone", r"\b00[1-9](?:[ /-]?\d){8,13}\b", _on(lambda text: _international(text[2:])), 0.6),
    Pattern("phone", r"(?:\b1[-. ])?(?:\(\d{3}\) ?|\b\d{3}[-. ])\d{3}[-. ]\d{4}\b", _on(_north_american), 0.8),
    Pattern("phone", r"\b0\d{2,4}[ /-]\d{3,4}[ -]?\d{2,4}(?:[ -]?\d{2,4})?\b", _on(_national), 0.6),
    Pattern("phone", r"\b0[1-9](?:[ .]\d{2}){4}\b", _on(_national), 0.7),
    Pattern(
        "credit_card",
        r"\b[2-6](?:\d{11,18}|\d{3}[ .-]\d{4}[ .-]\d{4}[ .-]\d{1,7}|\d{3}[ .-]\d{6}[ .-]\d{4,5})\b",
        _card,
    ),
    Pattern("us_ssn", r"\b\d{3}-\d{2}-\d{4}\b|\b\d{3} \d{2} \d{4}\b", _on(sums.us_ssn), 0.9),
    Pattern(
        "us_ssn",
        r"(?i)\b(?:ssn|social security(?: number| no)?)[^\d\n]{0,12}\b(\d{9})\b",
        _on(sums.us_ssn),
        0.9,
        1,
    ),
    Pattern(
        "iban",
        r"(?i)\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?",
        _on(sums.iban),
        trim=sums.iban_length,
    ),
    *(Pattern("national_id", regex, _on(judge), 0.8) for regex, judge in _NATIONAL_IDS),
    *(Pattern("national_id", regex, _on(judge), 0.9, 1) for regex, judge in _SAID_IDS),
    # United States' phone numbers look like this too: one in eleven is right by chance.
    Pattern("national_id", r"\b\d{3} \d{3} \d{4}\b", _on(sums.nhs), 0.5),
    Pattern("ip_address", r"\b\d{1,3}(?:\.\d{1,3}){3}\b", _ipv4),
    Pattern("ip_address", r"(?i)\b[0-9a-f]{1,4}:(?:[0-9a-f]{0,4}:){1,6}(?:[0-9a-f]{1,4}|:)", _ipv6),
    Pattern("mac_address", r"(?i)\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b|\b[0-9a-f]{2}(?:-[0-9a-f]{2}){5}\b", _on(bool)),
    Pattern("crypto_address", r"\b0x[0-9A-Fa-f]{40}\b", _on(bool)),
    Pattern("crypto_address", r"\b[13][1-9A-HJ-NP-Za-km-z]{25,34}\b", _on(sums.bitcoin)),
    Pattern("crypto_address", r"\b(?:bc1[02-9ac-hj-np-z]{11,71}|BC1[02-9AC-HJ-NP-Z]{11,71})\b", _on(sums.bitcoin)),
    Pattern(
        "passport",
        r"(?i)\bpass(?:port|eport|aporte)?(?:nummer|[ -]?(?:no|nr|number|num))?[^A-Za-z0-9\n]{1,5}([A-Z0-9]{6,9})\b",
        _on(_document),
        0.7,
        1,
    ),
    Pattern("passport", r"\bP[<A-Z][A-Z]{3}[A-Z<]{39}", None, 0.9),
    Pattern("driving_licence", r"\b[A-Z][A-Z9]{4}\d{6}[A-Z9]{2}\d[A-Z]{2}\b", _on(_uk_licence), 0.9),
    Pattern(
        "driving_licence",
        r"(?i)\b(?:driv(?:er'?s?|ing) licen[cs]e|führerschein|permis de conduire)(?:nummer| (?:no|nr|number|id))?"
        r"[^A-Za-z0-9\n]{1,5}([A-Z0-9][A-Z0-9-]{4,17})\b",
        _on(_document),
        0.7,
        1,
    ),
    Pattern(
        "date_of_birth",
        r"(?i)\b(?:born(?: on| in)?|d\.?o\.?b\.?|date of birth|birth ?da(?:te|y)|geboren(?: am)?|geburtsdatum|née? le)"
        r"[ :=(\"]{1,4}(?:(?:is|was|the) )?(" + _DATE + r")\b",
        None,
        0.8,
        1,
    ),
    *(Pattern("postal_address", regex, None, 0.6) for regex in _ADDRESSES),
)
PERSONAL: tuple[Pattern, ...] = tuple(
    pattern._replace(lookahead=_AHEAD) if pattern.check is not None else pattern for pattern in _PATTERNS
)
KINDS: tuple[str, ...] = tuple(dict.fromkeys(pattern.entity for pattern in PERSONAL))
