"""Numbers that prove themselves: checksums, and the ranges in which they are given out.

Each function takes the text as it was found, with whatever separates its digits.
"""

from __future__ import annotations

import re
from datetime import date
from hashlib import sha256

_TEN = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21]
_REST = [2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]
# Values of 0-9 and A-Z in odd places of a codice fiscale.
_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        2 * _TEN + _REST,
        strict=True,
    )
)
_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_VALUES58 = {char: value for value, char in enumerate(_BASE58)}
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_STEPS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_NO_DIGITS, _NO_LETTERS = re.compile("[^0-9]+"), re.compile(r"[\W_]+")
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")  # every second digit twice, its own digits added up
_AS_NUMBERS = str.maketrans({chr(code + 55): str(code) for code in range(10, 36)})  # A is 10, Z is 35
_TURN = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)  # Verhoeff's: a digit by its place, turned so many times
# Characters of an IBAN by country: https://www.swift.com/standards/data-standards/iban-international-bank-account-number
_IBANS = """
15 NO  16 BE  18 DK FI FO GL NL SD FK  19 MK SI  20 AT BA EE KZ LT LU MN XK  21 CH HR LI LV
22 BG BH CR DE GB GE IE ME RS VA  23 AE GI IL IQ OM SO TL  24 AD CZ ES MD PK RO SA SE SK TN VG
25 LY PT ST  26 IS TR  27 BI DJ FR GR IT MC MR SM  28 AL AZ BY CY DO GT HU LB NI PL SV
29 BR EG PS QA UA  30 JO KW MU YE  31 MT SC  32 LC  33 RU
"""


def _lengths(table: str) -> dict[str, int]:
    found: dict[str, int] = {}
    length = 0
    for word in table.split():
        if word.isdigit():
            length = int(word)
        else:
            found[word] = length
    return found


IBAN_LENGTHS = _lengths(_IBANS)
_OF_LENGTH = {size: re.compile(rf"(?:[\W_]*[^\W_]){{{size}}}") for size in {0, *IBAN_LENGTHS.values()}}


def _dihedral(one: int, other: int) -> int:
    """The product of two elements of the dihedral group of order 10."""
    turn = (one % 5 - other % 5) if one >= 5 else (one % 5 + other % 5)
    return turn % 5 + (5 if (one >= 5) != (other >= 5) else 0)


def _turned(value: int, times: int) -> int:
    return value if times == 0 else _turned(_TURN[value], times - 1)


_PRODUCTS = [[_dihedral(one, other) for other in range(10)] for one in range(10)]
_VERHOEFF = [[_turned(value, times) for value in range(10)] for times in range(8)]


def digits(text: str) -> str:
    """The ASCII digits of a text."""
    return _NO_DIGITS.sub("", text)


def luhn(number: str) -> bool:
    """Of digits alone (ISO/IEC 7812-1)."""
    data = number.encode()
    return (sum(data[::-2]) + sum(data[-2::-2].translate(_DOUBLED)) - 48 * len(data)) % 10 == 0


def _issued(number: str) -> bool:
    """Whether an issuer of payment cards gives out numbers like this, by its first digits and its length."""
    size, four, two = len(number), int(number[:4]), int(number[:2])
    if number[0] == "4":
        return size in (13, 16, 19)
    if 51 <= two <= 55 or 2221 <= four <= 2720 or 2200 <= four <= 2204:
        return size == 16
    if two in (34, 37):
        return size == 15
    if four == 6011 or two == 65 or 6440 <= four <= 6499 or 3528 <= four <= 3589 or two in (62, 81):
        return 16 <= size <= 19
    if 3000 <= four <= 3059 or two in (36, 38, 39):
        return 14 <= size <= 19
    return four in (5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763) and 12 <= size <= 19


def payment_card(text: str) -> bool:
    """A card's number."""
    number = digits(text)
    return 12 <= len(number) <= 19 and len(set(number)) > 1 and _issued(number) and luhn(number)


def us_ssn(text: str) -> bool:
    """A social security number from the ranges that are given out."""
    number = digits(text)
    return number[:3] not in ("000", "666") and number[0] != "9" and number[3:5] != "00" and number[5:] != "0000"


def iban_length(text: str) -> int:
    """How much of a text that begins like an IBAN its country's IBANs take; 0 for no country, or too little text."""
    whole = _OF_LENGTH[IBAN_LENGTHS.get(text[:2].upper(), 0)].match(text)
    return whole.end() if whole is not None else 0


def iban(text: str) -> bool:
    """ISO 13616: the remainder by 97 is 1."""
    packed = _NO_LETTERS.sub("", text.upper())
    if IBAN_LENGTHS.get(packed[:2]) != len(packed) or not packed.isascii():
        return False
    return int((packed[4:] + packed[:4]).translate(_AS_NUMBERS)) % 97 == 1


def _weighted(number: str, weights: tuple[int, ...]) -> int:
    return sum(int(char) * weight for char, weight in zip(number, weights, strict=False))


def nhs(text: str) -> bool:
    """United Kingdom: the number of a patient."""
    number = digits(text)
    check = 11 - _weighted(number[:9], (10, 9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return len(set(number)) > 1 and check != 10 and check % 11 == int(number[9])


def bsn(text: str) -> bool:
    """Netherlands: burgerservicenummer."""
    number = digits(text)
    return len(set(number)) > 1 and _weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def dni(text: str) -> bool:
    """Spain: DNI and NIE."""
    packed = "".join(char for char in text.upper() if char.isalnum())
    number = packed[:-1].translate(str.maketrans("XYZ", "012"))
    return number.isdigit() and len(number) == 8 and _DNI[int(number) % 23] == packed[-1]


def codice_fiscale(text: str) -> bool:
    """Italy: the last letter follows from the fifteen before."""
    code = text.upper()
    total = sum(
        _ODD[char] if at % 2 == 0 else (int(char) if char.isdigit() else ord(char) - 65)
        for at, char in enumerate(code[:15])
    )
    return chr(65 + total % 26) == code[15]


def nir(text: str) -> bool:
    """France: numéro de sécurité sociale, with its key."""
    packed = "".join(char for char in text.upper() if char.isalnum())
    number = packed[:13].replace("2A", "19").replace("2B", "18")
    if not (number.isdigit() and packed[13:].isdigit()) or len(packed) != 15:
        return False
    return 97 - int(number) % 97 == int(packed[13:])


def german_tax_id(text: str) -> bool:
    """Germany: Steuer-Identifikationsnummer (ISO 7064 MOD 11,10; one digit is there twice or thrice)."""
    number = digits(text)
    if number[0] == "0" or not 8 <= len(set(number[:10])) <= 9:
        return False
    product = 10
    for char in number[:10]:
        total = (int(char) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(number[10])


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def pesel(text: str) -> bool:
    """Poland: a date of birth, and a check digit."""
    number = digits(text)
    century = {0: 1900, 1: 2000, 2: 2100, 3: 2200, 4: 1800}[int(number[2]) // 2]
    birth = century + int(number[:2]), int(number[2:4]) % 20, int(number[4:6])
    return _is_date(*birth) and -_weighted(number[:10], (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10 == int(number[10])


def personnummer(text: str) -> bool:
    """Sweden: a date of birth (or that plus 60 for the day), and Luhn's digit."""
    number = digits(text)[-10:]
    day = int(number[4:6])
    return _is_date(2000, int(number[2:4]), day - 60 if day > 60 else day) and luhn(number)


def cpf(text: str) -> bool:
    """Brazil: two check digits."""
    number = digits(text)
    if len(set(number)) == 1:
        return False
    first = _weighted(number[:9], tuple(range(10, 1, -1))) * 10 % 11 % 10
    second = _weighted(number[:10], tuple(range(11, 1, -1))) * 10 % 11 % 10
    return number[9:] == f"{first}{second}"


def aadhaar(text: str) -> bool:
    """India: Verhoeff's digit."""
    number = digits(text)
    check = 0
    for at, char in enumerate(reversed(number)):
        check = _PRODUCTS[check][_VERHOEFF[at % 8][ord(char) - 48]]
    return number[0] not in "01" and check == 0


def sin(text: str) -> bool:
    """Canada: social insurance number."""
    number = digits(text)
    return number[0] not in "08" and luhn(number)


def bitcoin(text: str) -> bool:
    """An address in Base58Check or bech32."""
    return _bech32(text.lower()) if text[:3].lower() == "bc1" else _base58(text)


def _base58(text: str) -> bool:
    value = 0
    for char in text:
        value = value * 58 + _VALUES58[char]
    try:
        data = value.to_bytes(25, "big")
    except OverflowError:
        return False
    return sha256(sha256(data[:21]).digest()).digest()[:4] == data[21:]


def _bech32(text: str) -> bool:
    values = [3, 3, 0, 2, 3, *(_BECH32.index(char) for char in text[3:])]  # "bc", spread out
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for at, step in enumerate(_BECH32_STEPS):
            check ^= step if top >> at & 1 else 0
    return check in (1, 0x2BC830A3)  # BIP 173, BIP 350


_SIMPLE_WORD = re.compile(r"[a-z]+|[A-Z]+|[A-Z][a-z]+")


def is_varied(text: str) -> bool:
    """Whether characters are mixed as chance mixes them: letters and digits, and few of them often."""
    has_digit = any(char.isdigit() for char in text)
    has_letter = any(char.isalpha() for char in text)
    return has_digit and has_letter and len(set(text)) * 3 >= min(len(text), 48) and not _SIMPLE_WORD.fullmatch(text)
