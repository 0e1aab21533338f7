"""A behaviour from a file stands in front of its nodes, with keys of its own, and what it does wrong ends the run."""

import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import simulation as pot
from simulation.commands import cli
from simulation.foundation.plugin_table import put_in_force
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import load_scenario
from tests.simulation.plugins.material import MUMBLER, mumbling, save_lab, write

MADE_UP: dict[str, Any] = {"virtual": {"trainer": "fake"}}


@pytest.fixture(autouse=True)
def _leave_nothing_in_force() -> Iterator[None]:
    yield
    put_in_force(())


def run(file: Path, *options: str) -> int:
    return cli.main(["run", str(file), "--out", str(file.parent / "runs"), "--quiet", *options])


def test_it_says_as_much_as_its_share_leaves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, MUMBLER)
    said = []
    for share in (0.0, 1.0):
        kept: dict[str, Any] = {"output": {"pictures": False, "journal": True}}
        file = save_lab(tmp_path, mumbling({"kind": "mumbler", "share": share}), **MADE_UP, **kept)
        assert run(file) == 0
        folder = Path(capsys.readouterr().out.strip())
        lines = (folder / "pot_sim.log").read_text("utf-8").splitlines()
        said.append(sum(" bad-0 " in line and " sent " in line for line in lines))
        put_in_force(())
        assert cli.main(["verify", str(folder), "--trust-plugins"]) == 0
        assert cli.main(["replay", str(folder), "--trust-plugins"]) == 0
        capsys.readouterr()
    assert said[0] > said[1] == 0


def test_its_keys_are_read_strictly(tmp_path: Path) -> None:
    write(tmp_path, MUMBLER)
    for behaviours, told in (
        ([{"kind": "mumbler", "share": 2.0}], "behaviours.0.share: write 1 or less, not 2.0"),
        ([{"kind": "mumbler", "shar": 0.5}], "behaviours.0.shar: unknown key; did you mean 'share'?"),
        ([{"kind": "mumbler", "rate": 0.5}], "behaviours.0.rate: unknown key; allowed here: kind, share"),
        (["silent", "mumblr"], "behaviours.1.kind: no behaviour is called 'mumblr'; did you mean 'mumbler'?"),
        (["mumbler", "mumbler"], "behaviours.1: mumbler is behaviours.0 already; leave one of them out"),
    ):
        with pytest.raises(ScenarioError) as caught:
            load_scenario(save_lab(tmp_path, mumbling(*behaviours), **MADE_UP))
        assert told in str(caught.value)


def test_it_stands_among_ours_and_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, MUMBLER)
    scenario = load_scenario(save_lab(tmp_path, mumbling("garbage", "mumbler"), **MADE_UP))
    inner, outer = scenario.populations[1].behaviours
    assert (inner.kind, outer.kind, outer.model_dump()["share"]) == ("garbage", "mumbler", 0.5)
    assert type(scenario).model_validate(scenario.model_dump(mode="json")) == scenario
    assert pickle.loads(pickle.dumps(outer)) == outer  # noqa: S301 - just made


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('kind = "mumbler"', 'kind = "silent"', "there is a behaviour called 'silent' already; give it another name"),
        ("    does =", "    did =", "Mumbler must declare does, of the type str"),
        ("traits = Traits", "traits = dict", "Mumbler must declare traits, of the type Traits"),
        ("class Mumbler(Adversary)", "class Mumbler", "Mumbler is no subclass of Adversary"),
        ("MumblerKeys(Parameters)", "MumblerKeys", "Mumbler.parameters must be a subclass of Parameters"),
        ("generator, coalition, share)", "generator, coalition)", "Mumbler.__init__ must take (self, generator, coal"),
        (
            "    parameters",
            "    proposer = dict\n    parameters",
            "Mumbler.proposer must be a subclass of its mechanism's",
        ),
        ("    parameters", "    mechanism = 3\n    parameters", "Mumbler.mechanism must be the name of a mechanism"),
        ("core, action, now)", "core, action)", "Mumbler.speak must take (self, core, action, now)"),
    ],
)
def test_what_is_no_behaviour_is_refused_with_its_line(tmp_path: Path, before: str, after: str, told: str) -> None:
    write(tmp_path, MUMBLER.replace(before, after))
    with pytest.raises(ScenarioError) as caught:
        load_scenario(save_lab(tmp_path, mumbling(), **MADE_UP))
    assert f"my_lab.py:13: {told}" in str(caught.value)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("return ()", "return 1 / 0", "my_lab.py:27: ZeroDivisionError: division by zero"),
        ("return ()", "return __import__('sys').exit(0)", "my_lab.py:27: SystemExit: 0"),
        ("self.share = share", "self.share = shares", "my_lab.py:23: NameError: name 'shares' is not defined"),
        ("return ()", "return None", "my_lab.py:25: Mumbler.speak returned a NoneType; return a sequence of actions"),
        ("return ()", "return ['hush']", "my_lab.py:25: Mumbler.speak returned a str among actions"),
    ],
)
def test_what_it_raises_ends_the_run_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], before: str, after: str, told: str
) -> None:
    write(tmp_path, MUMBLER.replace(before, after))
    assert run(save_lab(tmp_path, mumbling(), **MADE_UP)) == 1
    err = capsys.readouterr().err
    assert "failed at event " in err
    assert told in err
    assert err.count("\n") == 1


def test_a_loop_without_an_end_is_ended_at_the_time_limit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(
        tmp_path, MUMBLER.replace("        is_left_out", "        while True:\n            pass\n        is_left_out")
    )
    assert run(save_lab(tmp_path, mumbling(), **MADE_UP, run={"time_limit_s": 0.5})) == 1
    err = capsys.readouterr().err
    assert "bad-0 failed at event " in err
    assert "this has not come back within run.time_limit_s, 0.5 s" in err


def test_a_loop_without_an_end_is_soon_ended_when_the_run_is_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulation.foundation.plugin_watch.GRACE_S", 0.1)
    sign = tmp_path / "looping"
    loop = f"        open({str(sign)!r}, 'w').close()\n        while True:\n            pass\n        is_left_out"
    write(tmp_path, MUMBLER.replace("        is_left_out", loop))
    scenario = pot.load(save_lab(tmp_path, mumbling(), **MADE_UP, run={"time_limit_s": 100}))
    with pytest.raises(pot.SimulationError, match="this has not come back within 2 s of the wish to end"):
        pot.run(scenario, tmp_path / "runs", cancel=SimpleNamespace(is_set=sign.exists))


def test_figures_are_those_of_the_same_behaviour_each_time(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, MUMBLER)
    file = save_lab(tmp_path, mumbling(), **MADE_UP)
    events = set()
    for _ in range(2):
        assert run(file) == 0
        folder = Path(capsys.readouterr().out.strip())
        events.add((folder / "events.jsonl").read_bytes())
        assert json.loads((folder / "summary.json").read_text("utf-8"))["ended"] == "complete"
    assert len(events) == 1
