"""Which texts are numbers, dates, addresses and bytes, and which stay uncompared."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from ipaddress import ip_address, ip_network

import pytest

from openai_ekm.evaluation.conditions import boolean, date, ip, null, numeric, string
from openai_ekm.evaluation.conditions.evaluate import MATCHES

NOON = 12 * 3600


@pytest.mark.parametrize(
    "text", ["0", "-1", "+1", "007", "1.50", "-0.5", "9" * 64, "1" * 60 + ".1234"]
)
def test_a_number_is_read(text: str) -> None:
    """An integer or a decimal of a policy is not compared."""
    assert numeric.number(text) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        ".5",
        "5.",
        "-",
        "-.5",
        "--1",
        "+-1",
        "1.2.3",
        "1e3",
        "1_0",
        "٣",
        "9" * 65,
        " 1",
        "1.٣",
    ],
)
def test_what_is_no_number_is_not_compared(text: str) -> None:
    """A text that AWS may not take for a number is compared as one."""
    assert numeric.number(text) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("12345", 12345),
        ("-12345", -12345),
        ("-99", -99),
        ("123", 123),
        ("1.25", Fraction(5, 4)),
        ("-1.25", Fraction(-5, 4)),
        ("1970-01", 0),
        ("1970-02", 31 * 86400),
        ("1970-01-02", 86400),
        ("1970-01-01T12:00Z", NOON),
        ("1970-01-01T12:00:01Z", NOON + 1),
        ("1970-01-01T12:00:00.25Z", NOON + Fraction(1, 4)),
        ("1970-01-01T23:59:59Z", 86399),
        ("1970-01-01T12:00+01:00", NOON - 3600),
        ("1970-01-01T12:00-01:30", NOON + 5400),
        ("1970-01-01T12:00:00.5+00:30", NOON - 1800 + Fraction(1, 2)),
        ("1969-12-31T23:59:59Z", -1),
        ("1" * 64, int("1" * 64)),
    ],
)
def test_a_date_is_an_instant(text: str, seconds: Fraction) -> None:
    """A form of date that the page lists is not read, or as another instant."""
    assert date.instant(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "-",
        "1" * 65,
        "1970",
        "2026",
        "1.",
        ".5",
        "--1",
        "1.x",
        "x.1",
        "1970-1",
        "70-01",
        "1970-01-1",
        "1970-01-01-01",
        "1970-13-01",
        "1970-02-30",
        "1970-0x",
        "1970-01T12:00Z",
        "1970T12:00Z",
        "1970-01-01T",
        "1970-01-01TZ",
        "1970-01-01T12Z",
        "1970-01-01T12:00",
        "1970-01-01T1:00Z",
        "1970-01-01T12:0Z",
        "1970-01-01T12:00:0Z",
        "1970-01-01T12:00:00:00Z",
        "1970-01-01T24:00Z",
        "1970-01-01T12:60Z",
        "1970-01-01T12:00:60Z",
        "1970-01-01T12:00.5Z",
        "1970-01-01T12:00:00.Z",
        "1970-01-01T12:00:00.xZ",
        "1970-01-01T1x:00Z",
        "1970-01-01T12:00*01:00",
        "1970-01-01T12:00+1:00",
        "1970-01-01T12:00+24:00",
        "1970-01-01T12:00+01:60",
        "1970-01-01T12:00+00",
        "1970-01-01T12:00:00+01:00:00",
        "1970-01-01t12:00Z",
        "١٢٣٤٥",
        "1970-01-01T12:00Z ",
    ],
)
def test_what_is_no_date_is_not_compared(text: str) -> None:
    """A text that AWS may not take for a date, or for two, is compared as one."""
    assert date.instant(text) is None


@pytest.mark.parametrize("text", ["10.0.0.1", "10.0.0.1/8", "0.0.0.0/0", "2001:db8::1/32", "::1"])
def test_a_range_is_read(text: str) -> None:
    """A range of a policy is not compared, or its host bits count."""
    assert ip.network(text) == ip_network(text, strict=False)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/-1",
        "10.0.0.0/٨",
        "10.0.0.0/08",
        "0.0.0.0/00",
        "2001:db8::/032",
        "fe80::1%1",
        "fe80::%1/64",
        "/8",
    ],
)
def test_what_is_no_range_is_not_compared(text: str) -> None:
    """A text that is no range of AWS's is taken for one."""
    assert ip.network(text) is None


def test_an_address_is_read() -> None:
    """An address is not compared, or one that may be two is."""
    for text in ("10.0.0.1", "2001:db8::1"):
        assert ip.address(text) == ip_address(text)
    for text in ("", "10.0.0.0/8", "fe80::1%1", "::ffff:10.0.0.1"):
        assert ip.address(text) is None


@pytest.mark.parametrize(
    ("wanted", "found", "verdict"),
    [
        ("10.0.0.0/8", "10.1.1.1", True),
        ("10.0.0.0/8", "11.1.1.1", False),
        ("10.0.0.0/8", "::1", False),
        ("::/0", "10.0.0.1", False),
        ("::/0", "::1", True),
        ("2001:db8::1", "2001:db8::1", True),
        ("2001:db8::1", "2001:db8::2", None),
        ("2001:db8::1", "2001:db8:8000::1", None),
        ("2001:db8::1", "2001:db9::1", False),
        ("2001:db8::1/128", "2001:db8::2", False),
        ("10.0.0.1", "10.0.0.2", False),
        ("x", "10.0.0.1", None),
        ("10.0.0.1", "x", None),
    ],
)
def test_an_address_lies_in_a_range(wanted: str, found: str, verdict: bool | None) -> None:
    """An address passes for one inside a range, or a question that AWS leaves open is answered."""
    assert ip.within(wanted, found) is verdict


@pytest.mark.parametrize(
    ("wanted", "found", "verdict"),
    [
        ("QQ==", "QQ==", True),
        ("QQ==", "Qg==", False),
        ("", "", True),
        ("QQ", "QQ==", None),
        ("QQ==", "QQ", None),
        ("Q Q==", "QQ==", None),
        ("QQ==", "QQ==\n", None),
        ("QQ==", "!", None),
    ],
)
def test_bytes_are_compared(wanted: str, found: str, verdict: bool | None) -> None:
    """Text that is not base 64 throughout passes for bytes."""
    assert MATCHES["BinaryEquals"](wanted, found) is verdict


@pytest.mark.parametrize(
    ("wanted", "found", "verdict"),
    [
        ("Ab", "aB", True),
        ("Ab", "Ab", True),
        ("Ab", "Ac", False),
        ("Ä", "Ä", True),
        ("Ä", "ä", None),
        ("Ä", "ö", False),
        ("A", "ä", False),
        ("\u017f", "s", None),
        ("s", "\u017f", None),
        ("I", "\u0131", None),
        ("i", "\u0130", None),
        ("k", "\u212a", None),
    ],
)
def test_case_is_ignored_where_it_is_defined(wanted: str, found: str, verdict: bool | None) -> None:
    """Letters outside ASCII are held equal or different where AWS does not say."""
    assert string.equals_ignore_case(wanted, found) is verdict


def test_a_truth_is_one_of_two_words() -> None:
    """Another word is taken for true or false."""
    words = {"true": True, "TRUE": True, "false": False, "False": False, "1": None, "": None}
    for text, read in words.items():
        assert boolean.truth(text) is read
        for other, second in words.items():
            equal = None if read is None or second is None else read is second
            assert MATCHES["Bool"](text, other) is equal


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (None, True),
        ((), True),
        ("", None),
        (("",), None),
        (("", ""), None),
        ("x", False),
        (("x",), False),
        (("", "x"), False),
    ],
)
def test_a_key_is_absent_or_not(found: str | tuple[str, ...] | None, verdict: bool | None) -> None:
    """Null holds, or fails, where AWS says otherwise or does not say."""
    assert null.absent("true", found) is verdict
    assert null.absent("False", found) is (None if verdict is None else not verdict)
    assert null.absent("x", found) is None


@pytest.mark.parametrize("family", ["Numeric", "Date"])
def test_values_are_ordered(family: str) -> None:
    """An order holds the other way round, at its bound, or for what is no value."""
    orders = {
        "Equals": (False, True, False),
        "LessThan": (True, False, False),
        "LessThanEquals": (True, True, False),
        "GreaterThan": (False, False, True),
        "GreaterThanEquals": (False, True, True),
    }
    for order, verdicts in orders.items():
        compare = MATCHES[f"{family}{order}"]
        assert tuple(compare("100", found) for found in ("99", "100", "101")) == verdicts
        assert compare("100", "x") is None
        assert compare("x", "100") is None
        assert compare("x", "x") is None


def test_a_date_is_before_another() -> None:
    """Guards against: a moment that is past counted as one to come, or a text as a date."""
    orders = {("1999", "2000"): False, ("100", "101"): True, ("100", "100"): False}
    for (one, other), before in orders.items():
        assert date.is_before(one, other) is before
    assert not date.is_before("x", "100")
    assert not date.is_before("100", "x")
