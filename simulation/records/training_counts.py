"""What a tally counts of proof of training: who trained what, on which data, and what the employer measured."""

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from simulation.records.fact import Fact
from simulation.records.message_facts import BlockPart, Counted
from simulation.records.training_facts import (
    Compared,
    ComparedCount,
    Diverged,
    Evaluated,
    PhaseEntered,
    RightWon,
    SecretFound,
    Trained,
    TrainedCount,
    TrainingBegun,
    TrainingBlock,
    Unevaluated,
    Unpoisoned,
    Unsaved,
)


@dataclass(slots=True)
class TrainingCounts:
    """Everything counted so far that only proof of training knows."""

    stage: dict[str, int] = field(default_factory=dict)
    """Stage in training, by the label of the node that trains it."""
    trained: Counter[str] = field(default_factory=Counter)
    """Stages that each node has finished training."""
    results: dict[str, tuple[int, str]] = field(default_factory=dict)
    """The stage that each node trained last, and the weights it got."""
    compared: Counter[bool] = field(default_factory=Counter)
    """Comparisons of weights by honest nodes, by whether they lay within the tolerance."""
    farthest_within: float | None = None
    """Largest distance of those that did."""
    evaluations: dict[str, Evaluated] = field(default_factory=dict)
    """The employer's measurement of each block it followed."""
    diverged: dict[str, int] = field(default_factory=dict)
    """Stage of each block whose model is the first of its branch that is not finite."""
    unsaved: str = ""
    """Why the employer's model could not be written; empty where it could."""
    unpoisoned: dict[str, str] = field(default_factory=dict)
    """Poison of each node whose data it has left as they were."""
    _data_by_weights: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    _cpu: defaultdict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    """CPU-seconds by trainer and weights."""
    _trainings: Counter[str] = field(default_factory=Counter)
    """Trainings that gave some weights, by these."""

    def add(self, who: str, fact: Fact, *, is_honest: bool) -> None:
        """Count a fact about a party.

        Raises:
            TypeError: Nothing is known of such facts, not even that they are not counted.
        """
        match fact:
            case TrainingBegun():
                self.stage[who] = fact.stage
            case Trained():
                self.stage.pop(who, None)
                self.trained[who] += 1
                self.results[who] = (fact.stage, fact.weights)
                self._add_result(who, fact.weights, fact.data, fact.cpu_s)
            case Compared():
                if is_honest:
                    self._add_comparison(fact)
            case Evaluated():
                self.evaluations[fact.block] = fact
            case Diverged():
                self.diverged[fact.block] = fact.stage
            case Unsaved():
                self.unsaved = fact.why
            case Unpoisoned():
                self.unpoisoned[who] = fact.poison
            case Counted():
                self._add_counted(fact)
            case PhaseEntered() | RightWon() | SecretFound() | Unevaluated():
                pass  # told, but no figure follows from it
            case _:
                raise TypeError(f"no figure knows of {type(fact).__name__}")

    # ---- questions ----

    def is_poisoned(self, block: BlockPart) -> bool:
        """Return whether a block's stage came from altered data, or from nowhere: no clean trainer has got its weights.

        Where no training at all is on record, nothing can be said against a block.
        """
        weights = _find_weights(block)
        if weights is None or not self._data_by_weights:
            return False
        return "clean" not in self._data_by_weights.get(weights, ())

    def is_attested(self, block: BlockPart) -> bool:
        """Return whether a block attests weights."""
        return _find_weights(block) is not None

    def sum_cpu(self, blocks: Collection[BlockPart]) -> tuple[float, float]:
        """Return CPU-seconds of training whose result is in some blocks, and of all other training."""
        attested = {_find_weights(block) for block in blocks}
        useful = sum(cpu for (_, weights), cpu in self._cpu.items() if weights in attested)
        return useful, sum(self._cpu.values()) - useful

    def sum_trainings(self, weights: str) -> tuple[int, float]:
        """Return how many trainings gave some weights, and the CPU-seconds of all of them."""
        return self._trainings[weights], sum(cpu_s for (_, found), cpu_s in self._cpu.items() if found == weights)

    def sum_cpu_by_party(self) -> dict[str, float]:
        """Return the CPU-seconds each party has trained; the virtual engine charges simulated ones."""
        sums: defaultdict[str, float] = defaultdict(float)
        for (who, _), cpu_s in self._cpu.items():
            sums[who] += cpu_s
        return sums

    # ---- counting ----

    def _add_result(self, who: str, weights: str, data: str, cpu_s: float, times: int = 1) -> None:
        self._data_by_weights[weights].add(data)
        self._trainings[weights] += times
        self._cpu[who, weights] += cpu_s

    def _add_comparison(self, fact: Compared) -> None:
        self.compared[fact.within] += 1
        if fact.within:
            self.farthest_within = max(self.farthest_within or 0.0, fact.distance or 0.0)

    def _add_counted(self, fact: Counted) -> None:
        match fact.part:
            case ComparedCount(within=within, honest=is_honest):
                if is_honest:
                    self.compared[within] += fact.count
            case TrainedCount(weights=weights, data=data):
                self._add_result("counted", weights, data, fact.amount / 1e6, fact.count)
            case _:
                raise TypeError(f"no figure knows of {type(fact.part).__name__}")


def _find_weights(block: BlockPart) -> str | None:
    """Return the short digest of the weights that a block attests; None for a block of another mechanism."""
    return block.weights if isinstance(block, TrainingBlock) else None
