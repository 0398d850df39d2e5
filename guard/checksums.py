"""Check digits of numbers that belong to people.  Each takes the number without separators.

A number drawn at random passes one of these once in ten, or once in a hundred: where that is too
often, the rule that asks also wants the number's name beside it.
"""

from __future__ import annotations

import re

_ISSUED_CARDS = re.compile(r"4\d{15}|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|6(?:011|5\d\d)\d{12}|35\d{14}")
_TEST_CARDS = re.compile(
    r"4(?:1{15}|242424242424242|0{12}\d{3}|012888888881881|222222222222|0000\d{11})|5555555555554444|510510510510510[0-9]"
    r"|5200828282828210|2223003122003222|378282246310005|371449635398431|378734493671000|6011111111111117"
    r"|6011000990139424|30569309025904|38520000023237|3530111333300000|3566002020360505|(\d)\1{12,18}"
)


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_card(number: str) -> bool:
    """A payment card as issued: not one of the numbers that payment services publish for tests."""
    return (
        _ISSUED_CARDS.fullmatch(number) is not None
        and _TEST_CARDS.fullmatch(number) is None
        and len(set(number)) > 4
        and luhn(number)
    )


_IBAN_LENGTHS = {
    row[:2]: int(row[2:])
    for row in (
        *(
            "AT20",
            "BE16",
            "BG22",
            "CH21",
            "CY28",
            "CZ24",
            "DE22",
            "DK18",
            "EE20",
            "ES24",
            "FI18",
            "FR27",
            "GB22",
        ),
        *(
            "GR27",
            "HR21",
            "HU28",
            "IE22",
            "IS26",
            "IT27",
            "LI21",
            "LT20",
            "LU20",
            "LV21",
            "MC27",
            "MT31",
            "NL18",
        ),
        *(
            "NO15",
            "PL28",
            "PT25",
            "RO24",
            "RS22",
            "SE24",
            "SI19",
            "SK24",
            "SM27",
            "TR26",
            "UA29",
            "AE23",
            "SA24",
        ),
        *("IL23", "BR29", "KZ20", "PK24", "QA29", "KW30", "EG29", "GE22", "MD24", "AL28", "BA20"),
    )
}
_PUBLISHED_IBANS = frozenset(
    {
        "GB82WEST12345698765432",
        "GB29NWBK60161331926819",
        "GB33BUKB20201555555555",
        "DE89370400440532013000",
        "DE91100000000123456789",
        "FR1420041010050500013M02606",
        "FR7630006000011234567890189",
        "NL91ABNA0417164300",
        "ES9121000418450200051332",
        "IT60X0542811101000000123456",
        "BE68539007547034",
        "CH9300762011623852957",
        "AT611904300234573201",
    }
)


def is_iban(number: str) -> bool:
    """ISO 13616: the country's length, and 1 modulo 97; not the examples of the registry."""
    if _IBAN_LENGTHS.get(number[:2]) != len(number) or number in _PUBLISHED_IBANS:
        return False
    return int("".join(str(int(letter, 36)) for letter in number[4:] + number[:4])) % 97 == 1


def is_ssn(number: str) -> bool:
    """Has no check digit, but areas, groups and serials that were never given out."""
    area, group, serial = number[:3], number[3:5], number[5:]
    if area in ("000", "666") or area >= "900" or group == "00" or serial == "0000":
        return False
    return (
        number not in ("123456789", "078051120", "219099999", "111223333", "457555462")
        and len(set(number)) > 3
    )


def _weighted(digits: str, weights: tuple[int, ...]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def is_cpf(number: str) -> bool:
    if len(set(number)) == 1 or number == "12345678909":
        return False
    first = _weighted(number, tuple(range(10, 1, -1))) * 10 % 11 % 10
    second = _weighted(number, tuple(range(11, 1, -1))) * 10 % 11 % 10
    return number[9:] == f"{first}{second}"


def is_dni(number: str) -> bool:
    digits = number[:-1].replace("X", "0", 1).replace("Y", "1", 1).replace("Z", "2", 1)
    plain = digits not in ("12345678", "00000000", "01234567") and len(digits) == 8
    return plain and "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == number[-1]


_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21) * 2 + (2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)


def is_codice_fiscale(number: str) -> bool:
    total = 0
    for place, letter in enumerate(number[:15]):
        value = int(letter) if letter.isdigit() else ord(letter) - ord("A")
        total += value if place % 2 else _ODD[letter]
    return number != "RSSMRA85T10A562S" and chr(ord("A") + total % 26) == number[15]


def is_nir(number: str) -> bool:
    return len(number) == 15 and 97 - int(number[:13]) % 97 == int(number[13:])


def is_pesel(number: str) -> bool:
    control = -_weighted(number, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3)) % 10
    return len(set(number)) > 2 and control == int(number[10])


def is_bsn(number: str) -> bool:
    plain = number not in ("123456782", "111222333") and len(set(number)) > 2
    return plain and _weighted(number, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def is_nhs(number: str) -> bool:
    control = 11 - _weighted(number, tuple(range(10, 1, -1))) % 11
    return number != "9434765919" and len(set(number)) > 2 and control % 11 == int(number[9])


_TURNS = ((0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 5, 7, 6, 2, 8, 3, 0, 9, 4))


def is_verhoeff(number: str) -> bool:
    """Verhoeff (1969): multiplication in the group of turns and flips of a pentagon."""
    control = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit)
        for _ in range(place % 8):
            value = _TURNS[1][value]
        control = _pentagon(control, value)
    return control == 0 and len(set(number)) > 2


def _pentagon(a: int, b: int) -> int:
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
    return 5 + (a - b) % 5 if b < 5 else (a - b) % 5
