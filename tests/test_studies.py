"""The shipped studies: every sweep can be read, and every one is drawn with the closed form it names."""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from benchmarks.activity import FOR_WORK, HONEST, prepare_activity
from benchmarks.law_measures import FACTOR, JOINS_S, WINDOW, Sizes
from benchmarks.law_samples import foretell_fall, foretell_rise
from benchmarks.laws import publish as publish_laws
from benchmarks.strategic import ANNOUNCE_EVERY_SLOTS, USERS_TRANSFERS
from benchmarks.studies import STUDIES, publish
from benchmarks.studies import main as publish_all
from benchmarks.success import (
    ABLATED,
    FORMULA,
    HEADERS_PER_SLOT,
    LOW,
    OWNERS,
    PANELS,
    RESOURCES,
    STAKEHOLDERS,
    SUCCESS,
    Panel,
)
from protocol.mechanisms.proof_of_training.repairs import VERSION_2
from protocol.participant import ANNOUNCE_EVERY_SLOTS as PROTOCOLS_PERIOD
from simulation.commands.cli import main
from simulation.commands.sweeps.sweep_file import load_sweep
from simulation.mechanisms.proof_of_activity.keys import DECRED, ShareKeys
from simulation.scenario.loading import CONFIGS

pytestmark = [pytest.mark.many_runs, pytest.mark.drawing]

FOLDER = CONFIGS / "studies"
SWEEPS = sorted(path for path in FOLDER.glob("*.yaml") if "vary" in yaml.safe_load(path.read_text("utf-8")))


def test_every_sweep_has_a_picture_and_every_picture_a_sweep() -> None:
    assert {path.stem for path in SWEEPS} == set(STUDIES)
    assert len(SWEEPS) == 19


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
    raw["vary"]["nodes"]["values"] = [[17, 3, 0], [6, 6, 8]]
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


# ---- attackers who choose ----


def build_frame(name: str) -> pd.DataFrame:
    """Return the varied keys of a sweep as its table has them."""
    sweep = load_sweep(FOLDER / f"{name}.yaml")
    rows = [
        [_write(value) for row in chosen for value in row] for chosen in product(*(axis.rows for axis in sweep.axes))
    ]
    return pd.DataFrame(rows, columns=list(sweep.keys))


def _write(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | dict) else value


@pytest.mark.parametrize(
    ("name", "panels", "rows"),
    [("i_attackers", PANELS, 16), ("i_repairs", ABLATED, 16), ("i_resources", RESOURCES, 24)],
)
def test_each_attacker_of_a_panel_is_in_the_sweep_once_for_all_else_that_varies(
    name: str, panels: tuple[Panel, ...], rows: int
) -> None:
    frame = build_frame(name)
    assert {panel.title: len(panel.select(frame)) for panel in panels} == {panel.title: rows for panel in panels}


def test_the_closed_forms_are_of_the_scenario_that_is_run() -> None:
    scenario = yaml.safe_load((FOLDER / "strategic.yaml").read_text("utf-8"))
    assert sum(item["count"] for item in scenario["populations"]) == OWNERS
    protocol = scenario["protocol"]
    assert (protocol["stakeholders"], protocol["headers_per_slot"]) == (STAKEHOLDERS, HEADERS_PER_SLOT)
    assert protocol["slot_ms"] == 1000.0
    resources = yaml.safe_load((FOLDER / "i_resources.yaml").read_text("utf-8"))
    assert resources["set"]["users.transactions"] == USERS_TRANSFERS
    assert ANNOUNCE_EVERY_SLOTS == PROTOCOLS_PERIOD


def test_what_honest_owners_would_have_is_of_the_shares_that_are_paid() -> None:
    assert {"": ShareKeys().miner, "decred": DECRED[2].miner} == FOR_WORK
    frame = prepare_activity(build_frame("activity"))
    assert list(frame[HONEST].round(3))[8:10] == [0.155, 0.2]  # all of three, with a hundredth and a tenth of the stake
    assert frame["signatures"].nunique() == 3


def test_each_repair_is_taken_away_somewhere() -> None:
    taken = {name for text in build_frame("i_repairs")["protocol.without"] for name in json.loads(text)}
    taken |= {name for text in build_frame("i_resources")["protocol.without"] for name in json.loads(text)}
    assert taken == {repair.value for repair in VERSION_2}


def test_success_is_a_proportion_or_a_mean_with_the_closed_form_below_one_half_under_version_2() -> None:
    rows = pd.DataFrame(
        {"rules": [1, 2, 2], "populations.attackers.count": [5, 5, 10], "n": [4, 4, 4]}
        | {"delivered": [0.25, 1.0, 0.5], "delivered.low": [0.1, 0.6, 0.2], "delivered.high": [0.6, 1.0, 0.8]}
        | {"taken.mean": [0.5, 0.25, 1.0], "taken.std": [0.2, 0.0, 0.0]}
    )
    failing = Panel("no delivery", "private_declarer", "delivered", lambda attackers: 0.0, is_failing=True)
    measured = failing.measure(rows.copy())
    assert list(measured[SUCCESS]) == [0.75, 0.0, 0.5]
    assert list(measured[LOW]) == pytest.approx([0.4, 0.0, 0.2])
    assert list(measured[FORMULA].notna()) == [False, True, False]
    shared = Panel("share", "grinder", "taken", lambda attackers: attackers / OWNERS)
    measured = shared.measure(rows.copy())
    assert list(measured[SUCCESS]) == [0.5, 0.25, 1.0]
    assert list(measured[LOW]) == pytest.approx([0.5 - 1.96 * 0.2 / 2, 0.25, 1.0], abs=1e-4)
    assert measured[FORMULA][1] == 0.25


def test_a_small_copy_of_the_attackers_runs_and_is_drawn_for_each_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    raw = yaml.safe_load((FOLDER / "i_attackers.yaml").read_text("utf-8"))
    raw["vary"]["attack"]["values"] = [
        values for values in raw["vary"]["attack"]["values"] if values[0][0] in ("sibling_rider", "fabricator")
    ]
    raw["vary"]["share"]["values"] = [[14, 6]]
    small = {**raw, "scenario": str(FOLDER / "strategic.yaml"), "repeats": 3}
    Path("i_attackers.yaml").write_text(yaml.safe_dump(small), "utf-8")
    assert main(["sweep", "i_attackers.yaml", "--jobs", "1"]) == 0
    (folder,) = Path("sweeps").iterdir()
    publish(folder, Path("out"))
    told = capsys.readouterr().out
    majority = "i_attackers, fabricator: deceived, majority: the closed form lies in the 95 % interval in 1 of 1 cells"
    assert majority in told
    assert "i_attackers: 6 combinations, 18 runs" in told
    table = pd.read_csv("out/i_attackers.csv").set_index(["attack", "rules"])[SUCCESS]
    assert table["sibling rider: share of the blocks", 1] > 0.5 > table["sibling rider: share of the blocks", 2] == 0
    assert table["fabricator: deceived, 3 declare", 1] == 1
    assert table["fabricator: deceived, majority", 1] == table["fabricator: deceived, majority", 2] == 0


# ---- laws ----


def test_a_small_copy_of_the_laws_is_drawn_and_each_sample_passes_its_test(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    laws = publish_laws(Sizes(tries=100, runs=1, steps=0, settings=("mechanism.length=120",)), tmp_path)
    assert [verdict.holds for verdict in laws.verdicts] == [True] * 7
    assert [verdict.count for verdict in laws.verdicts] == [100, 100, *[120] * 5]
    assert "| activity: closed | coins | 120 | chi-squared |" in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "laws.csv")
    assert {path.name for path in tmp_path.iterdir()} == {"laws.csv", "laws.png", "laws.svg"}
    led = table[table["sample"] == "stake chain: led"]
    assert list(led["found.closed_form"].round(3)) == [0.083, 0.167, 0.25, 0.5]
    assert led["found"].sum() == pytest.approx(1)


def test_the_closed_forms_of_a_step_are_those_of_targets_that_follow_drawn_windows() -> None:
    """Draws the intervals of windows by hand: power as before, then the other power; the target follows each window."""
    generator, runs, into = np.random.default_rng(3), 20_000, 40
    rises = draw_windows(generator, runs, [[(into, 1.0), (WINDOW - into, FACTOR)], *[[(WINDOW, FACTOR)]] * 2], 1.0)
    for place, mean in ((WINDOW, rises[1]), (2 * WINDOW, rises[2])):
        assert foretell_rise(place - into, into, WINDOW, FACTOR) == pytest.approx(mean, rel=0.03)
    assert foretell_rise(0, into, WINDOW, FACTOR) == pytest.approx(1 / FACTOR, rel=0.02)
    falls = draw_windows(generator, runs, [[(WINDOW, 1 / FACTOR)]] * 3, 1.0)
    assert [foretell_fall(place * WINDOW, WINDOW, FACTOR) for place in range(3)] == pytest.approx(falls, rel=0.01)


def draw_windows(
    generator: np.random.Generator, runs: int, windows: list[list[tuple[int, float]]], ease: float
) -> list[float]:
    """Return the mean interval of each window, whose blocks are found by the powers that are given for parts of it."""
    easy, means = np.full(runs, ease), []
    for parts in windows:
        took = sum((generator.gamma(count, 1 / power, runs) for count, power in parts), np.zeros(runs)) / easy
        means.append(float(took.mean()) / WINDOW)
        easy *= np.clip(took / WINDOW, 1 / FACTOR, FACTOR)
    return means


def test_the_step_is_that_of_its_scenario() -> None:
    scenario = yaml.safe_load((FOLDER / "laws_step.yaml").read_text("utf-8"))
    assert {outage["up_s"] for outage in scenario["network"]["outages"]} == {JOINS_S}
    assert scenario["mechanism"]["window"] == WINDOW
    assert scenario["populations"][0]["count"] == FACTOR == 1 + len(scenario["network"]["outages"])
