"""The keys of proof of work under `mechanism` of a scenario, and what follows from them."""

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from protocol.mechanisms.proof_of_work.difficulty import count_expected, find_target, find_target_of_bits
from protocol.mechanisms.proof_of_work.genesis import Difficulty, Proof
from simulation.scenario import ChainKeys, Inconsistency

if TYPE_CHECKING:
    from simulation.scenario import Scenario

MOST_BITS: Final = 64
LEAST_BITS: Final = 2

SLICES: Final = 4
"""Slices of an interval. A new head ends one where a node really hashes; in simulated time each is an event."""
REAL_SLICE_MS: Final = 250.0
"""The longest slice where a node really hashes, unless the scenario says otherwise."""


class WorkKeys(ChainKeys):
    """What a scenario says of proof of work."""

    interval_ms: Annotated[float, Field(ge=1, le=1e9)] = 1000.0
    """Time that a block should take."""
    hash_rate: Annotated[float, Field(ge=1, le=1e15)] = 20_000.0
    """Nonces that a node of speed 1 tries in a second."""
    expected_hashes: Annotated[int, Field(ge=4, le=2**64)] | None = None
    """Tries that the first block takes on average; null for what fits the interval and the power of all nodes."""
    zero_bits: Annotated[int, Field(ge=LEAST_BITS, le=MOST_BITS)] | None = None
    """The same as leading zero bits; the target is then a power of two for ever."""
    window: Annotated[int, Field(ge=0, le=100_000)] = 16
    """Blocks after which the target is set anew; 0: never."""
    clamp: Annotated[int, Field(ge=2, le=1_000)] = 4
    """How many times as easy or as hard it may become at once."""
    hash: Literal["sha256", "sha512"] = "sha256"
    """Which hash is computed twice for each nonce."""
    reward: Literal["issuance", "fees", "both"] = "both"
    """What a miner is paid."""
    ties: Literal["first_seen", "lowest_hash"] = "first_seen"
    """Which of two branches of one weight a node works on: the one it had first, or that with the lower last hash."""
    slice_ms: Annotated[float, Field(ge=1, le=1e9)] | None = None
    """How long a node looks for a nonce before its transfers and slot are brought up to date."""
    virtual_work: Literal["drawn", "hashed"] = "drawn"
    """Whether the virtual engine draws how many tries a nonce takes, or really hashes."""

    @model_validator(mode="after")
    def _has_one_first_target(self) -> Self:
        if self.expected_hashes is not None and self.zero_bits is not None:
            raise Inconsistency("zero_bits", "write one, expected_hashes or zero_bits").to_error()
        return self

    def find_inconsistency(self, scenario: Any) -> Inconsistency | None:  # noqa: ANN401 - the keys of a scenario
        """Return that no block is to be expected within the time limit, if that is so."""
        power = self.measure_power(scenario)
        needed_s = self.count_first(power) / power
        limit_s = scenario.run.time_limit_s
        if needed_s <= limit_s:
            return None
        return Inconsistency(
            f"mechanism.{'zero_bits' if self.zero_bits is not None else 'expected_hashes'}",
            f"{power:g} tries a second find the first block in {needed_s:,.0f} s on average, and run.time_limit_s is "
            f"{limit_s:g}; write a smaller number, or a larger hash_rate",
        )

    def choose_proof(self, scenario: "Scenario") -> Proof:
        """Return what nonces are to show: nothing in simulated time, and that is said, unless real ones are wanted."""
        return "stand_in" if scenario.traits.is_simulated and self.virtual_work == "drawn" else "hashes"

    def measure_power(self, scenario: "Scenario") -> float:
        """Return how many nonces all nodes try in a second."""
        return self.hash_rate * sum(item.count * item.speed for item in scenario.populations)

    def count_first(self, power: float) -> int:
        """Return the tries that the first block takes on average.

        Args:
            power: Nonces that all nodes try in a second.
        """
        return count_expected(self.build_difficulty(power).first_target)

    def build_difficulty(self, power: float) -> Difficulty:
        """Return what the chain agrees on about its targets; the power of all nodes is as for `count_first`."""
        is_in_bits = self.zero_bits is not None
        expected = self.expected_hashes or round(power * self.interval_ms / 1e3)
        return Difficulty(
            first_target=find_target_of_bits(self.zero_bits) if self.zero_bits is not None else find_target(expected),
            is_in_bits=is_in_bits,
            interval_ns=round(self.interval_ms * 1e6),
            window=self.window,
            clamp=self.clamp,
        )

    def count_slice(self, speed: float, *, power: float | None) -> int:
        """Return how many nonces a node tries in a slice.

        Args:
            speed: The node's.
            power: In simulated time, nonces that all nodes try in a second. A slice that a block has made pointless is
                charged to its end there, so it is short where blocks are sooner than they should be, for ever.
        """
        own_ms = self.interval_ms / SLICES
        if power is None:
            own_ms = min(own_ms, REAL_SLICE_MS)
        elif self.window == 0 and (self.zero_bits is not None or self.expected_hashes is not None):
            own_ms = min(own_ms, self.count_first(power) / power * 1e3 / SLICES)
        return max(1, round((self.slice_ms or own_ms) / 1e3 * self.hash_rate * speed))


def as_work_keys(keys: object) -> WorkKeys:
    """Return the keys of a scenario that must be about proof of work.

    Raises:
        TypeError: They are of another mechanism.
    """
    if not isinstance(keys, WorkKeys):
        raise TypeError(f"no keys of proof of work: {keys!r}")
    return keys
