"""The slow work of proof of training, as commands name it, and what comes back."""

from dataclasses import dataclass
from typing import Final

import msgspec

from protocol.types import Hash32

INCOMPARABLE: Final = 1 << 62
"""The distance of weights that do not fit: more than any tolerance."""


class TrainStage(msgspec.Struct, frozen=True, order=True):
    """Train a stage; the result is a `TrainingResult`."""

    stage: int
    """Number of the stage, counted from 0."""
    base: bytes = b""
    """Digest of the weights to start from; empty where the trainer goes on from its own after the stage before it, or
    from the public initial weights."""


class CompareWeights(msgspec.Struct, frozen=True):
    """Find out how far others' weights lie from one's own.

    The result is the largest absolute difference of two weights in the same place, in parts per billion, rounded up;
    `INCOMPARABLE` where the other weights have not the shapes of one's own, or are not all finite numbers; None where
    they are not to be had, so far.
    """

    own: Hash32
    """Digest of what the judge itself trained."""
    other: Hash32
    """Digest that a message names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingResult:
    """What a trainer hands back for one stage."""

    stage: int
    """Number of the stage, counted from 0; it belongs to the block at height ``stage + 1``."""
    weights_digest: Hash32
    """Digest of the weights after the stage."""
    losses: bytes
    """Loss of each step, in order, as float32 big-endian numbers; private until the block is proposed."""
