"""Data of people is replaced, noted or withheld; numbers and names that are nobody's are left alone."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truepenny.guard.checksums import is_card, is_iban, luhn
from truepenny.guard.personal import PersonalCheck
from truepenny.guard.pipeline import Guard
from truepenny.guard.verdict import Action, Passage, Verdict

# Made up for these tests, with check digits that are right.
SOMEBODYS = [
    ("AUTHOR = 'maria.kowalska@gmail.com'", "email", Action.REPAIR),
    ("# written by h.tanaka@riken.jp", "email", Action.REPAIR),
    ("mailto:linus.t@kernel.org", "email", Action.REPAIR),
    ("call +44 20 7123 4821 now", "phone", Action.ANNOTATE),
    ("tel = '+1 (415) 832-9934'", "phone", Action.ANNOTATE),
    ("phone: (415) 832-9934", "phone", Action.ANNOTATE),
    ("HOST = '52.14.88.201'", "ip", Action.ANNOTATE),
    ("HOST = 'http://52.14.88.201:80/'", "ip", Action.ANNOTATE),
    ("addr = '2a03:2880:f10c:283:face:b00c:0:25de'", "ip", Action.ANNOTATE),
    ("n = '4539 5787 6362 1486'", "card", Action.WITHHOLD),
    ("card_number = 4539578763621486", "card", Action.WITHHOLD),
    ("iban = 'DE44 5001 0517 5407 3249 31'", "iban", Action.WITHHOLD),
    ("ssn = '536-22-8741'", "us-ssn", Action.WITHHOLD),
    ("cpf = '529.982.247-25'", "br-cpf", Action.WITHHOLD),
    ("pesel = '44051401359'", "pl-pesel", Action.WITHHOLD),
    ("aadhaar = '2341 2341 2346'", "in-aadhaar", Action.WITHHOLD),
]

NOBODYS = [
    "x = q@k.transpose(0, 1)",
    "y = torch@v.to(x)",
    "@app.route('/x')",
    "to = 'user@example.com'",
    "to = 'noreply@acme.io', 'info@acme.io', 'john.doe@gmail.com'",
    "git clone git@github.com:a/b.git",
    "npm install left@1.2.3 @types/node@20.1.0",
    "url = 'https://me:pw@host.com/x'",
    "1234+me@users.noreply.github.com",
    "version = '10.23.44.91'",
    "Chrome/91.0.4472.124 Safari/537.36",
    "bind('0.0.0.0'); get('127.0.0.1', '192.168.1.20', '10.1.2.3', '203.0.113.9')",
    "dns = '8.8.8.8'",
    "oid = '1.3.6.1.4.1.311'",
    "mac = '00:1B:44:11:3A:B7'",
    "addr = '2001:db8::1', 'fe80::1', '::1'",
    "at = '2024-01-02 12:34:56'; t = 1700000000123",
    "pi = 3.14159265358979323846",
    "card = '4111 1111 1111 1111', '4242424242424242', '5555555555554444'",
    "n = 4539578763621486",
    "n = '4539 5787 6362 1487'",
    "iban = 'DE89370400440532013000'",
    "phone = '+1 555 555 0123', '555-0100', '+1 234 567 8900'",
    "call('123-456-7890')",
    "isbn = '978-3-16-148410-0'",
    "digits = '44051401359'",
    "ssn = '000-12-3456', '123-45-6789'",
    "id = '123e4567-e89b-12d3-a456-426614174000'",
    "range = 100-200-3000",
]


def findings(text: str, before: str = "") -> tuple[Verdict, ...]:
    return PersonalCheck().judge(Passage(before, text, "", "python"))


@pytest.mark.parametrize(("text", "kind", "action"), SOMEBODYS)
def test_somebodys_data_is_found(text: str, kind: str, action: Action):
    """By its form and its check digits; evidence never repeats it."""
    (verdict,) = findings(text)
    assert (verdict.rule, verdict.action, verdict.kind) == (f"personal/{kind}", action, "personal")
    assert text[verdict.start : verdict.end] not in verdict.evidence


@pytest.mark.parametrize("text", NOBODYS)
def test_nobodys_data_is_left_alone(text: str):
    """Versions, times, decorators, placeholders, private networks, published test numbers."""
    assert findings(text) == ()


def test_an_address_is_replaced_once_and_for_all():
    """What stands in for it belongs to nobody, so the repaired text is clean."""
    judgement = Guard([PersonalCheck()]).judge(Passage("", "a = 'm.kowalska@gmail.com'", "", "python"))
    assert (judgement.text, judgement.action) == ("a = 'someone@example.com'", Action.REPAIR)
    assert findings(judgement.text) == ()


def test_a_record_of_somebody_is_withheld():
    """Two kinds on one line are about one person."""
    phone, mail = findings("('+1 650 832 1174', 'jo.kim@yahoo.com')")
    assert (phone.action, mail.action) == (Action.WITHHOLD, Action.REPAIR)
    apart = findings("p = '+1 650 832 1174'\nm = 'jo.kim@yahoo.com'")
    assert [one.action for one in apart] == [Action.ANNOTATE, Action.REPAIR]


def test_what_the_file_holds_already_is_the_persons_own():
    """Repeating it discloses nothing."""
    assert findings("b = 'jo.kim@yahoo.com'", before="a = 'jo.kim@yahoo.com'\n") == ()


@given(st.integers(0, 10**14), st.integers(0, 14), st.integers(1, 9))
def test_a_check_digit_catches_every_single_slip(number: int, place: int, slip: int):
    """What Luhn's formula promises."""
    digits = f"{number:015d}"
    right = next(digits + str(last) for last in range(10) if luhn(digits + str(last)))
    wrong = right[:place] + str((int(right[place]) + slip) % 10) + right[place + 1 :]
    assert not luhn(wrong)


def test_few_numbers_drawn_at_random_are_accounts():
    """One in ten has a right last digit; length, issuer and prefix leave far fewer."""
    rng = random.Random(3)
    drawn = ["".join(rng.choices("0123456789", k=16)) for _ in range(5_000)]
    assert 50 < sum(map(is_card, drawn)) < 250
    assert sum(is_iban("DE" + one + "0000") for one in drawn) < 100


@given(st.text(max_size=300) | st.text("0123456789 .-@+:abc()/", max_size=200))
def test_any_text_is_judged(text: str):
    """A verdict on a span inside the text, never an error."""
    assert all(0 <= one.start < one.end <= len(text) for one in findings(text))


@pytest.mark.parametrize(
    "text", ["1 " * 4_000, "a@" * 4_000, "a." * 4_000 + "@", "+1" * 4_000, "1:" * 4_000, "A1" * 4_000]
)
def test_no_text_makes_a_pattern_run_away(text: str):
    """Some kilobytes of one word end in well under the deadline of a request."""
    findings(text)
