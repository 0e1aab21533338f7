"""What a node thinks of a message: a verdict, and the one enumeration of reasons.

A peer's fault is a verdict, never an exception. ``Ignore`` blames nobody; ``Reject`` is something no honest node
sends and is counted against the link it came over; ``Wait`` is not a judgement yet.
"""

from enum import Enum

import msgspec

from protocol.types import Hash32, Task, WeightsPair


class Reason(Enum):
    """Why a message was not accepted. The values are what logs and reports show."""

    # The frame.
    OVERSIZED = "oversized"
    MALFORMED = "malformed"
    NOT_CANONICAL = "not-canonical"
    WRONG_VERSION = "wrong-version"
    WRONG_CHAIN = "wrong-chain"
    # Any message.
    BAD_SIGNATURE = "bad-signature"
    DUPLICATE = "duplicate"
    STALE = "stale"
    INBOX_FULL = "inbox-full"
    NOT_FOR_ME = "not-for-me"
    UNREQUESTED = "unrequested"
    # Position in the chain.
    WRONG_HEIGHT = "wrong-height"
    BEYOND_JOB = "beyond-job"
    REFUSED_PARENT = "refused-parent"
    REFUSED_HEADER = "refused-header"
    REFUSED_BLOCK = "refused-block"
    SLOT_BEFORE_PARENT = "slot-before-parent"
    FUTURE_SLOT = "future-slot"
    # Rights.
    NOT_BONDED = "not-bonded"
    LOTTERY_LOST = "lottery-lost"
    EQUIVOCATION = "equivocation"
    # Training.
    WRONG_PROFILE = "wrong-profile"
    DIFFERENT_WEIGHTS = "different-weights"
    DIFFERENT_SECRET = "different-secret"
    BAD_COMMITMENT = "bad-commitment"
    WINDOW_CLOSED = "window-closed"
    # Declarations inside a header.
    DECLARATION_MISMATCH = "declaration-mismatch"
    DECLARATIONS_NOT_DISTINCT = "declarations-not-distinct"
    DECLARATION_AFTER_HEADER = "declaration-after-header"
    TOO_MANY_DECLARATIONS = "too-many-declarations"
    CONFIDENCE_NOT_REACHED = "confidence-not-reached"
    # Stakeholders and the wrapped block.
    NOT_A_STAKEHOLDER = "not-a-stakeholder"
    HEADER_MISMATCH = "header-mismatch"
    WRONG_SIGNATURE_COUNT = "wrong-signature-count"
    WRONG_WRAPPER = "wrong-wrapper"
    JOB_DELIVERED = "job-delivered"
    # Transactions and money.
    TOO_MANY_TRANSACTIONS = "too-many-transactions"
    UNKNOWN_ACCOUNT = "unknown-account"
    NONCE_USED = "nonce-used"
    NONCE_GAP = "nonce-gap"
    OVERDRAFT = "overdraft"
    POOL_FULL = "pool-full"
    WRONG_COINBASE = "wrong-coinbase"


class Accept(msgspec.Struct, frozen=True):
    """Store it and act on it."""


class Ignore(msgspec.Struct, frozen=True):
    """Harmless, early or late: drop it, blame nobody, it may become valid."""

    reason: Reason


class Reject(msgspec.Struct, frozen=True):
    """No honest node sends this: drop it and charge the sender."""

    reason: Reason


class Missing(Enum):
    """What a message that cannot be judged yet is waiting for."""

    BLOCK = "block"
    HEADER = "header"
    TRAINING = "training"
    COMPARISON = "comparison"


class Wait(msgspec.Struct, frozen=True):
    """Not judged yet: keep it until what is named by ``missing`` and ``key`` is there."""

    missing: Missing
    key: Hash32 | Task | WeightsPair
    """Hash of the missing block or header, what is still to be trained, or what is still to be compared."""


Verdict = Accept | Ignore | Reject | Wait

ACCEPT = Accept()
