import shutil
from pathlib import Path

import pytest

from simulation.commands.provenance import LookUpError
from simulation.explorer.block_tree import AHEAD, GENESIS, list_lines, list_points, make_live_tally
from simulation.explorer.charts import LIVE_LOOKS
from simulation.explorer.following import LiveBlock, Snapshot
from simulation.explorer.places import PlaceError
from simulation.explorer.refusals import list_refused, list_seen
from simulation.explorer.stored import (
    Stored,
    list_accounts,
    list_blocks,
    list_figures,
    list_history,
    list_populations,
    open_stored,
    view_block,
    view_transaction,
)
from simulation.explorer.validity import BEGINNING, BROKEN, HOLDS, list_validity


@pytest.fixture
def stored(here: Path) -> Stored:
    return open_stored(here)


@pytest.fixture
def copy(stored: Stored, tmp_path: Path) -> Path:
    """Return another folder with the same run, to damage."""
    return Path(shutil.copytree(stored.folder, tmp_path / "copy"))


def test_the_overview_says_what_the_summary_says(stored: Stored) -> None:
    figures = list_figures(stored)
    assert "deceived" in figures["employer"]
    assert figures["invariants"] == "all hold"
    honest, poisoners = list_populations(stored)
    assert (honest["nodes"], honest["rejected"], poisoners["nodes"]) == (5, 0, 6)
    assert poisoners["rejected"] == sum(
        sum(reasons.values()) for reasons in stored.run.summary["attack"]["refused_by_population"].values()
    )


def test_a_block_is_shown_with_all_that_it_holds(stored: Stored) -> None:
    names = [row["block"] for row in list_blocks(stored) if row["branch"] == "employer's chain"]
    assert len(names) == 5
    view = view_block(stored, names[0])
    assert view.facts["height"] == "1"
    assert view.facts["child"].startswith(names[1].removeprefix("0x"))
    deeds = {row["did"] for row in view.deeds}
    assert any("declared" in did for did in deeds)
    assert any("signed" in did for did in deeds)
    assert {row["party"] for row in view.seen} >= {"employer"}
    held = [line for name in names for line in view_block(stored, name).transactions]
    assert len(held) == len(stored.run.transactions())
    assert view_transaction(stored, held[0]["transaction"])["from_name"] == held[0]["from"]


def test_what_is_not_there_is_not_shown(stored: Stored) -> None:
    with pytest.raises(LookUpError, match="no party has stored"):
        view_block(stored, "0xffffffffffff")
    with pytest.raises(LookUpError, match="no such transfer"):
        view_transaction(stored, "zz")


def test_an_accounts_history_ends_with_what_the_ledger_says(stored: Stored) -> None:
    balances = {name: list_history(stored, name)[-1]["balance"] for name in list_accounts(stored)}
    for node in stored.run.summary["nodes"]:
        if node["head"] == stored.tally.employer.head:
            assert balances[node["label"]] == pytest.approx(node["balance"])


def test_of_a_refusal_every_nodes_view_is_shown(stored: Stored) -> None:
    refused = list_refused(stored.records)
    assert sum(reasons.total() for reasons in refused.values()) == stored.tally.rejected.total()
    poisoned = [message for message in refused if (message.author or "").startswith("poisoners")]
    message = next(message for message in poisoned if message.kind == "declaration")
    rows = list_seen(stored.records, stored.tally, message)
    assert {row["node"] for row in rows} == {*stored.tally.nodes, "employer"}
    assert {row["verdict"] for row in rows if row["role"] == "honest"} == {"rejected"}
    own = {row["verdict"] for row in rows if row["node"].startswith("poisoners")}
    assert "accepted" in own <= {"accepted", "nothing"}


def test_every_block_has_a_place_of_its_own(stored: Stored) -> None:
    points = list_points(stored.tally)
    assert points[0]["block"] == GENESIS
    assert len({(point["height"], point["lane"]) for point in points}) == len(stored.tally.blocks) + 1
    assert {point["looks"] for point in points[1:]} == {"poisoned"}
    assert all(line["x2"] == line["x"] + 1 for line in list_lines(stored.tally, points))


def test_whose_chain_holds_is_told_of_every_node(stored: Stored) -> None:
    rows = {row["node"]: row["the chain up to it"] for row in list_validity(stored)}
    assert rows["employer"] == rows["poisoners-0"] == HOLDS
    assert rows["honest-0"] == BEGINNING
    assert len(rows) == 12


def test_a_chain_that_was_changed_holds_up_to_there(copy: Path) -> None:
    lines = (copy / "chain.jsonl").read_text("utf-8").splitlines(keepends=True)
    lines[3] = lines[3].replace('"height": 3', '"height": 4')
    (copy / "chain.jsonl").write_text("".join(lines), "utf-8")
    stored = open_stored(copy)
    assert any("chain.jsonl:4" in fault for fault in stored.faults)
    employer = list_validity(stored)[0]
    assert (employer["the chain up to it"], employer["holds up to height"]) == (BROKEN, 2)


def test_a_folder_that_is_damaged_is_shown_as_far_as_it_goes(copy: Path) -> None:
    (copy / "chain.jsonl").unlink()
    (copy / "pot_sim.log").write_bytes((copy / "pot_sim.log").read_bytes()[:-500] + b"\xff\n")
    stored = open_stored(copy)
    assert len(stored.faults) > 1
    assert list_accounts(stored) == []
    assert {row["the chain up to it"] for row in list_validity(stored)} == {BROKEN, BEGINNING}
    assert view_block(stored, next(iter(stored.tally.blocks))).deeds == []


def test_a_folder_that_has_gone_is_told(copy: Path) -> None:
    open_stored(copy)
    shutil.rmtree(copy)
    with pytest.raises(PlaceError, match="has gone"):
        open_stored(copy)


def test_live_blocks_are_the_employers_only_where_it_has_them() -> None:
    blocks = [("a", GENESIS, 1), ("b", "a", 2), ("c", "b", 3), ("other", "a", 2)]
    live = tuple(LiveBlock(name, parent, height, 1) for name, parent, height in blocks)
    snapshot = Snapshot("going", 1.0, 2, 4, (), live, {}, {}, (), head="b")
    points = list_points(make_live_tally(snapshot), is_live=True)
    assert {point["block"]: point["looks"] for point in points} == {
        GENESIS: GENESIS,
        "a": "employer's chain",
        "b": "employer's chain",
        "c": AHEAD,
        "other": "left",
    }
    assert {point["looks"] for point in points} <= set(LIVE_LOOKS)


def test_a_live_tree_without_its_first_blocks_has_no_genesis_and_no_lines_to_it() -> None:
    live = tuple(LiveBlock(name, parent, height, 1) for name, parent, height in [("b", "a", 2), ("c", "b", 3)])
    snapshot = Snapshot("going", 1.0, 3, 4, (), live, {}, {}, (), head="c")
    tally = make_live_tally(snapshot)
    points = list_points(tally, is_live=True)
    assert {point["block"] for point in points} == {"b", "c"}
    assert [(line["x"], line["x2"]) for line in list_lines(tally, points)] == [(2, 3)]
