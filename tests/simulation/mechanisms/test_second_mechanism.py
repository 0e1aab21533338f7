"""A mechanism that is registered from a test folder runs on every engine, and no file of the package knows it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from protocol.mechanisms import list_mechanisms
from simulation.commands import cli
from simulation.commands.report.run_pictures import RUN_PICTURES, draw_pictures
from simulation.commands.report.sources import read_run
from simulation.commands.report.style import styled
from simulation.engines.table import ENGINES
from simulation.foundation.project import ROOT
from simulation.runs.chain_file import read_chain
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import CONFIGS, load_scenario
from tests.round_robin.mechanism import RoundRobin, SealedBlock
from tests.round_robin.parts import register

SCENARIO = ROOT / "tests" / "round_robin" / "round_robin.yaml"
LENGTH, NODES, TRANSFERS = 6, 5, 6
HEAVY = {"processes": pytest.mark.processes}

register()


@pytest.fixture(scope="module", params=[pytest.param(name, marks=HEAVY.get(name, ())) for name in ENGINES])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run from the command line, which has ended well."""
    out = tmp_path_factory.mktemp("round_robin")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(out)
        arguments = ["run", str(SCENARIO), "--engine", str(request.param), "--out", str(out), "--set"]
        assert cli.main([*arguments, "output.journal=true"]) == 0
    (found,) = out.glob("round_robin-*")
    return found


def read_summary(folder: Path) -> dict[str, Any]:
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))
    return summary


def test_it_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["mechanisms"]) == 0
    told = capsys.readouterr().out
    assert [line.split()[0] for line in told.splitlines()] == list(list_mechanisms())
    assert RoundRobin.summary in told


def test_its_scenario_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["validate", str(SCENARIO)]) == 0
    assert f"valid; {NODES} nodes, {LENGTH} blocks" in capsys.readouterr().out


def test_honest_nodes_agree_on_a_whole_chain(folder: Path) -> None:
    summary = read_summary(folder)
    assert (summary["ended"], summary["broken_invariant"]) == ("complete", None)
    assert (summary["chain"]["height"], summary["chain"]["honest_agreement"]) == (LENGTH, 1.0)
    assert summary["employer"]["outcome"] == "delivered"
    assert summary["messages"]["rejected"] == {}
    assert 0 < summary["ledger"]["transactions"] <= TRANSFERS


def test_nothing_of_training_is_measured_or_drawn(folder: Path) -> None:
    assert set(read_summary(folder)["measures"]) == {"detection", "blocks", "populations", "cost"}
    with styled():
        pictures = draw_pictures(read_run(folder))
    assert len(pictures) == len(RUN_PICTURES)
    assert not any(picture.title == "Training" for picture in pictures)


def test_owners_take_turns(folder: Path) -> None:
    mechanism, blocks = read_chain(folder / "chain.jsonl")
    assert isinstance(mechanism, RoundRobin)
    assert len(blocks) == LENGTH
    assert all(isinstance(block, SealedBlock) for block in blocks)
    assert [block.author for block in blocks[:NODES]] != sorted({block.author for block in blocks})
    assert len({block.author for block in blocks}) == NODES


def test_its_stored_run_holds_and_an_edited_one_does_not(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    no_training = "training: round_robin trains nothing, so there is no training to repeat\n"
    assert cli.main(["verify", str(folder)]) == 0
    assert no_training not in capsys.readouterr().out
    assert cli.main(["verify", "--retrain", str(folder)]) == 0
    assert capsys.readouterr().out.count(no_training) == 1
    edited = tmp_path / folder.name
    edited.mkdir()
    for file in folder.iterdir():
        if file.is_file():
            (edited / file.name).write_bytes(file.read_bytes())
    lines = (edited / "chain.jsonl").read_text("utf-8").splitlines(keepends=True)
    (edited / "chain.jsonl").write_text("".join([*lines[:2], lines[3], *lines[4:]]), "utf-8")
    assert cli.main(["verify", str(edited)]) == 1


def test_its_journals_replay(folder: Path) -> None:
    assert cli.main(["replay", str(folder)]) == 0


def test_its_logs_are_read_without_a_gap(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("pot_sim.log", "events.jsonl"):
        log = read_run(folder / name).log
        assert log.warnings == []
        assert len(log.tally.blocks) >= LENGTH
    assert cli.main(["compare", str(folder), str(folder)]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert str(read_summary(folder)["ledger"]["transactions"]) in told.out


def test_a_scenario_of_another_mechanism_is_found(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / folder.name
    shutil.copytree(folder, other)
    (other / "scenario.yaml").write_text(load_scenario(CONFIGS / "honest.yaml").to_yaml(), "utf-8")
    assert cli.main(["verify", str(other)]) == 1
    assert "chain.jsonl: of round_robin, but scenario.yaml says proof_of_training" in capsys.readouterr().err


def test_a_name_alone_is_blamed_where_it_stands() -> None:
    with pytest.raises(ScenarioError, match="mechanism is called 'nope'") as caught:
        load_scenario(SCENARIO, ["mechanism=nope"])
    assert "constants.py" not in str(caught.value)


def test_its_resolved_scenario_says_the_same_again(folder: Path) -> None:
    assert load_scenario(folder / "scenario.yaml").length == LENGTH
    assert "job" not in (folder / "scenario.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("job.stages=3", "job: round_robin trains nothing; leave the section out"),
        ("dataset.name=digits", "dataset: round_robin trains nothing; leave the section out"),
        ("protocol.stakeholders=2", "protocol.stakeholders: round_robin has no such rule; leave it out"),
        ("populations.honest.arithmetic=canonical", "round_robin trains nothing; leave it out"),
        ("mechanism.length=0", "mechanism.length: write 1 or more"),
        ("mechanism.size=3", "length"),
        ("mechanism.name=patience", "no mechanism is called 'patience'; there are proof_of_training, proof_of_work"),
    ],
)
def test_keys_that_mean_nothing_to_it_are_refused(setting: str, told: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(SCENARIO, [setting])
    assert told in str(caught.value)
