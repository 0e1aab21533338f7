"""A model that is not finite any more: the employer warns once, and everything that shows a model says so."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from rich.console import Console

from protocol.events import BlockAppended
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.rules import Rules
from simulation.analysis.chain_walk import walk_chain
from simulation.analysis.comparison import build_frame
from simulation.commands.report.headline import build_headline
from simulation.commands.report.sources import Run
from simulation.mechanisms.proof_of_training.employer import EmployerDesk
from simulation.mechanisms.proof_of_training.summary import summarise_training
from simulation.mechanisms.proof_of_training.view import TrainingView
from simulation.records.fact import Fact
from simulation.records.reading import RunLog
from simulation.records.tally import Tally
from simulation.records.training_facts import Diverged, Evaluated, Unsaved
from simulation.runs.closing_tables import print_summary
from simulation.runs.live_view import LiveView
from simulation.runs.summary import build_summary
from simulation.training.evaluation import Evaluation
from tests.support.memory_runs import Ended, make_raw, population, simulate
from tests.support.scenarios import note, opening


class MadeUpEvaluator:
    """Finds every model as good as any other."""

    def evaluate(self, weights: object) -> Evaluation:
        return Evaluation(0.1, (1.0, 0.0), 0.0)


class MadeUpStore:
    """Holds weights that are not finite from some block on."""

    def __init__(self, finite: set[bytes]) -> None:
        self._finite = finite

    def get(self, digest: bytes) -> list[Any]:
        return [np.ones(3, np.float32), np.array([0.0 if digest in self._finite else np.nan], np.float32)]


@pytest.fixture(scope="module")
def ended() -> Ended:
    run = simulate(make_raw(population("honest", 3), job={"stages": 4}))
    run.assert_agreed()
    return run


def measure(ended: Ended, finite: int) -> list[Fact]:
    """Let the employer measure the chain of a run, whose first blocks only have finite models."""
    rules = Rules(ended.world.mechanism)
    blocks = [rules.decode_block(block) for block in ended.result.chains["employer"]]
    digests = {block.header.weights_digest for block in blocks[:finite] if isinstance(block, WrappedBlock)}
    told: list[Fact] = []
    desk = EmployerDesk(cast(Any, MadeUpEvaluator()), cast(Any, MadeUpStore(digests)), told.append)
    for step in walk_chain(rules, blocks):
        assert step.record is not None
        desk.measure(BlockAppended(step.record, None))
    return told


def tell(ended: Ended, told: list[Fact]) -> Tally:
    """Return the tally of a run whose employer has told some facts."""
    tally = Tally()
    tally.add(opening(engine="virtual", stages=4))
    for node in ended.world.nodes:
        tally.add(note(node.label, "node", population=node.population, role=node.role, stake=node.stake))
    for record in ended.records:
        tally.add(record)
    for fact in told:
        tally.training.add("employer", fact, is_honest=False)
    return tally


@pytest.mark.parametrize("finite", [0, 2])
def test_the_first_block_whose_model_is_not_finite_is_told_once(ended: Ended, finite: int) -> None:
    told = measure(ended, finite)
    assert [fact.stage for fact in told if isinstance(fact, Diverged)] == [finite]
    assert sum(isinstance(fact, Evaluated) for fact in told) == 4
    assert tell(ended, told).find_divergence() == finite


def test_nothing_is_told_of_models_that_are_finite(ended: Ended) -> None:
    told = measure(ended, 4)
    assert not any(isinstance(fact, Diverged) for fact in told)
    assert tell(ended, told).find_divergence() is None
    assert "not_finite_since_stage" not in summarise_training(ended.world, tell(ended, told), [], 60)


def test_a_branch_that_the_employer_left_says_nothing_of_its_model(ended: Ended) -> None:
    told: list[Fact] = [Diverged(stage=0, height=1, block="0xabandoned")]
    assert tell(ended, told).find_divergence() is None


def test_summary_screen_comparison_and_report_say_since_when(ended: Ended) -> None:
    tally = tell(ended, [*measure(ended, 2), Unsaved("model.keras cannot be written: No space left on device")])
    assert summarise_training(ended.world, tally, [], 60)["not_finite_since_stage"] == 2
    summary = build_summary(ended.world, tally, ended.result.chains["employer"], 60)
    summary |= {"broken_invariant": None, "cost": dict.fromkeys(summary["cost"], 0.0)}
    summary["cost"] |= {"wall_s": 1.0, "cpu_s": 1.0, "memory_pss_mb_max": 1.0}
    console = Console(width=120, record=True)
    with console.capture() as captured:
        print_summary(console, tally, summary, view=TrainingView(), rules=None, folder="runs/it")
        console.print(
            LiveView(console, tally, "title", 4, mechanism=TrainingView(), is_counted=False)._render("phase", 1.0)
        )
    shown = captured.get()
    assert "the model is not finite since stage 2 (height 3)" in shown
    assert "the model is not kept: model.keras cannot be written: No space left on device" in shown
    assert "4/4 not finite since stage 2" in shown
    log = RunLog(Path("pot_sim.log"), "it", tally)
    frame = build_frame([log])
    assert "not finite since stage 2" in frame.loc["test accuracy"].iloc[0]
    headline = {row[0]: row[1] for row in build_headline(Run("it", log, cast(Any, None), "proof_of_training")).rows}
    assert headline["test accuracy"].endswith("the model is not finite since stage 2")
