from pathlib import Path

import pytest

from simulation.explorer.chain_lab import BEHIND, BROKEN, HOLDS, EditError, read_lab
from simulation.explorer.one_node import OneNode, RecordError
from simulation.explorer.places import PlaceError


@pytest.fixture(scope="module")
def built() -> OneNode:
    """Return a node with four blocks, the second with a record; leave it as it is."""
    node = OneNode(zero_bits=4)
    node.make_block()
    node.add_record("user-0", "user-1", 5)
    for _ in range(3):
        node.make_block()
    return node


def test_a_chain_that_nobody_edited_holds(built: OneNode) -> None:
    checked = built.lab.check()
    assert (checked.broken_at, checked.why) == (None, None)
    assert [row["block"] for row in checked.rows] == [HOLDS] * 5
    assert [row["names its parent"] for row in checked.rows[1:]] == ["yes"] * 4


def test_records_move_coins_when_their_block_is_made(built: OneNode) -> None:
    assert built.list_records() == [{"height": 2, "from": "user-0", "to": "user-1", "coins": 5.0, "counts": "yes"}]
    coins = {row["who"]: row["coins"] for row in built.list_balances()}
    assert (coins["user-0"], coins["user-1"], coins["user-2"]) == (95.0, 105.0, 100.0)
    assert coins["node"] > 0


def test_whichever_byte_is_edited_the_chain_breaks_there(built: OneNode) -> None:
    lab = built.lab
    for place in range(0, len(lab.get_bytes(2)), 5):
        lab.edit(2, place, lab.get_bytes(2)[place] ^ 1)
        checked = lab.check()
        lab.restore()
        assert checked.broken_at == 2, place
        assert checked.why
        assert [row["block"] for row in checked.rows] == [HOLDS, HOLDS, BROKEN, BEHIND, BEHIND]


def test_an_edit_of_what_is_hashed_cuts_the_next_block_off(built: OneNode) -> None:
    packed = built.lab.get_bytes(2)
    start = packed.index(built.lab.judge().records[1].hash)  # the parent's name
    for place in (start, start + 31):
        built.lab.edit(2, place, packed[place] ^ 1)
        rows = built.lab.check().rows
        built.lab.restore()
        assert [row["names its parent"] for row in rows[1:]] == ["yes", "no", "no", "yes"]


def test_an_edit_that_is_undone_by_hand_leaves_no_trace(built: OneNode) -> None:
    before = built.lab.get_bytes(3)
    built.lab.edit(3, 0, before[0] ^ 255)
    assert built.lab.edited == [3]
    built.lab.edit(3, 0, before[0])
    assert built.lab.edited == []
    assert built.lab.check().broken_at is None


@pytest.mark.parametrize(("height", "place", "value"), [(0, 0, 0), (5, 0, 0), (1, -1, 0), (1, 10**6, 0), (1, 0, 256)])
def test_what_is_not_there_cannot_be_edited(built: OneNode, height: int, place: int, value: int) -> None:
    with pytest.raises(EditError, match="write one from"):
        built.lab.edit(height, place, value)


def test_a_byte_keeps_no_value_that_it_has(built: OneNode) -> None:
    with pytest.raises(EditError, match="already"):
        built.lab.edit(1, 0, built.lab.get_bytes(1)[0])


@pytest.mark.parametrize(
    ("who", "to", "coins", "why"),
    [
        ("user-0", "user-0", 1, "cannot pay itself"),
        ("user-0", "nobody", 1, "nobody is called so"),
        ("user-0", "user-1", 0, "more than 0"),
        ("user-0", "user-1", float("nan"), "more than 0"),
        ("user-0", "user-1", 1e300, "more than 0"),
        ("user-0", "user-1", 100.000001, "overdraft"),
    ],
)
def test_a_record_that_cannot_stand_is_refused(who: str, to: str, coins: float, why: str) -> None:
    node = OneNode(zero_bits=2)
    with pytest.raises(RecordError, match=why):
        node.add_record(who, to, coins)
    assert node.waiting == []


def test_coins_that_wait_cannot_be_spent_again() -> None:
    node = OneNode(zero_bits=2)
    node.add_record("user-0", "user-1", 60)
    with pytest.raises(RecordError):
        node.add_record("user-0", "user-2", 60)
    node.make_block()
    assert [row["coins"] for row in node.list_records()] == [60.0]


def test_nothing_is_built_on_a_broken_chain() -> None:
    node = OneNode(zero_bits=2)
    node.make_block()
    node.lab.edit(1, 30, node.lab.get_bytes(1)[30] ^ 1)
    with pytest.raises(RecordError, match="height 1 is broken; undo"):
        node.make_block()
    node.lab.restore()
    node.make_block()
    assert node.lab.height == 2


def test_what_became_of_records_in_a_broken_chain_is_told(built: OneNode) -> None:
    assert built.describe_loss() is None
    built.lab.edit(2, 30, built.lab.get_bytes(2)[30] ^ 1)
    told, (record,), coins = built.describe_loss(), built.list_records(), built.list_balances()
    built.lab.restore()
    assert told is not None
    assert "blocks 2 to 4 are not there: the one record in them (5 coins in all) moved nothing" in told
    assert "up to height 1" in told
    assert record["counts"].startswith("no")
    assert {row["who"]: row["coins"] for row in coins}["user-1"] == 100.0
    built.lab.edit(4, 30, built.lab.get_bytes(4)[30] ^ 1)
    told = built.describe_loss()
    built.lab.restore()
    assert told is not None
    assert "block 4 is not there: no record was in them" in told


def test_a_runs_chain_breaks_in_memory_alone(here: Path) -> None:
    before = (here / "chain.jsonl").read_bytes()
    lab = read_lab(here)
    lab.edit(2, 40, lab.get_bytes(2)[40] ^ 1)
    assert lab.check().broken_at == 2
    assert read_lab(here).check().broken_at is None
    assert (here / "chain.jsonl").read_bytes() == before
    with pytest.raises(PlaceError, match=r"no chain\.jsonl"):
        read_lab(Path("runs"))
