"""The keys of proof of activity under `mechanism` of a scenario, beside those of the work for a template."""

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from protocol.mechanisms.proof_of_activity.genesis import MAX_DRAWN, ActivityShares
from protocol.types import MICRO_COINS_PER_COIN, PARTS_PER_MILLION
from simulation.mechanisms.proof_of_work import WorkKeys
from simulation.scenario import Inconsistency, Section

if TYPE_CHECKING:
    from simulation.scenario import Population

DRAWN: Final = 3
"""Places of a template, where a scenario says nothing else."""

Part = Annotated[float, Field(ge=0, le=1)]


class ShareKeys(Section):
    """How what a block pays is shared out; the shares sum to 1."""

    miner: Part = 0.5
    """For who found the template."""
    signers: Part = 0.3
    """For all places together, each as much as the other."""
    closer: Part = 0.2
    """For who closes the block."""

    @model_validator(mode="after")
    def _sums_to_one(self) -> Self:
        total = self.miner + self.signers + self.closer
        if abs(total - 1) > 1e-9:
            raise ValueError(f"miner + signers + closer must be 1, got {total:g}")
        return self

    def build(self) -> ActivityShares:
        """Return what the chain agrees on; what rounding leaves is the closer's."""
        miner, signers = (round(share * PARTS_PER_MILLION) for share in (self.miner, self.signers))
        return ActivityShares(miner=miner, signers=signers, closer=PARTS_PER_MILLION - miner - signers)


DECRED: Final = (5, 3, ShareKeys(miner=0.7, signers=0.3, closer=0.0))
"""Places drawn and needed, and shares: 60 of 100 for the miner and 30 for the voters once, and what the treasury got is
the miner's here."""


class ActivityKeys(WorkKeys):
    """What a scenario says of proof of activity."""

    preset: Literal["decred"] | None = None
    """`decred`: 5 coins are drawn, and 3 of their owners' votes are enough."""
    drawn: Annotated[int, Field(ge=1, le=MAX_DRAWN)] | None = None
    """Coins that the hash of a template draws; null for 3, or what the preset says."""
    needed: Annotated[int, Field(ge=1, le=MAX_DRAWN)] | None = None
    """Places whose owners have to sign; null for all, or what the preset says."""
    shares: ShareKeys | None = None
    """Who gets how much; null for the default of each share, or what the preset says."""

    @model_validator(mode="after")
    def _fits_preset(self) -> Self:
        given = next((key for key in ("drawn", "needed", "shares") if getattr(self, key) is not None), None)
        if self.preset is not None and given is not None:
            raise Inconsistency(given, f"preset: {self.preset} says this already; leave out one of the two").to_error()
        if self.count_needed() > self.count_drawn():
            most = self.count_drawn()
            raise Inconsistency("needed", f"only {most} are drawn; write {most} or less").to_error()
        return self

    def count_drawn(self) -> int:
        """Return how many coins a template draws."""
        return DECRED[0] if self.preset else self.drawn or DRAWN

    def count_needed(self) -> int:
        """Return how many places have to sign."""
        return DECRED[1] if self.preset else self.needed or self.count_drawn()

    def build_shares(self) -> ActivityShares:
        """Return who gets how much."""
        return (DECRED[2] if self.preset else self.shares or ShareKeys()).build()

    def find_inconsistency(self, scenario: Any) -> Inconsistency | None:  # noqa: ANN401 - the keys of a scenario
        """Return that owners are too few for a group, or what work has to say."""
        owners = sum(item.node_count for item in scenario.populations if has_stake(item))
        drawn = self.count_drawn()
        if not owners:
            return Inconsistency(
                "populations", f"no node has a stake, so nobody is drawn to sign; give {drawn} or more nodes a stake"
            )
        if owners < drawn:
            where = "preset" if self.preset else "drawn"
            return Inconsistency(
                f"mechanism.{where}",
                f"a group of {drawn} is drawn, and {owners} nodes have a stake; write a smaller number, or give more "
                "nodes a stake",
            )
        return super().find_inconsistency(scenario)


def has_stake(population: "Population") -> bool:
    """Return whether the nodes of a population have coins that can be drawn."""
    return round(population.node_stake * MICRO_COINS_PER_COIN) > 0


def as_activity_keys(keys: object) -> ActivityKeys:
    """Return the keys of a scenario that must be about proof of activity.

    Raises:
        TypeError: They are of another mechanism.
    """
    if not isinstance(keys, ActivityKeys):
        raise TypeError(f"no keys of proof of activity: {keys!r}")
    return keys
