"""What of each mechanism stands beside other runs and in a report, held against the summaries of the runs."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulation.analysis.compared import list_compared, show_number
from simulation.analysis.comparison import build_frame
from simulation.commands.report.headline import build_headline
from simulation.commands.report.page import build_page, build_section
from simulation.commands.report.sources import read_run
from simulation.commands.report.timeline_picture import draw_timeline
from simulation.commands.report.tree_picture import draw_tree
from simulation.foundation.mechanism_parts import SHIPPED
from simulation.records.reading import read_log
from simulation.scenario.loading import CONFIGS
from tests.support.memory_runs import make_raw
from tests.support.reports import read_pairs
from tests.support.stored_runs import run_made_up

LENGTH = 5
MADE = {
    "proof_of_training": r"proposed by honest-\d, wrapped by honest-\d",
    "proof_of_work": r"mined by (fast|honest)-\d",
    "stake_chain": r"led by (rich|honest|late)-\d in slot \d+",
    "stake_bft": r"built by (rich|honest)-\d for round \d+",
    "proof_of_activity": r"mined by (rich|honest)-\d, closed by (rich|honest)-\d",
}
"""How a block's makers are told."""

OWN = {
    "proof_of_training": {"declarations to a block": ("blocks", "declarations_each")},
    "proof_of_work": {"final block: hashes": ("cost", "hashes_each")},
    "stake_chain": {"Gini of the blocks made": ("stake", "gini"), "accused of two blocks": ("stake", "accused")},
    "stake_bft": {"rounds to a block": ("votes", "rounds_each"), "votes to a block": ("votes", "votes_each")},
    "proof_of_activity": {"dead templates": ("templates", "dead"), "templates to a block": ("templates", "each")},
}
"""Some of each one's rows, and the entry of the summary's measures that is told there."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the folder of a short run by each mechanism."""
    out, found = tmp_path_factory.mktemp("runs"), {}
    for name in SHIPPED:
        raw: dict[str, Any] = make_raw(job={"stages": LENGTH})
        if name != "proof_of_training":
            raw = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text("utf-8"))
            raw |= {"engine": "virtual", "output": {"pictures": False}}
            raw["mechanism"] = {"name": name, "length": LENGTH}
        found[name] = run_made_up(out, raw)
    return found


def read_measures(folder: Path) -> dict[str, Any]:
    measures: dict[str, Any] = json.loads((folder / "summary.json").read_text("utf-8"))["measures"]
    return measures


def test_runs_of_all_mechanisms_stand_side_by_side(folders: dict[str, Path]) -> None:
    frame = build_frame([read_log(folder) for folder in folders.values()])
    frame.columns = list(folders)
    assert list(frame.loc["mechanism"]) == list(SHIPPED)
    assert not any(set(row) == {"-"} for _, row in frame.iterrows())
    for name, folder in folders.items():
        measures = read_measures(folder)
        for row, (section, entry) in OWN[name].items():
            assert frame.loc[row, name] == show_number(measures[section][entry])
        others = {figure.name for other in SHIPPED if other != name for figure in list_compared(other)}
        foreign = others - {figure.name for figure in list_compared(name)}
        assert set(frame.loc[[row for row in frame.index if row in foreign], name]) <= {"-"}
        shares = "\n".join(f"{population} {share:.1%}" for population, share in measures["proposed"].items())
        assert frame.loc["blocks made, by population", name] == shares
        signed = measures["cost"]["signatures_checked_each"]
        assert frame.loc["final block: signatures checked", name] == show_number(signed)
    charged = {name: text != "none charged" for name, text in frame.loc["final block: CPU s"].items()}
    assert charged == {name: not name.startswith("stake") for name in SHIPPED}


def test_a_log_by_itself_says_as_much_as_its_folder(folders: dict[str, Path], tmp_path: Path) -> None:
    for name, folder in folders.items():
        alone = tmp_path / f"{name}.log"
        shutil.copy(folder / "pot_sim.log", alone)
        one, other = build_frame([read_log(alone)]), build_frame([read_log(folder)])
        assert list(one.iloc[:, 0]) == list(other.iloc[:, 0])
        assert read_run(alone).mechanism == name


def test_what_only_other_mechanisms_have_is_left_out(folders: dict[str, Path]) -> None:
    frame = build_frame([read_log(folders["stake_bft"])] * 2)
    assert "votes to a block" in frame.index
    assert not {"employer deceived", "test accuracy", "final block: hash power", "stale blocks"} & set(frame.index)


@pytest.mark.drawing
@pytest.mark.parametrize("name", SHIPPED)
def test_a_report_says_who_made_blocks_and_calls_clean_only_what_was_trained(
    name: str, folders: dict[str, Path]
) -> None:
    run, is_training = read_run(folders[name]), name == "proof_of_training"
    pictures = [draw_tree(run), draw_timeline(run)]
    facts = build_headline(run)
    page = build_page("it", [build_section("it", [], facts, pictures)])
    shown = re.sub(r"<[^>]+>", " ", re.sub(r"base64,[^\"]+", "", page))
    assert len(re.findall(MADE[name], shown)) == LENGTH
    assert bool(re.search(r"\bclean\b|poisoned|deceived", shown)) == is_training
    assert "?" not in shown
    assert b"clean" not in b"".join(build_section("it", [], None, pictures).files.values()) or is_training
    headline = read_pairs(facts)
    assert headline["mechanism"] == name
    assert set(OWN[name]) <= set(headline)
    work = "declaration, header, stakeholder and block" if is_training else "block"
    assert headline["detection"] in ("-", f"0% of honest work rejected (work: {work} messages)")
