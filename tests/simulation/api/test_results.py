"""What is read of runs and sweeps that lie in folders: asked for by wrong names, cut off, changed, gone."""

import io
import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pyarrow.csv
import pytest
from pandas.testing import assert_frame_equal

import simulation as pot
from simulation.commands.sweeps.digests import write_digests
from simulation.commands.sweeps.tables import write_tables
from simulation.records import OF_THIS_EXECUTION, Appended, Rejected
from tests.support.reports import SWEEP

RESULTS: Final = """attack.share,rule,repeat,seed,cell,error,delivered,height
0.1,a,0,1,0000000000000001,,true,5
0.1,b,0,2,0000000000000002,,true,4
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> pot.Run:
    keys = {"populations.rich.role": "garbage", "mechanism.length": 3, "output.pictures": False}
    return pot.run(pot.load("stake_bft", keys, engine="virtual"), tmp_path_factory.mktemp("runs"))


@pytest.fixture
def copied(made: pot.Run, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made.folder, tmp_path / "copied"))


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return the folder of a sweep over two keys, with both of its tables in both formats."""
    folder = tmp_path / "study"
    folder.mkdir()
    texts = {"results": RESULTS, "aggregate": SWEEP}
    kinds = pyarrow.csv.ConvertOptions(
        strings_can_be_null=True, column_types={"cell": pyarrow.string(), "error": pyarrow.string()}
    )
    tables = {
        stem: pyarrow.csv.read_csv(io.BytesIO(text.encode()), convert_options=kinds) for stem, text in texts.items()
    }
    write_digests(folder, write_tables(folder, tables))
    return folder


def cut_off(path: Path) -> None:
    """Leave the first half of a log's lines."""
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[: len(lines) // 2]))


# ---- records by event ----


def test_events_are_named_by_text_by_type_and_in_lists(made: pot.Run) -> None:
    both = made.records("rejected", "appended")
    assert set(both["event"]) == {"rejected", "appended"}
    assert both.equals(made.records(["rejected", "appended"]))
    assert both.equals(made.records(Rejected, [Appended]))
    assert not len(made.records("crashed"))


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("reject", r"records: 'reject' is no event of a run; did you mean 'rejected'\?$"),
        (["appended", "xyz"], r"records: 'xyz' is no event of a run; there are accepted, .* more$"),
        (3, "records: 3 is no event of a run; there are"),
    ],
)
def test_an_event_that_there_is_not_is_no_empty_table(made: pot.Run, event: str, said: str) -> None:
    with pytest.raises(pot.SimulationError, match=said):
        made.records(event)


# ---- logs that are not whole ----


@pytest.mark.parametrize("damage", [cut_off, Path.unlink])
@pytest.mark.parametrize("name", ["pot_sim.log", "events.jsonl"])
def test_the_log_that_is_whole_is_read(made: pot.Run, copied: Path, name: str, damage: Callable[[Path], None]) -> None:
    damage(copied / name)
    run = pot.open_run(copied)
    if name == "events.jsonl":
        assert run.refusals().equals(made.refusals())
        return
    with pytest.warns(pot.DamageWarning, match=r"pot_sim\.log.*; what is read is events\.jsonl") as warned:
        assert run.refusals().equals(made.refusals())
    assert {warning.filename for warning in warned} == {__file__}
    with pytest.warns(pot.DamageWarning):
        found = run.records()["event"].tolist()
    of_this_execution = {kind.event for kind in OF_THIS_EXECUTION}
    assert found == [event for event in made.records()["event"] if event not in of_this_execution]


def test_what_is_missing_in_both_logs_is_said_each_time(made: pot.Run, copied: Path) -> None:
    for name in ("pot_sim.log", "events.jsonl"):
        cut_off(copied / name)
    run = pot.open_run(copied)
    for read in (run.records, run.refusals, run.records):
        with pytest.warns(pot.DamageWarning, match="changed since the run ended"):
            assert len(read()) <= len(made.records()) // 2 + 1


@pytest.mark.drawing
def test_pictures_are_of_the_log_that_is_whole(made: pot.Run, copied: Path) -> None:
    cut_off(copied / "events.jsonl")
    with pytest.warns(pot.DamageWarning, match=r"what is read is pot_sim\.log, which is whole"):
        drawn = pot.open_run(copied).picture("blocks")
    assert drawn.axes[0].dataLim.bounds == made.picture("blocks").axes[0].dataLim.bounds


# ---- tables that are not whole ----


@pytest.mark.parametrize("stem", ["results", "aggregate"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[4:])])
def test_the_table_that_is_whole_is_read(study: Path, stem: str, damage: Callable[[Path], None]) -> None:
    whole = getattr(pot.open_sweep(study), stem)
    damage(study / f"{stem}.parquet")
    with pytest.warns(pot.DamageWarning, match=f"{stem}.parquet: .*; what is read is {stem}.csv") as warned:
        read = getattr(pot.open_sweep(study), stem)
    assert {warning.filename for warning in warned} == {__file__}
    assert_frame_equal(read, whole, check_dtype=False)
    damage(study / f"{stem}.csv")
    with pytest.raises(pot.SimulationError, match=r"pot\.sweep\(\.\.\.\) with the same sweep|not the fol"):
        getattr(pot.open_sweep(study), stem)


def test_tables_that_nobody_can_vouch_for_are_read_with_a_warning(study: Path) -> None:
    (study / "tables.json").unlink()
    with pytest.warns(pot.DamageWarning, match="nobody can tell"):
        assert len(pot.open_sweep(study).aggregate) == 4


# ---- curves ----


@pytest.mark.drawing
def test_lines_are_those_that_tell_combinations_apart(study: Path) -> None:
    sweep = pot.open_sweep(study)
    (chosen,), (named,) = sweep.draw("attack.share", "height").axes, sweep.draw("attack.share", "height", "rule").axes
    for axes in (chosen, named):
        assert len(axes.containers) == 2


@pytest.mark.drawing
@pytest.mark.parametrize(
    ("x", "figure", "lines", "said"),
    [
        ("attack.share", "height", ["attack.share"], "lines_by leaves out 'rule', which varies too"),
        ("share", "height", [], r"'share' is not a key that the sweep varies; did you mean 'attack\.share'\?"),
        ("seed", "height", [], r"there are attack\.share, rule$"),
        ("attack.share", "height", "rul", r"did you mean 'rule'\?"),
        ("attack.share", ["height"], [], r"^draw: write the name of one figure, .*, not \['height'\]$"),
        ("attack.share", "heights", [], r"'heights' is not a figure of the sweep; did you mean 'height'\?"),
    ],
)
def test_a_curve_that_cannot_be_drawn_is_a_sentence(
    study: Path, x: str, figure: Any, lines: str | list[str], said: str
) -> None:
    with pytest.raises(pot.SimulationError, match=said):
        pot.open_sweep(study).draw(x, figure, lines)


# ---- folders ----


def test_a_relative_folder_is_the_same_wherever_the_program_goes(
    copied: Path, study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copied.parent)
    run, sweep = pot.open_run(copied.name), pot.open_sweep(study.name)
    os.chdir("/")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(run.records()) > 3
        assert len(sweep.results) == 2


def test_a_folder_of_another_kind_is_said_to_be_one(copied: Path, study: Path) -> None:
    for name in ("results.csv", "results.parquet"):
        (study / name).rename(study / f"away-{name}")
    (study / "sweep.yaml").touch()
    with pytest.raises(pot.SimulationError, match=r"a sweep that has not ended; call pot\.sweep"):
        pot.open_sweep(study)
    with pytest.raises(pot.SimulationError, match=r"it is the folder of a run; open it with pot\.open_run"):
        pot.open_sweep(copied)
    with pytest.raises(pot.SimulationError, match=rf"write one of them, such as {study}"):
        pot.open_sweep(study.parent)
    with pytest.raises(pot.SimulationError, match=rf"write the folder that it lies in, {copied}$"):
        pot.open_run(copied / "pot_sim.log")
    (copied / "summary.json").unlink()
    with pytest.raises(pot.SimulationError, match=r"the run was interrupted, .* pot\.report and pot\.compare"):
        pot.open_run(copied)


def test_a_model_that_was_there_is_missed(copied: Path) -> None:
    path = copied / "summary.json"
    told = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**told, "files": {**told["files"], "model.keras": "0" * 64}}), "utf-8")
    with pytest.raises(pot.SimulationError, match=r"model\.keras: the run has left a model, but its file is not there"):
        pot.open_run(copied).model()


def test_a_sweep_s_folder_that_has_gone_is_a_sentence(study: Path) -> None:
    sweep = pot.open_sweep(study)
    shutil.rmtree(study)
    with pytest.raises(
        pot.SimulationError, match=r"study: results\.parquet and results\.csv are not there any more; call pot\.sweep"
    ):
        _ = sweep.results
