"""Secrets of the forms that services give them, and what only looks like them."""

from __future__ import annotations

import base64
import json
import string
import zlib
from collections.abc import Callable
from random import Random

Make = Callable[[Random], str]
_WORD = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"
_BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def chars(random: Random, size: int, alphabet: str = _WORD) -> str:
    """Chance's letters, with a digit among them."""
    digits = [char for char in alphabet if char.isdigit()] or list(alphabet)
    text = [random.choice(alphabet) for _ in range(size)]
    text[size // 2] = random.choice(digits)
    letters = [char for char in alphabet if char.isalpha()]
    text[size // 3] = random.choice(letters)
    return "".join(text)


def github(random: Random) -> str:
    body, check, written = chars(random, 30), 0, ""
    check = zlib.crc32(body.encode())
    while check:
        check, rest = divmod(check, 62)
        written = _BASE62[rest] + written
    return f"ghp_{body}{written.rjust(6, '0')}"


def jwt(random: Random) -> str:
    def part(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part({'sub': chars(random, 12)})}.{chars(random, 43)}"


def private_key(random: Random) -> str:
    kind = random.choice(["RSA ", "EC ", "OPENSSH ", ""])
    body = "\n".join(chars(random, 64, _WORD + "+/") for _ in range(random.randrange(2, 20)))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}==\n-----END {kind}PRIVATE KEY-----"


FORMS: dict[str, Make] = {
    "aws_access_key": lambda random: "AKIA" + chars(random, 16, string.ascii_uppercase + "234567"),
    "github_token": github,
    "gitlab_token": lambda random: "glpat-" + chars(random, 20),
    "openai_key": lambda random: "sk-proj-" + chars(random, 74) + "T3BlbkFJ" + chars(random, 74),
    "anthropic_key": lambda random: "sk-ant-api03-" + chars(random, 93) + "AA",
    "google_key": lambda random: "AIza" + chars(random, 35),
    "slack_token": lambda random: f"xoxb-{chars(random, 12, string.digits + 'A')}-{chars(random, 24)}",
    "stripe_key": lambda random: "sk_live_" + chars(random, 24),
    "sendgrid_key": lambda random: f"SG.{chars(random, 22)}.{chars(random, 43)}",
    "npm_token": lambda random: "npm_" + chars(random, 36),
    "hugging_face_token": lambda random: "hf_" + chars(random, 34),
    "digitalocean_token": lambda random: "dop_v1_" + chars(random, 64, _HEX),
    "telegram_token": lambda random: f"{random.randrange(10**8, 10**9)}:AA{chars(random, 33)}",
    "azure_storage_key": lambda random: f"AccountKey={chars(random, 86)}==",
    "jwt": jwt,
    "private_key": private_key,
}
# Kind → (what stands before the secret, a secret, what stands behind it).
SAID: dict[str, Callable[[Random], tuple[str, str, str]]] = {
    "connection_string": lambda random: ("postgres://app:", chars(random, 14), "@db.internal:5432/app"),
    "aws_secret_key": lambda random: ("aws_secret_access_key = ", chars(random, 40, _WORD + "/+"), ""),
    "authorization": lambda random: ("Authorization: Bearer ", chars(random, 40), ""),
    "generic_secret": lambda random: (
        random.choice(["password: ", "DB_PASSWORD=", '"api_key": "', "client_secret = '", "export APP_TOKEN="]),
        chars(random, random.randrange(14, 40)),
        "",
    ),
}
NEAR_MISSES: tuple[Make, ...] = (
    lambda random: "AKIA" + chars(random, 12, string.ascii_uppercase),
    lambda random: "ghp_" + chars(random, 20),
    lambda random: "sk-your-api-key-goes-here-please",
    lambda random: "set OPENAI_API_KEY to sk-...",
    lambda random: "api_key: ${API_KEY}",
    lambda random: "password = getpass.getpass()",
    lambda random: "token = tokenizer.encode(text)",
    lambda random: "password: <your password>",
    lambda random: "https://user:password@localhost/",
    lambda random: f"{random.getrandbits(160):040x}",
    lambda random: f"sha256:{random.getrandbits(256):064x}",
    lambda random: "-".join(f"{random.getrandbits(4 * size):0{size}x}" for size in (8, 4, 4, 4, 12)),
    lambda random: base64.b64encode(random.randbytes(48)).decode(),
    lambda random: "-----BEGIN PUBLIC KEY-----\n" + chars(random, 64) + "\n-----END PUBLIC KEY-----",
    lambda random: "a file that begins with -----BEGIN PRIVATE KEY----- is one",
    lambda random: "the token is expired and the password is wrong",
    lambda random: f"commit {random.getrandbits(28):07x} fixes secret handling",
    lambda random: "eyJ is how it begins. eyJhbGciOi.x.y",
    lambda random: "sk-learn and sk-image are not keys, nor is risk-management-of-large-projects-2024",
    lambda random: "the secret: never give up, ever",
)
AROUND = ("My key is {} ok", "{}", "KEY={}\nNEXT=1", '{{"key": "{}"}}', "`{}`", "use {}, please", "鍵は{}です")
