"""Personal data with checksums that are right, and near misses whose are wrong or that are something else."""

from __future__ import annotations

import ipaddress
import string
from collections.abc import Callable
from hashlib import sha256
from random import Random

_NAMES = ["ada.lovelace", "grace_hopper", "alan-turing", "edsger.w.dijkstra", "k+inbox", "d.ritchie99"]
_HOSTS = ["example.com", "mail.example.org", "sub.ex-ample.co.uk", "uni-bonn.de", "example.io", "post.example.fr"]
_IBAN_BANKS = {"DE": 18, "GB": None, "FR": 23, "NL": None, "ES": 20, "AT": 16, "CH": 17, "PL": 24, "BE": 12, "SE": 20}
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

Make = Callable[[Random], str]


def number(random: Random, size: int, first: str = "") -> str:
    return first + "".join(random.choice(string.digits) for _ in range(size - len(first)))


def luhn_digit(digits: str) -> str:
    total = 0
    for at, char in enumerate(reversed(digits)):
        value = int(char) * (2 if at % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def grouped(digits: str, sizes: list[int], separator: str) -> str:
    parts, at = [], 0
    for size in sizes:
        parts.append(digits[at : at + size])
        at += size
    return separator.join(part for part in parts if part)


def card(random: Random, wrong: bool = False) -> str:
    first, size = random.choice(
        [("4", 16), ("4", 13), ("51", 16), ("2221", 16), ("37", 15), ("6011", 16), ("3530", 16)]
    )
    digits = number(random, size - 1, first)
    check = luhn_digit(digits)
    digits += str((int(check) + random.randrange(1, 10)) % 10) if wrong else check
    sizes = [4, 6, 5] if size == 15 else [4, 4, 4, 4]
    return grouped(digits, sizes, random.choice(["", " ", "-"]) if size != 13 else "")


def iban(random: Random, wrong: bool = False) -> str:
    country = random.choice(list(_IBAN_BANKS))
    size = _IBAN_BANKS[country]
    if size is None:
        letters = "".join(random.choice(string.ascii_uppercase) for _ in range(4))
        body = letters + number(random, 14 if country == "GB" else 10)
    else:
        body = number(random, size)
    rest = int("".join(str(int(char, 36)) for char in body + country + "00")) % 97
    check = (98 - rest + (random.randrange(1, 97) if wrong else 0) - 1) % 97 + 1
    text = f"{country}{check:02d}{body}"
    return grouped(text, [4] * 9, " ") if random.random() < 0.5 else text


def ssn(random: Random, wrong: bool = False) -> str:
    area = random.choice(["000", "666", "9" + number(random, 2)]) if wrong else f"{random.randrange(1, 666):03d}"
    return f"{area}-{random.randrange(1, 100):02d}-{random.randrange(1, 10000):04d}"


def email(random: Random) -> str:
    return f"{random.choice(_NAMES)}{random.randrange(100) or ''}@{random.choice(_HOSTS)}"


def phone(random: Random) -> str:
    area, exchange, line = random.randrange(212, 990), random.randrange(212, 990), random.randrange(10000)
    if area % 100 == 11 or exchange % 100 == 11:
        area = exchange = 415
    separator = random.choice("-. ")
    return random.choice(
        [
            f"({area}) {exchange}-{line:04d}",
            f"{area}{separator}{exchange}{separator}{line:04d}",
            f"+1 {area} {exchange} {line:04d}",
            f"+1{area}{exchange}{line:04d}",
            f"+49 30 {number(random, 7, '2')}",
            f"+44 20 79{number(random, 2)} {number(random, 4)}",
            f"+33 6 {' '.join(number(random, 2) for _ in range(4))}",
            f"020 79{number(random, 2)} {number(random, 4)}",
            f"06 {' '.join(number(random, 2) for _ in range(4))}".replace("06 ", "06.").replace(" ", "."),
        ]
    )


def ip(random: Random) -> str:
    if random.random() < 0.5:
        return str(ipaddress.IPv4Address(random.randrange(1 << 24, 224 << 24)))
    return str(ipaddress.IPv6Address((0x20010DB8 << 96) | random.getrandbits(64)))


def mac(random: Random) -> str:
    return random.choice(":-").join(f"{random.randrange(256):02x}" for _ in range(6))


def bitcoin(random: Random, wrong: bool = False) -> str:
    data = b"\0" + random.randbytes(20)
    check = bytearray(sha256(sha256(data).digest()).digest()[:4])
    check[0] ^= wrong
    value, text = int.from_bytes(data + check, "big"), ""
    while value:
        value, rest = divmod(value, 58)
        text = _BASE58[rest] + text
    return "1" + text


def dni(random: Random, wrong: bool = False) -> str:
    digits = number(random, 8)
    at = int(digits) % 23
    return digits + "TRWAGMYFPDXBNJZSQVHLCKE"[(at + (random.randrange(1, 23) if wrong else 0)) % 23]


def cpf(random: Random, wrong: bool = False) -> str:
    digits = number(random, 9)
    for size in (10, 11):
        total = sum(int(char) * weight for char, weight in zip(digits, range(size, 1, -1), strict=True))
        digits += str(total * 10 % 11 % 10)
    last = str((int(digits[10]) + random.randrange(1, 10)) % 10) if wrong else digits[10]
    return f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9]}{last}"


# Kind → one of it. Those with a checksum or a closed form: none may be missed.
CHECKED: dict[str, Make] = {
    "credit_card": card,
    "iban": iban,
    "us_ssn": ssn,
    "email": email,
    "mac_address": mac,
    "ip_address": ip,
    "crypto_address": bitcoin,
}
LOOSE: dict[str, Make] = {"phone": phone, "national_id": lambda random: random.choice([dni, cpf])(random)}
# What is none of it.
NEAR_MISSES: tuple[Make, ...] = (
    lambda random: card(random, wrong=True),
    lambda random: iban(random, wrong=True),
    lambda random: ssn(random, wrong=True),
    lambda random: bitcoin(random, wrong=True),
    lambda random: dni(random, wrong=True),
    lambda random: cpf(random, wrong=True),
    lambda random: f"order {number(random, 8, '8')}",
    lambda random: f"{random.getrandbits(128):032x}",
    lambda random: f"{random.getrandbits(160):040x}",
    lambda random: "-".join(f"{random.getrandbits(4 * size):0{size}x}" for size in (8, 4, 4, 4, 12)),
    lambda random: f"version {random.randrange(9)}.{random.randrange(20)}.{random.randrange(99)}",
    lambda random: f"v{random.randrange(9)}.{random.randrange(20)}.{random.randrange(99)}.{random.randrange(99)}",
    lambda random: f"{random.randrange(2000, 2030)}-{random.randrange(1, 13):02d}-{random.randrange(1, 29):02d}",
    lambda random: f"{random.randrange(24):02d}:{random.randrange(60):02d}:{random.randrange(60):02d}",
    lambda random: f"${random.randrange(10**6):,}.{random.randrange(100):02d}",
    lambda random: f"{random.random():.12f}",
    lambda random: f"logo@{random.randrange(2, 4)}x.png",
    lambda random: f"@{random.choice(_NAMES)} and user@localhost",
    lambda random: f"999.{random.randrange(256)}.1.{random.randrange(300, 999)}",
    lambda random: f"ISBN 978-{random.randrange(10)}-{number(random, 3)}-{number(random, 5)}-{random.randrange(10)}",
)
AROUND = (
    "Please look at {} for me.",
    "{}",
    "It is {}, as I said",
    '{{"value": "{}", "other": 1}}',
    "first\n{}\nlast",
    "(see: {})",
    "Die Angabe lautet {}; bitte prüfen.",
    "値は{} です",
)
