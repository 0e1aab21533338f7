"""Runs of the virtual engine in memory, with made-up training: scenarios, and what comes out of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulation.analysis.after_run import find_broken
from simulation.engines.result import EngineResult
from simulation.engines.virtual.engine import VirtualEngine
from simulation.records.record import Record
from simulation.records.tally import Tally
from simulation.runs.in_memory import MemoryRun
from simulation.scenario.scenario import Scenario
from simulation.scenario.world.building import build_world
from simulation.scenario.world.world import World
from simulation.training.data_sets.image_set import MADE_UP_DATA, ImageSet


def population(name: str, count: int, role: str = "honest", **changes: Any) -> dict[str, Any]:
    return {"name": name, "role": role, "count": count, **changes}


def make_raw(*populations: dict[str, Any], seed: int = 7, **sections: Any) -> dict[str, Any]:
    """Return a raw scenario with made-up training; sections replace single keys of their defaults."""
    raw: dict[str, Any] = {
        "name": "in-memory",
        "description": "a run of a test",
        "seed": seed,
        "engine": "virtual",
        "job": {"steps_per_stage": 100, "stages": 3},
        "protocol": {"slot_ms": 100.0, "confidence": {"count": 2}, "stakeholders": 2},
        "populations": list(populations) or [population("honest", 5)],
        "users": {"count": 0, "transactions": 0},
        "network": {"latency": {"kind": "uniform", "ms": 5.0, "max_ms": 40.0}},
        "virtual": {"trainer": "fake"},
        "run": {"time_limit_s": 300.0, "linger_s": 60.0},
        "output": {"pictures": False},
    }
    for name, section in sections.items():
        raw[name] = {**raw[name], **section}
    return raw


def make_world(raw: dict[str, Any]) -> World:
    return build_world(Scenario.model_validate(raw), "made up", bytes(32))


@dataclass(frozen=True)
class Simulated:
    """A run of the virtual engine, from its first record to its last."""

    world: World
    engine: VirtualEngine
    records: list[Record]
    tally: Tally

    def run(self) -> "Ended":
        """Run to the end."""
        result = self.engine.run()
        return Ended(self.world, self.engine, self.records, self.tally, result)


@dataclass(frozen=True)
class Ended(Simulated):
    """A run that has ended."""

    result: EngineResult

    @property
    def broken(self) -> str | None:
        return find_broken(self.world, self.tally, self.result.chains)

    @property
    def reason(self) -> str:
        return self.result.reason

    @property
    def lines(self) -> list[str]:
        return [record.to_line().to_json() for record in self.records]

    def find(self, event: str, who: str | None = None, **fields: object) -> list[Record]:
        """Return the records of an event, of a party, with certain fields."""
        return [
            record
            for record in self.records
            if record.event == event
            and who in (None, record.who)
            and all(record.fields.get(name) == value for name, value in fields.items())
        ]

    def assert_agreed(self) -> None:
        """Fail unless every honest node that is up has the whole job, and all have the same chain."""
        agreement, best = self.tally.compute_agreement()
        assert (agreement, best.height, self.broken) == (1.0, self.world.scenario.length, None)


def prepare(raw: dict[str, Any], folder: Path | None = None, images: ImageSet = MADE_UP_DATA) -> Simulated:
    """Return an engine that has yet to run."""
    records: list[Record] = []
    run = MemoryRun(Scenario.model_validate(raw), images=images, folder=folder, keep=records.append)
    assert isinstance(run.engine, VirtualEngine)
    return Simulated(run.world, run.engine, records, run.tally)


def simulate(raw: dict[str, Any]) -> Ended:
    """Run a raw scenario to its end."""
    return prepare(raw).run()
