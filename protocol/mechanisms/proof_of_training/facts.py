"""What a training node wants on record: its own business until it speaks."""

import msgspec

from protocol.mechanisms.proof_of_training.phases import Phase
from protocol.mechanisms.proof_of_training.reasons import Right
from protocol.types import Hash32


class PhaseChanged(msgspec.Struct, frozen=True):
    """The node has entered a phase of the round on its head."""

    phase: Phase
    height: int


class LotteryWon(msgspec.Struct, frozen=True):
    """The node has won the right to declare or propose in a slot."""

    right: Right
    height: int
    slot: int


class SecretKnown(msgspec.Struct, frozen=True):
    """The node has worked out its training secret on a parent."""

    height: int
    parent: Hash32
    secret: Hash32
    weights_digest: Hash32
