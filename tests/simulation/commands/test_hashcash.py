"""Hashcash stamps: the published one, what is refused and why, and what minting costs."""

from datetime import UTC, datetime, timedelta
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.commands.hashcash import StampFault, count_zero_bits, judge_stamp, mint_stamp, parse_stamp

PUBLISHED = "1:20:1303030600:adam@cypherspace.org::McMybZIhxKXu57jd:ckvi"
"""The example of Back's own description."""

THEN = datetime(2013, 3, 3, 6, 0, tzinfo=UTC)
NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


def test_the_published_stamp_is_good_and_altered_ones_are_not() -> None:
    assert count_zero_bits(PUBLISHED) == 20
    assert judge_stamp(PUBLISHED, bits=20, now=THEN, resource="adam@cypherspace.org") is None
    for altered, bits in (
        (PUBLISHED.replace("adam", "anni"), 3),
        (PUBLISHED.replace("adam", "anni").replace("ZI", "Zl"), 0),
    ):
        assert count_zero_bits(altered) == bits
        assert judge_stamp(altered, bits=20, now=THEN) is StampFault.NO_WORK


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", StampFault.MALFORMED),
        ("0:20:130303:adam::x:y", StampFault.MALFORMED),
        (PUBLISHED + ":more", StampFault.MALFORMED),
        (PUBLISHED.replace(":20:", ":-20:"), StampFault.MALFORMED),
        (PUBLISHED.replace(":20:", ":020:"), StampFault.MALFORMED),
        (PUBLISHED.replace("1303030600", "1313030600"), StampFault.MALFORMED),
        (PUBLISHED.replace("adam", "äдам"), StampFault.MALFORMED),
        (PUBLISHED.replace(":20:", ":19:"), StampFault.TOO_CHEAP),
        (PUBLISHED.replace(":20:", ":21:"), StampFault.NO_WORK),
        (PUBLISHED.replace("adam@", "eve@"), StampFault.OTHER_RESOURCE),
    ],
)
def test_what_is_wrong_with_a_stamp_is_said(text: str, fault: StampFault) -> None:
    assert judge_stamp(text, bits=20, now=THEN, resource="adam@cypherspace.org") is fault


@pytest.mark.parametrize(
    ("days", "valid", "fault"),
    [
        (-3, 28, StampFault.NOT_YET),
        (-1, 28, None),
        (29, 28, None),
        (31, 28, StampFault.EXPIRED),
        (3650, None, None),
    ],
)
def test_a_stamp_is_good_for_its_time(days: int, valid: int | None, fault: StampFault | None) -> None:
    limit = None if valid is None else timedelta(days=valid)
    assert judge_stamp(PUBLISHED, bits=20, now=THEN + timedelta(days=days), valid=limit) is fault


def test_a_stamp_is_good_once() -> None:
    assert judge_stamp(PUBLISHED, bits=20, now=THEN, spent={PUBLISHED}) is StampFault.SPENT


@given(st.integers(0, 10), st.text(alphabet="abcXYZ019@.+/=", min_size=1, max_size=20), st.text("abc=1;", max_size=9))
def test_what_is_minted_is_good(bits: int, resource: str, extension: str) -> None:
    text, _ = mint_stamp(resource, bits=bits, now=NOW, random="r4nd0m", extension=extension)
    assert judge_stamp(text, bits=bits, now=NOW, resource=resource) is None
    stamp = parse_stamp(text)
    assert stamp is not None
    assert (stamp.resource, stamp.extension, stamp.date) == (resource, extension, "2601020304")


@pytest.mark.parametrize("field", ["", "a:b", "tab\t", "naïve", "line\n"])
def test_what_would_be_no_stamp_is_not_minted(field: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII without a colon"):
        mint_stamp(field, bits=1, now=NOW, random="x")


def test_minting_takes_two_to_the_bits_hashes_on_average() -> None:
    tries = [mint_stamp("list", bits=6, now=NOW, random=str(number))[1] for number in range(2_000)]
    mean, deviation = 64, sqrt(1 - 1 / 64) * 64  # of the geometric distribution
    assert abs(sum(tries) / len(tries) - mean) < 4 * deviation / sqrt(len(tries))
