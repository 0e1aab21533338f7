"""What an experiment asks for, worked out from a run's records alone: detection, branches, blocks, profit.

All of it comes from a `Tally`, so a figure in ``summary.json`` and the same figure from a log file cannot differ.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from statistics import fmean
from typing import Any, Final

from simulation.analysis.costs import measure_costs
from simulation.analysis.during_run import CONFIRMATION_DEPTH
from simulation.foundation import PluginError, PluginTable, find_part, locate
from simulation.records import Evaluated, Tally

WORK: Final = ("declaration", "header", "stakeholder", "block")
"""Kinds of messages that are about a training; with others an attacker seldom does anything wrong.

Detection without further words is over these: an attacker that says which head it has tells the truth, and that honest
nodes accept it is no failure of theirs.
"""


_OURS: Final = frozenset(
    {"detection", "comparisons", "proposed", "branches", "work", "stake", "votes", "templates", "closed", "blocks"}
    | {"cost", "populations"}
)
"""Names of our own measures, those of mechanisms among them."""

PLUGIN_MEASURES: Final[PluginTable[Callable[[Tally], Any]]] = PluginTable("measure", _OURS.__contains__)
"""Measures of plug-ins: functions of a tally to values that a summary can hold."""


@dataclass(frozen=True, slots=True)
class Detection:
    """How well honest nodes tell attackers' messages of some kinds from others', by the truth that they never see.

    A message is an attacker's if its author's population is not honest; it is detected if an honest node refuses it.
    Messages that were ignored or only waited count neither way.
    """

    caught: int
    """Attackers' messages that were rejected."""
    missed: int
    """Attackers' messages that were accepted; some attackers send valid ones."""
    blamed: int
    """Honest parties' messages that were rejected."""
    passed: int
    """Honest parties' messages that were accepted."""

    @property
    def precision(self) -> float | None:
        """Share of the rejected messages that were attackers'; None where none was rejected."""
        return _divide(self.caught, self.caught + self.blamed)

    @property
    def recall(self) -> float | None:
        """Share of attackers' messages that were rejected; None where there were none."""
        return _divide(self.caught, self.caught + self.missed)

    @property
    def false_rejection(self) -> float | None:
        """Share of honest parties' messages that were rejected; None where there were none."""
        return _divide(self.blamed, self.blamed + self.passed)


def compute_measures(tally: Tally, mechanism: str) -> dict[str, Any]:
    """Return all measures as plain values, None where a run has nothing to measure.

    Args:
        tally: What happened.
        mechanism: The name of the run's mechanism, which adds measures of its own.
    """
    measure: Callable[[Tally], dict[str, Any]] | None = find_part(mechanism, "measures")
    costs = measure_costs(tally, mechanism)
    kinds = sorted({kind for _, kind in (*tally.accepted_of, *tally.rejected_of)})
    return {
        "detection": {
            **_describe(measure_detection(tally)),
            "all_messages": _describe(measure_detection(tally, *kinds)),
            "by_kind": {kind: _describe(measure_detection(tally, kind)) for kind in kinds},
        },
        **(measure(tally) if measure is not None else {}),
        "blocks": measure_blocks(tally),
        **({"cost": costs} if costs is not None else {}),
        "populations": measure_populations(tally),
        **{name: _measure_by_plugin(name, tally) for name in PLUGIN_MEASURES.list_names()},
    }


def _measure_by_plugin(name: str, tally: Tally) -> Any:  # noqa: ANN401 - any JSON
    """Return a measure of a plug-in.

    Raises:
        PluginError: It is nothing that a summary can hold.
    """
    measure = PLUGIN_MEASURES.find(name)
    if measure is None:
        raise KeyError(name)
    found = measure(tally)
    values = found.items() if isinstance(found, Mapping) else [("", found)]
    for key, value in values:
        is_plain = (
            value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and isfinite(value))
        )
        if not isinstance(key, str) or not is_plain:
            told = f"{value!r}"[:80]
            wanted = "return a finite number, a text, a boolean or None, or those by name"
            raise PluginError(f"{locate(measure)}: the measure {name!r} returned {told}; {wanted}")
    return dict(found) if isinstance(found, Mapping) else found


def measure_detection(tally: Tally, *kinds: str) -> Detection:
    """Return how attackers' messages of some kinds were detected; of `WORK` where none is given."""
    counted = kinds or WORK

    def count(counts: Mapping[tuple[str, str], int], *, honest: bool) -> int:
        return sum(
            number
            for (population, of), number in counts.items()
            if of in counted and tally.is_attacking(population) != honest
        )

    return Detection(
        caught=count(tally.rejected_of, honest=False),
        missed=count(tally.accepted_of, honest=False),
        blamed=count(tally.rejected_of, honest=True),
        passed=count(tally.accepted_of, honest=True),
    )


def find_best(tally: Tally, *, is_poisoned: bool) -> Evaluated | None:
    """Return the employer's measurement of the highest block of one kind, the best among equals."""
    found = [
        (tally.blocks[block].height, measured.accuracy, measured)
        for block, measured in tally.training.evaluations.items()
        if block in tally.blocks and tally.is_poisoned(block) == is_poisoned
    ]
    return max(found, key=lambda item: item[:2])[2] if found else None


def measure_populations(tally: Tally) -> dict[str, dict[str, Any]]:
    """Return nodes, coins earned, training and profit of each population.

    Coins earned are final liquid balances: nodes start with none.
    """
    labels: dict[str, list[str]] = {}
    for label, node in tally.nodes.items():
        labels.setdefault(node.population, []).append(label)
    training = tally.training.sum_cpu_by_party()
    return {population: _measure_population(tally, names, training) for population, names in sorted(labels.items())}


def _measure_population(tally: Tally, labels: list[str], training: Mapping[str, float]) -> dict[str, Any]:
    coins = sum(tally.nodes[label].balance for label in labels)
    cpu_s = sum(training.get(label, 0.0) for label in labels)
    return {
        "role": tally.nodes[labels[0]].role,
        "nodes": len(labels),
        "coins_earned": coins,
        "training_cpu_s": round(cpu_s, 6),
        "coins_per_cpu_s": _divide(coins, cpu_s),
    }


def measure_blocks(tally: Tally, since: float | None = None) -> dict[str, Any]:
    """Return how long the blocks of the honest chain took, and how many messages were sent for each.

    Time counts from the genesis, before which processes are started, or from `since`, in seconds of the run.
    Declarations and headers are those made; one that its author sends again is counted among the repeats.
    Reorganisations are how often an honest node gave up its head, on average; `settled_undone` is whether one gave up a
    block with `CONFIRMATION_DEPTH` others on it; `last_replaced` is whether one, or the employer, gave up the last
    block of the whole chain for another, later than it had the whole chain first. None of these is known of a run that
    only counts what is sent.
    """
    chain = tally.get_chain(tally.compute_agreement()[1].head)
    first_seen = [tally.first_appended[block] for block in reversed(chain) if block in tally.first_appended]
    start = tally.genesis_time if since is None else since
    gaps = [later - earlier for earlier, later in zip([start, *first_seen], first_seen, strict=False)]
    made = tally.sent_messages - tally.repeated
    known = 0 if tally.is_counted else len(chain)
    honest = [] if tally.is_counted else tally.get_honest()
    return {
        "seconds_each": round(fmean(gaps), 6) if gaps else None,
        "messages_each": _divide(tally.sent.total(), len(chain)),
        "declarations_each": _divide(made["declaration"], known),
        "declarations_repeated_each": _divide(tally.repeated["declaration"], known),
        "headers_each": _divide(made["header"], known),
        "reorganisations": _divide(sum(node.reorganisations for node in honest), len(honest)),
        "settled_undone": tally.reorg_depth_max > CONFIRMATION_DEPTH if honest else None,
        "last_replaced": tally.has_replaced_last() if honest else None,
    }


def _describe(detection: Detection) -> dict[str, Any]:
    return {
        "caught": detection.caught,
        "missed": detection.missed,
        "blamed": detection.blamed,
        "passed": detection.passed,
        "precision": detection.precision,
        "recall": detection.recall,
        "false_rejection": detection.false_rejection,
    }


def _divide(part: float, whole: float) -> float | None:
    return part / whole if whole else None
