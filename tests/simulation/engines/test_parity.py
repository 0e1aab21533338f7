"""One lossless scenario on both engines: the same training, the same refusals and the same model."""

from typing import Any

import pytest

from protocol.mechanisms.proof_of_training.reasons import TrainingReason
from protocol.verdicts import ChainReason, FrameReason, Reason
from simulation.records.lines import Value
from tests.support.processes import Finished, Run, Verify, find_traces, sets

pytestmark = [pytest.mark.processes, pytest.mark.xdist_group("parity")]

ENGINES = ("processes", "virtual")
STAGES = 3
SETTINGS = (
    "dataset.name=digits",
    f"job={{steps_per_stage: 15, stages: {STAGES}, layers: [32]}}",
    "populations.honest.count=4",
    "populations.silent.count=1",
    "users={count: 3, transactions: 5}",
    "run.linger_s=30",
    "output.pictures=false",
)

EXPECTED: dict[str, set[Reason]] = {
    "poisoners": {TrainingReason.DIFFERENT_WEIGHTS},
    "garbage": {FrameReason.MALFORMED, ChainReason.BAD_SIGNATURE, FrameReason.OVERSIZED},
}
"""Refusals that no order of events can prevent or cause."""
TIMELESS = {reason.value for reasons in EXPECTED.values() for reason in reasons}

Runs = dict[str, Finished]


@pytest.fixture(scope="module")
def runs(run: Run) -> Runs:
    finished: Runs = {}
    for engine in ENGINES:
        finished[engine] = run("run", "troublemakers", "--engine", engine, *sets(*SETTINGS))
        assert (finished[engine].code, find_traces(finished[engine].told)) == (0, [])
    return finished


def get_training(run: Finished) -> dict[tuple[str, Value], tuple[Value, ...]]:
    """Return what each node got for each stage it trained."""
    names = ("weights", "steps", "loss", "losses", "data")
    return {
        (record.who, record.fields["stage"]): tuple(record.fields[name] for name in names)
        for record in run.find("trained")
    }


def get_refusals(run: Finished) -> dict[str, set[str]]:
    refused: dict[str, dict[str, int]] = run.summary["attack"]["refused_by_population"]
    return {population: set(reasons) & TIMELESS for population, reasons in refused.items() if set(reasons) & TIMELESS}


def test_every_stage_gives_every_node_the_same_weights_and_losses(runs: Runs) -> None:
    processes, virtual = (get_training(runs[engine]) for engine in ENGINES)
    both = set(processes) & set(virtual)
    assert {key: processes[key] for key in both} == {key: virtual[key] for key in both}
    honest = {(f"honest-{index}", stage) for index in range(4) for stage in range(STAGES)}
    others = {(label, 0) for label in ("poisoners-0", "poisoners-1", "silent-0", "garbage-0")}
    assert honest | others <= both
    by_honest = {virtual[who, stage] for who, stage in honest}
    assert len(by_honest) == STAGES
    assert len({virtual["honest-0", 0], virtual["poisoners-0", 0], virtual["poisoners-1", 0]}) == 3


def test_the_same_is_refused_for_the_same_reasons(runs: Runs) -> None:
    expected = {population: {reason.value for reason in reasons} for population, reasons in EXPECTED.items()}
    assert {engine: get_refusals(runs[engine]) for engine in ENGINES} == dict.fromkeys(ENGINES, expected)
    for engine in ENGINES:
        assert "honest" not in runs[engine].summary["attack"]["refused_by_population"]


def test_the_same_model_comes_out(runs: Runs) -> None:
    processes, virtual = (runs[engine].summary for engine in ENGINES)
    assert processes["engine"] != virtual["engine"]
    for name in ("weights_digest", "test_accuracy", "recalls", "coverage"):
        assert processes["training"][name] == virtual["training"][name] is not None, name
    for name in ("poisoned_stages_honest", "poisoned_stages_employer", "employer_deceived", "trigger_success"):
        assert processes["attack"][name] == virtual["attack"][name], name


def test_the_same_measurement_belongs_to_each_height(runs: Runs) -> None:
    measured: list[list[tuple[Value, ...]]] = [
        sorted(
            {(r.fields["height"], r.fields["accuracy"], r.fields["recalls"]) for r in runs[engine].find("evaluated")}
        )
        for engine in ENGINES
    ]
    assert measured[0] == measured[1]
    assert [row[0] for row in measured[0]] == list(range(1, STAGES + 1))


def test_both_end_the_same_way(runs: Runs) -> None:
    def describe(summary: dict[str, Any]) -> tuple[Any, ...]:
        chain = summary["chain"]
        return summary["ended"], chain["height"], chain["honest_agreement"], summary["employer"]["outcome"]

    found = {describe(runs[engine].summary) for engine in ENGINES}
    assert found == {("complete", STAGES, 1.0, "delivered")}
    assert [runs[engine].summary["broken_invariant"] for engine in ENGINES] == [None, None]


@pytest.mark.parametrize("engine", ENGINES)
def test_both_leave_a_folder_that_is_verified_with_training(engine: str, runs: Runs, verify: Verify) -> None:
    told = verify(runs[engine].folder, "--retrain")
    assert (told.code, told.out.splitlines()[-1]) == (0, "verified"), told.told
    assert len([line for line in told.out.splitlines() if "trained again" in line]) == STAGES
