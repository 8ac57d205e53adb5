"""Published examples of numbers with checksums, each of which is wrong with any other last digit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from policies.guardrails import _checksums as sums

GOOD: list[tuple[Callable[[str], bool], str]] = [
    (sums.payment_card, "4111 1111 1111 1111"),
    (sums.payment_card, "378282246310005"),
    (sums.payment_card, "30569309025904"),
    (sums.iban, "DE89 3704 0044 0532 0130 00"),
    (sums.nhs, "943 476 5919"),
    (sums.bsn, "111222333"),
    (sums.nir, "2 55 08 14 168 025 38"),
    (sums.german_tax_id, "86095742719"),
    (sums.pesel, "44051401359"),
    (sums.personnummer, "811218-9876"),
    (sums.cpf, "529.982.247-25"),
    (sums.aadhaar, "2345 6789 0124"),
    (sums.sin, "130 692 544"),
]


@pytest.mark.parametrize(("judge", "text"), GOOD, ids=[text for _, text in GOOD])
def test_no_other_last_digit_is_right(judge: Callable[[str], bool], text: str) -> None:
    assert [digit for digit in "0123456789" if judge(text[:-1] + digit)] == [text[-1]]


@pytest.mark.parametrize(
    ("judge", "text"),
    [
        (sums.iban, "GB82 WEST 1234 5698 7654 32"),
        (sums.dni, "12345678Z"),
        (sums.dni, "X1234567L"),
        (sums.codice_fiscale, "RSSMRA85T10A562S"),
        (sums.bitcoin, "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        (sums.bitcoin, "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
    ],
)
def test_letters_too(judge: Callable[[str], bool], text: str) -> None:
    assert judge(text)
    assert not judge(text[:-2] + text[-1] + text[-2])


def test_lengths_and_ranges() -> None:
    assert sums.iban_length("DE89370400440532013000 and more") == 22
    assert sums.iban_length("XX89") == sums.iban_length("DE89") == 0
    assert not sums.us_ssn("666-12-3456")
    assert not sums.payment_card("9111 1111 1111 1111")
