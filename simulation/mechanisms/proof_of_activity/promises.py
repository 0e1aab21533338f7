"""What a scenario by activity promises: how long a chain takes where owners are silent, and when blocks settle."""

import math
from collections.abc import Iterable
from typing import Final

from protocol.mechanisms.proof_of_activity.proposer import PATIENCE_SLOTS
from simulation.analysis import Promises
from simulation.mechanisms.proof_of_activity.formulas import compute_through
from simulation.mechanisms.proof_of_activity.keys import as_activity_keys
from simulation.mechanisms.proof_of_work import WorkPromises
from simulation.scenario import Population, Scenario

HOPS: Final = 3
"""Links that a template, the signatures and the block are under way one after the other."""


class ActivityPromises(WorkPromises):
    """Knows work, and those who are drawn. A majority is counted by stake, and needs that of the work besides."""

    def estimate_chain_s(self, scenario: Scenario) -> float:
        """Return about how many simulated seconds a chain takes, of whose templates some stay dead; perhaps infinite.

        Until the target has followed, a block takes as many times as long as it takes templates, and so much more as
        there are miners whose templates nobody hears of.
        """
        keys = as_activity_keys(scenario.mechanism)
        power = keys.measure_power(scenario)
        doing = _list_doing(scenario)
        online = _divide(map(self.measure_power, doing), map(self.measure_power, scenario.populations))
        mining = _divide(map(measure_work, doing), map(measure_work, scenario.populations))
        through = mining * compute_through(online, keys.count_drawn(), keys.count_needed())
        if not through:
            return math.inf
        return scenario.length * max(keys.count_first(power) / power / through, keys.interval_ms / 1e3)

    def measure_power(self, population: Population) -> float:
        """Return the stake of all its nodes."""
        return Promises.measure_power(self, population)

    def find_share_needed(self, scenario: Scenario) -> float:
        """Return the share of the stake that has to do its part; infinite where too much of the work does not."""
        doing, needed = _list_doing(scenario), Promises.find_share_needed(self, scenario)
        mining = _divide(map(measure_work, doing), map(measure_work, scenario.populations))
        return needed if mining >= needed else math.inf

    def is_settling(self, scenario: Scenario) -> bool:
        """Return whether blocks are closed and heard of long before the next one, and honest nodes have most work."""
        honest = [item for item in scenario.populations if item.role == "honest"]
        mining = _divide(map(measure_work, honest), map(measure_work, scenario.populations))
        return 2 * mining > 1 and super().is_settling(scenario)

    def estimate_hearing_ms(self, scenario: Scenario) -> float:
        """Return the milliseconds from a template that is found to when its closer's neighbours mine on its block."""
        keys = as_activity_keys(scenario.mechanism)
        is_waiting = keys.count_needed() < keys.count_drawn()
        waiting_ms = PATIENCE_SLOTS * scenario.protocol.slot_ms if is_waiting else 0.0
        return HOPS * super().estimate_hearing_ms(scenario) + waiting_ms


def measure_work(population: Population) -> float:
    """Return the speed of all owners of a population."""
    return population.count * population.speed


def _list_doing(scenario: Scenario) -> list[Population]:
    """Return the populations that do what an honest node does, whatever they do besides."""
    return [item for item in scenario.populations if all(traits.does_its_part for traits in item.list_traits())]


def _divide(part: Iterable[float], whole: Iterable[float]) -> float:
    total = sum(whole)
    return sum(part) / total if total else 0.0
