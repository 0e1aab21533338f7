"""A mechanism in one file, with an attacker of its own, runs on both engines; nothing of it is imported here."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.mechanisms import list_mechanisms
from simulation.commands import cli
from simulation.engines.table import ENGINES
from simulation.foundation.plugin_table import put_in_force
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import load_scenario
from tests.simulation.plugins.material import MUMBLER, find_example, write
from tests.support.scenarios import ROOT

ENDING = find_example("A mechanism").python
TURNS = f"{(ROOT / 'tests' / 'round_robin' / 'mechanism.py').read_text('utf-8')}\n\n{ENDING}".replace(
    '"round_robin"', '"turns"'
)
FAILING = MUMBLER.replace("return () if", "return 1 / 0 if")
HEAVY = {"processes": pytest.mark.processes}


@pytest.fixture(autouse=True)
def _leave_nothing_in_force() -> Iterator[None]:
    yield
    put_in_force(())


def save_turns(folder: Path, *, engine: str, share: float) -> Path:
    write(folder, TURNS, "turns.py")
    file = folder / "scenario.yaml"
    file.write_text(
        f"""
name: turns
description: owners take turns, one of them mumbles
plugins: [turns.py, my_lab.py]
engine: {engine}
mechanism: {{name: turns, length: 4}}
protocol: {{slot_ms: 100.0}}
populations:
  - {{name: honest, role: honest, count: 2}}
  - {{name: bad, role: adversary, count: 1, behaviours: [{{kind: mumbler, share: {share}}}]}}
users: {{count: 0, transactions: 0}}
run: {{time_limit_s: 60.0}}
output: {{pictures: false}}
""",
        "utf-8",
    )
    return file


@pytest.mark.parametrize("engine", [pytest.param(name, marks=HEAVY.get(name, ())) for name in ENGINES])
def test_it_runs_and_is_verified_by_its_own_copy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], engine: str
) -> None:
    write(tmp_path, MUMBLER)
    file = save_turns(tmp_path, engine=engine, share=0.0)
    assert cli.main(["run", str(file), "--out", str(tmp_path / "runs"), "--quiet"]) == 0
    folder = Path(capsys.readouterr().out.strip())
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert (summary["ended"], summary["chain"]["height"]) == ("complete", 4)
    put_in_force(())
    assert "turns" not in list_mechanisms()
    assert cli.main(["verify", str(folder), "--trust-plugins"]) == 0


@pytest.mark.processes
def test_what_a_plugin_raises_in_a_process_ends_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, FAILING)
    assert cli.main(["run", str(save_turns(tmp_path, engine="processes", share=1.0)), "--out", str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert "bad-0 failed: " in err
    assert "my_lab.py:27: ZeroDivisionError: division by zero; see it again: python main.py run " in err
    (log,) = tmp_path.glob("turns-*/pot_sim.log")
    assert " bad-0 crashed " in log.read_text("utf-8")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('"turns"', '"proof_of_work"', "there is a mechanism called 'proof_of_work' already; give it another name"),
        ('"genesis": build', '"geneses": build', "the mechanism 'turns' has a part 'geneses'; did you mean 'genesis'?"),
        (', "genesis": build_genesis', "", "the mechanism 'turns' needs the part genesis"),
        ("register_mechanism(RoundRobin", "register_mechanism(Sealer", "Sealer is no subclass of Mechanism"),
    ],
)
def test_what_is_no_mechanism_is_refused(tmp_path: Path, before: str, after: str, told: str) -> None:
    write(tmp_path, MUMBLER)
    file = save_turns(tmp_path, engine="virtual", share=0.0)
    write(tmp_path, TURNS.replace(before, after), "turns.py")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(file)
    assert told in str(caught.value)
    assert "plugins.0: " in str(caught.value)


def test_two_files_with_one_name_are_told_apart_from_one_file_twice(tmp_path: Path) -> None:
    write(tmp_path, TURNS + "\n# another version\n")
    with pytest.raises(ScenarioError, match=r"there is a mechanism called 'turns' already; give it another name"):
        load_scenario(save_turns(tmp_path, engine="virtual", share=0.0))
