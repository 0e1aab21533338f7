"""What a party thinks of a message: a verdict, and the reasons that the core itself can give.

A peer's fault is a verdict, never an exception. ``Ignore`` blames nobody; ``Reject`` is something no honest node
makes and is counted against its author, or against the link it came over where the author's name proves nothing: an
honest node may pass on one of two words that contradict each other. ``Wait`` is not a judgement yet. A mechanism adds
reasons of its own by a subclass of `Reason`, and things to wait for by one of `Missing`; no two of either may have the
same value.
"""

from collections.abc import Hashable
from enum import Enum

import msgspec


class Reason(Enum):
    """Why a message was not accepted. The values are what logs and reports show."""


class FrameReason(Reason):
    """The bytes are no message of this chain."""

    OVERSIZED = "oversized"
    MALFORMED = "malformed"
    NOT_CANONICAL = "not-canonical"
    WRONG_VERSION = "wrong-version"
    WRONG_CHAIN = "wrong-chain"


class ChainReason(Reason):
    """The message comes from the wrong party, at the wrong time or at the wrong place in the chain."""

    # Any message.
    BAD_SIGNATURE = "bad-signature"
    DUPLICATE = "duplicate"
    STALE = "stale"
    INBOX_FULL = "inbox-full"
    NOT_FOR_ME = "not-for-me"
    UNREQUESTED = "unrequested"
    NOT_CONSECUTIVE = "not-consecutive"
    TOO_OFTEN = "too-often"
    # Position in the chain.
    WRONG_HEIGHT = "wrong-height"
    BEYOND_JOB = "beyond-job"
    REFUSED_PARENT = "refused-parent"
    REFUSED_BLOCK = "refused-block"
    WRONG_BODY = "wrong-body"
    TOO_LATE = "too-late"
    BAD_SIGHTING = "bad-sighting"
    SLOT_BEFORE_PARENT = "slot-before-parent"
    FUTURE_SLOT = "future-slot"
    # Rights.
    NOT_BONDED = "not-bonded"
    LOTTERY_LOST = "lottery-lost"
    EQUIVOCATION = "equivocation"


class LedgerReason(Reason):
    """The money is wrong."""

    TOO_MANY_TRANSACTIONS = "too-many-transactions"
    UNKNOWN_ACCOUNT = "unknown-account"
    NONCE_USED = "nonce-used"
    NONCE_GAP = "nonce-gap"
    OVERDRAFT = "overdraft"
    BELOW_DEPOSIT = "below-deposit"
    NO_DEPOSITS = "no-deposits"
    BELOW_LEAST_STAKE = "below-least-stake"
    MORE_THAN_BONDED = "more-than-bonded"
    ALREADY_UNBONDING = "already-unbonding"
    POOL_FULL = "pool-full"
    NO_STAMP = "no-stamp"
    BAD_STAMP = "bad-stamp"
    UNASKED_STAMP = "unasked-stamp"
    WRONG_COINBASE = "wrong-coinbase"


class Accept(msgspec.Struct, frozen=True):
    """Store it and act on it."""


class Ignore(msgspec.Struct, frozen=True):
    """Harmless, early or late: drop it, blame nobody, it may become valid."""

    reason: Reason


class Reject(msgspec.Struct, frozen=True):
    """No honest node makes this: drop it and charge who did, as far as that is proven."""

    reason: Reason


class Missing(Enum):
    """What a message that cannot be judged yet is waiting for."""


class ChainMissing(Missing):
    """What every chain's messages may wait for."""

    BLOCK = "block"


class Wait(msgspec.Struct, frozen=True):
    """Not judged yet: keep it until what is named by ``missing`` and ``key`` is there."""

    missing: Missing
    key: Hashable
    """Hash of the missing block, or what else the mechanism's messages wait for."""


Verdict = Accept | Ignore | Reject | Wait

ACCEPT = Accept()
