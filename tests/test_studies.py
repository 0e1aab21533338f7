"""The shipped studies: every sweep can be read, and every one is drawn with the closed form it names."""

from pathlib import Path

import pandas as pd
import pytest
import yaml

from benchmarks.studies import STUDIES, publish
from benchmarks.studies import main as publish_all
from simulation.commands.cli import main
from simulation.commands.sweeps.sweep_file import load_sweep
from simulation.scenario.loading import CONFIGS

pytestmark = [pytest.mark.many_runs, pytest.mark.drawing]

FOLDER = CONFIGS / "studies"
SWEEPS = sorted(path for path in FOLDER.glob("*.yaml") if "vary" in yaml.safe_load(path.read_text("utf-8")))


def test_every_sweep_has_a_picture_and_every_picture_a_sweep() -> None:
    assert {path.stem for path in SWEEPS} == set(STUDIES)
    assert len(SWEEPS) == 8


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_every_sweep_can_be_read_and_names_itself(path: Path) -> None:
    sweep = load_sweep(path)
    assert sweep.name == path.stem
    assert sweep.count_combinations() >= 6


def test_the_first_study_has_the_cells_it_promises() -> None:
    sweep = load_sweep(FOLDER / "a_majority.yaml")
    assert sweep.count_combinations() == 21 * 9
    assert sweep.count_cells() == 21 * 9 * 200


def test_a_small_copy_of_a_study_runs_and_is_drawn_with_its_closed_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    raw = yaml.safe_load((FOLDER / "c_lazy.yaml").read_text("utf-8"))
    raw["vary"]["nodes"]["values"] = [[17, 3, 0], [3, 3, 14]]
    small = {**raw, "scenario": str(FOLDER / "race.yaml"), "repeats": 20}
    Path("c_lazy.yaml").write_text(yaml.safe_dump(small), "utf-8")
    assert main(["sweep", "c_lazy.yaml", "--jobs", "1"]) == 0
    (folder,) = Path("sweeps").iterdir()
    publish(folder, Path("out"))
    assert "the closed form lies in the 95 % interval in 2 of 2 cells" in capsys.readouterr().out
    table = pd.read_csv("out/c_lazy.csv")
    assert list(table["attack.employer_deceived.closed_form"].round(3)) == [0.0, 0.5]
    assert list(table["n"]) == [20, 20]
    assert {path.suffix for path in Path("out").iterdir()} == {".csv", ".png", ".svg"}


def test_a_folder_of_another_sweep_is_answered_with_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "c_lazy-000"
    folder.mkdir()
    (folder / "aggregate.csv").write_text("a.key,n,failed,chain.height.mean\n1,2,0,3\n", "utf-8")
    monkeypatch.setattr("sys.argv", ["studies", str(folder), "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit) as ended:
        publish_all()
    assert ended.value.code == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert "no column 'populations.lazy.count'; give the folder that configs/studies/c_lazy.yaml made" in told
