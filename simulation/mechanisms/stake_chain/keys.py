"""The keys of chain-based proof of stake under `mechanism` of a scenario, and what follows from them."""

import difflib
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from simulation.foundation import to_micro
from simulation.scenario import ChainKeys, Inconsistency, Section

if TYPE_CHECKING:
    from simulation.scenario import Scenario


class BondingKeys(Section):
    """A deposit or a withdrawal of one node."""

    node: Annotated[str, Field(min_length=1, max_length=60)]
    """Label of the node."""
    at_s: Annotated[float, Field(ge=0, le=1e8)]
    """When it is handed over."""
    coins: Annotated[float, Field(ge=1e-6, le=10**9)]
    """How many coins."""


class StakeKeys(ChainKeys):
    """What a scenario says of chain-based proof of stake."""

    drawn_by: Literal["reveals", "parent_hash"] = "reveals"
    """What leaders are drawn by."""
    epoch_slots: Annotated[int, Field(ge=1, le=10_000)] = 16
    """Slots of an epoch."""
    least_stake: Annotated[float, Field(ge=1e-6, le=10**9)] = 1.0
    """Fewest coins that a node has at stake, if it has any."""
    unbonding_blocks: Annotated[int, Field(ge=0, le=1_000_000)] = 64
    """Blocks for which withdrawn coins stay locked."""
    slashing: bool = True
    """Whether blocks may show who has made two for one slot."""
    slashed_share: Annotated[float, Field(ge=1e-6, le=1)] = 1.0
    """Share of its locked coins that such a node loses."""
    reward: Literal["issuance", "fees", "both"] = "both"
    """What an author is paid."""
    final_depth: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    """Blocks on top of a block after which no node leaves it any more."""
    deposits: list[BondingKeys] = Field(default_factory=list)
    """Coins that nodes bond while the chain grows; the genesis gives them these coins."""
    withdrawals: list[BondingKeys] = Field(default_factory=list)
    """Coins that nodes unbond."""

    def find_inconsistency(self, scenario: Any) -> Inconsistency | None:  # noqa: ANN401 - the keys of a scenario
        """Return what of stakes, deposits and times cannot be."""
        if scenario.corruptions:  # what they make of the populations is checked when that is known
            return None
        return (
            self._find_stake_fault(scenario)
            or self._find_bonding_fault(scenario)
            or self._find_time_fault(scenario)
            or self._find_late_bonding(scenario)
        )

    def _find_stake_fault(self, scenario: "Scenario") -> Inconsistency | None:
        """Return a stake below the least one, or that there is none."""
        for index, item in enumerate(scenario.populations):
            if item.node_count and 0 < to_micro(item.node_stake) < to_micro(self.least_stake):
                return Inconsistency(
                    f"populations.{index}.stake",
                    f"{item.node_stake:g} is less than mechanism.least_stake, which is {self.least_stake:g}; write "
                    "0, or no less than that",
                )
        if not any(item.node_count and to_micro(item.node_stake) for item in scenario.populations):
            return Inconsistency(
                "populations", "no node has a stake, so nobody ever leads a slot; give one population a stake"
            )
        return None

    def _find_bonding_fault(self, scenario: "Scenario") -> Inconsistency | None:
        """Return a deposit or withdrawal that no block could carry."""
        stakes = {label: to_micro(item.node_stake) for item in scenario.populations for label in item.list_labels()}
        for where, item in self.list_bonding():
            if item.node not in stakes:
                close = difflib.get_close_matches(item.node, stakes, n=1)
                hint = f"did you mean {close[0]!r}?" if close else "nodes are population-number, such as honest-0"
                return Inconsistency(f"mechanism.{where}.node", f"no node is called {item.node!r}; {hint}")
        if (self.deposits or self.withdrawals) and not scenario.users.count:
            return Inconsistency(
                "users.count", "deposits and withdrawals are handed over with users' transfers; write 1 or more"
            )
        return self._find_unfunded(stakes)

    def _find_unfunded(self, stakes: Mapping[str, int]) -> Inconsistency | None:
        """Return a withdrawal of more than there is, or what leaves less than the least stake."""
        bonded, least = Counter(stakes), to_micro(self.least_stake)
        for where, item in self.list_bonding():
            is_deposit, amount = where.startswith("deposits"), to_micro(item.coins)
            have = bonded[item.node] / 1e6
            bonded[item.node] += amount if is_deposit else -amount
            if bonded[item.node] < 0:
                what = f"{item.node} has {have:g} coins at stake at {item.at_s:g} s; write no more than that"
            elif 0 < bonded[item.node] < least:
                what = (
                    f"leaves {item.node} with {bonded[item.node] / 1e6:g} coins at stake, and mechanism.least_stake is "
                    f"{self.least_stake:g}; write {'more' if is_deposit else 'less, or all'}"
                )
            else:
                continue
            return Inconsistency(f"mechanism.{where}.coins", what)
        return None

    def _find_time_fault(self, scenario: "Scenario") -> Inconsistency | None:
        """Return that the chain has more slots than the time limit, if that is so."""
        needed_s, limit_s = self._estimate_whole_s(scenario), scenario.run.time_limit_s
        if needed_s <= limit_s:
            return None
        return Inconsistency(
            "mechanism.length",
            f"{scenario.length:,} blocks take {needed_s:,.0f} s at one a slot, and run.time_limit_s is {limit_s:g}; "
            "write fewer blocks or a smaller protocol.slot_ms",
        )

    def _find_late_bonding(self, scenario: "Scenario") -> Inconsistency | None:
        """Return a deposit or withdrawal that no block can carry, as all are made before it, or the run is over."""
        whole_s, limit_s = self._estimate_whole_s(scenario), scenario.run.time_limit_s
        for where, item in self.list_bonding():
            what = f"{item.at_s:g} s is too late for a block to carry it"
            if item.at_s >= limit_s:
                why = f"run.time_limit_s is {limit_s:g}"
            elif item.at_s >= whole_s and self._fills_each_slot(scenario):
                why = f"{scenario.length:,} blocks, one a slot, are made by {whole_s:g} s"
            else:
                continue
            return Inconsistency(f"mechanism.{where}.at_s", f"{what}: {why}; write an earlier time")
        return None

    def _fills_each_slot(self, scenario: "Scenario") -> bool:
        """Return whether nothing in a scenario can leave a slot empty, or a block aside.

        A leader who has taken all its coins back since it was drawn makes no block.
        """
        network, latency = scenario.network, scenario.network.latency
        slowest_ms = max([latency.ms, latency.max_ms or 0.0, *(ms for row in latency.matrix_ms for ms in row)])
        hops = 1 if network.topology == "full_mesh" else scenario.node_count
        faults = (network.partitions, network.eclipses, network.outages, network.loss, network.bandwidth_mbps)
        return (
            scenario.traits.is_simulated
            and not self.withdrawals
            and not any(faults)
            and all(item.role == "honest" for item in scenario.populations if item.node_count)
            and hops * slowest_ms < scenario.protocol.slot_ms
        )

    def list_doubts(self, scenario: Any) -> list[str]:  # noqa: ANN401 - the keys of a scenario
        """Return the deposits and withdrawals that are in time only where slots stay empty."""
        whole_s = self._estimate_whole_s(scenario)
        return [
            f"mechanism.{where}.at_s: {item.at_s:g} s may be too late for a block to carry it: without empty slots "
            f"{scenario.length:,} blocks are made by {whole_s:g} s"
            for where, item in self.list_bonding()
            if item.at_s >= whole_s
        ]

    @staticmethod
    def _estimate_whole_s(scenario: "Scenario") -> float:
        """Return when the last block is made where every slot has one, in seconds from the genesis."""
        return scenario.length * scenario.protocol.slot_ms / 1e3

    def list_bonding(self) -> list[tuple[str, BondingKeys]]:
        """Return deposits and withdrawals in order of time, each with where it stands; deposits first."""
        listed = [
            (f"{name}.{index}", item)
            for name in ("deposits", "withdrawals")
            for index, item in enumerate(getattr(self, name))
        ]
        return sorted(listed, key=lambda pair: pair[1].at_s)


def as_stake_keys(keys: object) -> StakeKeys:
    """Return the keys of a scenario that must be about chain-based proof of stake.

    Raises:
        TypeError: They are of another mechanism.
    """
    if not isinstance(keys, StakeKeys):
        raise TypeError(f"no keys of a chain by stake: {keys!r}")
    return keys
