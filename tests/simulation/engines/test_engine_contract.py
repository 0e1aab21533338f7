"""What every engine promises, whatever its time and its links are made of: each engine of the table is held to it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import msgspec
import pytest

from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.rules import Rules
from simulation.analysis.after_run import find_broken, find_chain_fault
from simulation.engines.engine import Engine, EngineSetup
from simulation.engines.result import EngineResult
from simulation.engines.table import ENGINES, find_engine
from simulation.foundation.interruption import Interruption
from simulation.records.facts import Spent
from simulation.records.record import Record
from simulation.records.run_files import MODEL_NAME
from simulation.records.tally import Tally
from simulation.runs.observer import RunObserver
from simulation.scenario.engine_traits import ENGINE_TRAITS
from simulation.scenario.scenario import Scenario
from simulation.scenario.world.building import build_world
from simulation.scenario.world.world import EMPLOYER, World
from tests.support.memory_runs import make_raw, population
from tests.support.scenarios import ROOT, make_images

IMAGES = make_images(200, 40)
STAGES = 2
LONG = 100
"""Stages of a job that is not done before the engine has looked at the user's wishes."""
TRANSFERS = 3
SLOW = {"processes": pytest.mark.processes}
RAW: dict[str, Any] = make_raw(
    population("honest", 4, stake=10.0),
    population("poisoners", 1, "data_injection", stake=30.0),
    job={"steps_per_stage": 20, "stages": STAGES, "layers": [16], "batch_size": 8},
    users={"count": 2, "transactions": TRANSFERS, "per_second": 50.0},
)


@dataclass
class Run:
    """One run of an engine, and all that it has said."""

    engine: Engine
    world: World
    folder: Path
    tally: Tally
    records: list[Record]
    phases: list[str]
    before: float
    """What the engine's clock said before the run."""
    result: EngineResult = field(default_factory=lambda: EngineResult("not run"))

    def get_chain(self, label: str) -> list[WrappedBlock]:
        kind: Any = self.world.mechanism.block
        return [msgspec.msgpack.decode(block, type=kind) for block in self.result.chains[label]]

    def get_records(self, label: str) -> list[Record]:
        return [record for record in self.records if record.who == label]


def make_scenario(name: str, stages: int) -> Scenario:
    """Return a small scenario for an engine, with training that is made up where the engine can do that."""
    trainer = "fake" if ENGINE_TRAITS[name].makes_training_up else "keras"
    job = {**RAW["job"], "stages": stages}
    return Scenario.model_validate({**RAW, "engine": name, "job": job, "virtual": {"trainer": trainer}})


def run(name: str, folder: Path, *, is_interrupted: bool = False) -> Run:
    """Run an engine to its end, or until its first look at the user's wishes."""
    world = build_world(make_scenario(name, LONG if is_interrupted else STAGES), IMAGES.name, IMAGES.compute_digest())
    observer, interruption = RunObserver(world), Interruption()
    observer.count_nodes()
    tally, records, phases = observer.tally, list[Record](), list[str]()
    weights, journals = folder / "weights", folder / "journal"
    weights.mkdir()
    journals.mkdir()

    def sink(record: Record) -> None:
        records.append(record)
        tally.add(record)

    def tick(phase: str) -> None:
        phases.append(phase)
        if is_interrupted:
            interruption.signum = signal.SIGINT

    factory = find_engine(name)
    factory.prepare(world.mechanism.name)
    setup = EngineSetup(
        world=world,
        images=IMAGES,
        scratch=folder,
        weights_folder=weights,
        model_path=folder / MODEL_NAME,
        journal_folder=journals,
        interruption=interruption,
        started_at=time.monotonic_ns(),
        tally=tally,
        sink=sink,
        on_tick=tick,
        is_stuck=lambda: False,
        sample=lambda pids: None,
    )
    engine = factory.build(setup)
    made = Run(engine, world, folder, tally, records, phases, engine.now())
    made.result = engine.run()
    return made


@pytest.fixture(scope="module", params=[pytest.param(name, marks=SLOW.get(name, ())) for name in ENGINES])
def name(request: pytest.FixtureRequest) -> Iterator[str]:
    """Return the name of an engine; what it does to this process's environment ends with its tests."""
    before = dict(os.environ)
    yield request.param
    os.environ.clear()
    os.environ.update(before)
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # the library's own way to end it in tests


@pytest.fixture(scope="module")
def complete(name: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run to the end."""
    return run(name, tmp_path_factory.mktemp("complete"))


@pytest.fixture(scope="module")
def interrupted(name: str, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Return a run that the user has ended."""
    return run(name, tmp_path_factory.mktemp("interrupted"), is_interrupted=True)


class TestContract:
    def test_the_job_is_delivered_and_honest_nodes_agree(self, complete: Run) -> None:
        assert complete.result.reason == "complete"
        honest = sorted(complete.world.get_honest())
        assert len({complete.result.chains[label] for label in (*honest, EMPLOYER)}) == 1
        assert len(complete.result.chains[EMPLOYER]) == STAGES
        assert complete.tally.compute_agreement()[0] == 1

    def test_every_party_hands_its_chain_back(self, complete: Run) -> None:
        assert set(complete.result.chains) == {*(node.label for node in complete.world.nodes), EMPLOYER}
        rules = Rules(complete.world.mechanism)
        for label, chain in complete.result.chains.items():
            blocks = complete.get_chain(label)
            assert [block.height for block in blocks] == list(range(1, len(blocks) + 1))
            assert find_chain_fault(rules, chain) is None

    def test_no_invariant_is_broken(self, complete: Run) -> None:
        assert find_broken(complete.world, complete.tally, complete.result.chains) is None

    def test_poison_is_refused_by_honest_nodes(self, complete: Run) -> None:
        assert complete.tally.rejected_from["poisoners"]["different-weights"] > 0
        assert complete.tally.count_poisoned_honest() == 0
        assert complete.tally.rejected_from["honest"].total() == 0

    def test_the_records_of_each_party_begin_and_end_it(self, complete: Run) -> None:
        for label in (*(node.label for node in complete.world.nodes), EMPLOYER):
            events = [record.event for record in complete.get_records(label)]
            assert (events[0], events[-1]) == ("started", "final")
            assert (events.count("started"), events.count("final")) == (1, 1)

    def test_each_party_tells_what_it_has_spent(self, complete: Run) -> None:
        for label in (*(node.label for node in complete.world.nodes), EMPLOYER):
            (told,) = [record.fact for record in complete.get_records(label) if isinstance(record.fact, Spent)]
            assert told.checked >= STAGES, "a block has a signature at least"
            assert label == EMPLOYER or (told.cpu_s > 0 and told.signed > 0)

    def test_the_clock_starts_once_and_before_any_block(self, complete: Run) -> None:
        events = [record.event for record in complete.records]
        assert events.count("genesis") == 1
        assert events.index("genesis") < events.index("appended")

    def test_no_party_takes_back_time(self, complete: Run) -> None:
        for label in {record.who for record in complete.records}:
            times = [record.time for record in complete.get_records(label)]
            assert times == sorted(times)
        assert 0 <= complete.before <= complete.engine.now()

    def test_every_node_trains_every_stage_it_says_it_trains(self, complete: Run) -> None:
        for label in complete.world.get_honest():
            trained = [record.fields for record in complete.get_records(label) if record.event == "trained"]
            assert [fields["stage"] for fields in trained] == list(range(STAGES))
            assert {fields["data"] for fields in trained} == {"clean"}
            assert [fields["weights"] for fields in trained] == [
                f"0x{block.header.weights_digest.hex()[:12]}" for block in complete.get_chain(label)
            ]

    def test_users_issue_their_transfers(self, complete: Run) -> None:
        sent = [record.fields for record in complete.records if record.who.startswith("user-")]
        assert len(sent) == TRANSFERS
        assert {fields["kind"] for fields in sent} == {"transaction"}

    def test_each_party_keeps_a_whole_journal(self, complete: Run) -> None:
        for label in (*(node.label for node in complete.world.nodes), EMPLOYER):
            *lines, end = (complete.folder / "journal" / f"{label}.jsonl").read_text("utf-8").splitlines()
            assert json.loads(end) == {"event": "end", "lines": len(lines)}

    def test_there_is_a_model_where_something_was_trained(self, complete: Run) -> None:
        is_made_up = complete.world.scenario.is_training_made_up
        assert (complete.folder / MODEL_NAME).exists() is not is_made_up

    def test_the_user_is_told_what_goes_on(self, complete: Run) -> None:
        assert complete.phases
        assert all(complete.phases)

    def test_an_interruption_ends_it_in_order(self, interrupted: Run) -> None:
        assert interrupted.result.reason == "interrupted"
        assert interrupted.result.chains.keys() <= {*(node.label for node in interrupted.world.nodes), EMPLOYER}
        assert find_broken(interrupted.world, interrupted.tally, interrupted.result.chains) is None

    def test_a_seed_gives_the_same_records_again_where_that_is_promised(
        self, name: str, complete: Run, tmp_path: Path
    ) -> None:
        if ENGINE_TRAITS[name].is_repeatable:
            again = run(name, tmp_path)
            assert again.records == complete.records
            assert again.result == complete.result

    def test_only_engines_with_processes_need_descriptors(self, name: str, complete: Run) -> None:
        needed = find_engine(name).descriptors_needed(complete.world)
        assert (needed == 0) is ENGINE_TRAITS[name].is_simulated


def test_table_and_traits_have_the_same_names() -> None:
    assert list(ENGINES) == list(ENGINE_TRAITS)


def test_an_unknown_engine_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="steam"):
        find_engine("steam")


@pytest.mark.processes
def test_looking_an_engine_up_loads_no_tensorflow() -> None:
    code = (
        "import sys\n"
        "from simulation.engines.table import ENGINES, find_engine\n"
        "list(map(find_engine, ENGINES))\n"
        "print(sorted({'tensorflow', 'keras', 'matplotlib', 'ray'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
