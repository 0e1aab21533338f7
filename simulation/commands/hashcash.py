"""Hashcash stamps, version 1: a small proof of work for one message to one recipient, checked by one hash.

Back, "Hashcash - a denial of service counter-measure" (2002). A stamp is
``1:bits:date:resource:extension:random:counter``, and its SHA-1 begins with at least as many zero bits as it claims.
The date is of the form YYMMDD, YYMMDDhhmm or YYMMDDhhmmss, in UTC. SHA-1 is no longer safe against collisions; a stamp
needs only that a hash with many zero bits is found by trying.
"""

import hashlib
from collections.abc import Container
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import count
from typing import Final

import msgspec

MAX_BITS: Final = 160
"""Bits of a SHA-1 digest."""

GRACE: Final = timedelta(days=2)
"""How far clocks may lie apart: by so much a stamp may be dated ahead, or outlive its time."""

VALID_DAYS: Final = 28
"""Days for which a stamp is good, unless its checker says otherwise."""

DATE_FORMATS: Final = {6: "%y%m%d", 10: "%y%m%d%H%M", 12: "%y%m%d%H%M%S"}
"""How a date is written, by its length."""

FIELDS: Final = 7


class StampFault(Enum):
    """Why a stamp is refused."""

    MALFORMED = "malformed"
    TOO_CHEAP = "too-cheap"
    """It claims fewer bits than are wanted."""
    NO_WORK = "no-work"
    """Its hash has fewer zero bits than it claims."""
    OTHER_RESOURCE = "other-resource"
    NOT_YET = "not-yet"
    EXPIRED = "expired"
    SPENT = "spent"


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """What a stamp says."""

    bits: int
    """Zero bits that it claims."""
    date: str
    resource: str
    """Whom or what it is for."""
    extension: str = ""
    random: str
    """Keeps stamps of different senders apart."""
    counter: str

    @property
    def text(self) -> str:
        """The stamp as it is sent."""
        return f"1:{self.bits}:{self.date}:{self.resource}:{self.extension}:{self.random}:{self.counter}"

    @property
    def made_at(self) -> datetime:
        """The time it is dated.

        Raises:
            ValueError: The date is none.
        """
        return datetime.strptime(self.date, DATE_FORMATS.get(len(self.date), "")).replace(tzinfo=UTC)


def parse_stamp(text: str) -> Stamp | None:
    """Return what a stamp says; None if it is no stamp of version 1."""
    fields = text.split(":")
    if len(fields) != FIELDS or fields[0] != "1" or not text.isascii() or not text.isprintable():
        return None
    _, bits, date, resource, extension, random, counter = fields
    if not bits.isdecimal() or len(bits) > len(str(MAX_BITS)) or not date.isdecimal():
        return None
    stamp = Stamp(bits=int(bits), date=date, resource=resource, extension=extension, random=random, counter=counter)
    try:
        _ = stamp.made_at
    except ValueError:
        return None
    return stamp if resource and stamp.text == text else None


def count_zero_bits(text: str) -> int:
    """Return how many zero bits the SHA-1 of a stamp begins with."""
    return MAX_BITS - int.from_bytes(hashlib.sha1(text.encode(), usedforsecurity=False).digest(), "big").bit_length()


def judge_stamp(
    text: str,
    *,
    bits: int,
    now: datetime,
    resource: str | None = None,
    valid: timedelta | None = timedelta(days=VALID_DAYS),
    spent: Container[str] = frozenset(),
) -> StampFault | None:
    """Return why a stamp is refused, or None if it is good. What costs least is looked at first.

    Args:
        text: The stamp.
        bits: Zero bits that are wanted at least.
        now: The checker's clock, with a time zone.
        resource: What it must be for; None for anything.
        valid: For how long it is good after its date; None for ever.
        spent: Stamps that have been taken before.
    """
    stamp = parse_stamp(text)
    if stamp is None:
        return StampFault.MALFORMED
    if stamp.bits < bits:
        return StampFault.TOO_CHEAP
    if resource is not None and stamp.resource != resource:
        return StampFault.OTHER_RESOURCE
    if stamp.made_at > now + GRACE:
        return StampFault.NOT_YET
    if valid is not None and stamp.made_at + valid + GRACE < now:
        return StampFault.EXPIRED
    if count_zero_bits(text) < stamp.bits:
        return StampFault.NO_WORK
    return StampFault.SPENT if text in spent else None


def mint_stamp(resource: str, *, bits: int, now: datetime, random: str, extension: str = "") -> tuple[str, int]:
    """Return a stamp and how many hashes it took: 2^bits on average, geometrically distributed.

    Raises:
        ValueError: A field has a colon or a character that a stamp cannot have, or there are too many bits.
    """
    if not 0 <= bits <= MAX_BITS:
        raise ValueError(f"a stamp has 0 to {MAX_BITS} bits, not {bits}")
    date = now.astimezone(UTC).strftime(DATE_FORMATS[10])
    draft = Stamp(bits=bits, date=date, resource=resource, extension=extension, random=random, counter="")
    if parse_stamp(draft.text) != draft:
        raise ValueError("a stamp's fields are printable ASCII without a colon, and its resource is not empty")
    head = hashlib.sha1(draft.text.encode(), usedforsecurity=False)
    for number in count():
        counter = f"{number:x}"
        tried = head.copy()
        tried.update(counter.encode())
        if MAX_BITS - int.from_bytes(tried.digest(), "big").bit_length() >= bits:
            return draft.text + counter, number + 1
    raise AssertionError("counting does not end")
