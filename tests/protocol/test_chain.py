"""The tree of blocks against a slow twin: the head does not depend on who came first."""

import hashlib
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.catch_up import MAX_LOCATOR
from protocol.chain import LOCATOR_DENSE, BlockRecord, BlockTree, UnknownBlockError

Record = BlockRecord[str, None]
Tree = BlockTree[str, None]
GENESIS: Record = BlockRecord(
    hash=hashlib.sha256(b"genesis").digest(), parent=b"", height=0, slot=0, block=None, state=None, weight=0, rank=b""
)


def build(parent: Record, name: str) -> Record:
    digest = hashlib.sha256(parent.hash + name.encode()).digest()
    return BlockRecord(
        hash=digest,
        parent=parent.hash,
        height=parent.height + 1,
        slot=0,
        block=name,
        state=None,
        weight=parent.weight + 1,
        rank=digest,
    )


def build_line(parent: Record, length: int, name: str = "main") -> list[Record]:
    line: list[Record] = []
    for number in range(length):
        line.append(build(line[-1] if line else parent, f"{name}-{number}"))
    return line


@dataclass(frozen=True)
class Forest:
    """A random tree, and two orders in which its blocks may arrive, parents first."""

    first: tuple[Record, ...]
    second: tuple[Record, ...]


@st.composite
def forests(draw: st.DrawFn) -> Forest:
    records = [GENESIS]
    for number in range(draw(st.integers(1, 14))):
        parent = records[draw(st.integers(max(0, len(records) - 5), len(records) - 1))]
        records.append(build(parent, str(number)))
    waiting = records[1:]
    known, order = {GENESIS.hash}, []
    while waiting:
        ready = [record for record in waiting if record.parent in known]
        chosen = ready[draw(st.integers(0, len(ready) - 1))]
        waiting.remove(chosen)
        known.add(chosen.hash)
        order.append(chosen)
    return Forest(tuple(records[1:]), tuple(order))


def slow_head(records: tuple[Record, ...]) -> Record:
    highest = max(record.height for record in records)
    return min((record for record in records if record.height == highest), key=lambda record: record.hash.hex())


def slow_branch(records: tuple[Record, ...], head: Record) -> list[Record]:
    by_hash = {record.hash: record for record in records}
    branch = [head]
    while branch[0].parent:
        branch.insert(0, by_hash[branch[0].parent])
    return branch


@given(forests())
def test_the_head_agrees_with_the_slow_version_after_every_block(forest: Forest) -> None:
    for order in (forest.first, forest.second):
        tree = Tree(GENESIS)
        for number, record in enumerate(order, start=1):
            known = (GENESIS, *order[:number])
            before = tree.head
            change = tree.add(record, 0)
            assert tree.head == slow_head(known)
            assert list(tree.get_chain()) == slow_branch(known, tree.head)
            if change is None:
                assert tree.head == before
                continue
            old, new = slow_branch(known, before), slow_branch(known, tree.head)
            assert list(change.abandoned) == [item for item in reversed(old) if item not in new]
            assert list(change.adopted) == [item for item in new if item not in old]
        assert len(tree) == len(order) + 1
        assert all(record.hash in tree and tree.get(record.hash) == record for record in order)


@given(forests())
def test_the_head_is_independent_of_the_order_of_arrival(forest: Forest) -> None:
    heads = []
    for order in (forest.first, forest.second):
        tree = Tree(GENESIS)
        for record in order:
            tree.add(record, 0)
        heads.append(tree.head)
    assert heads[0] == heads[1]


@given(forests())
def test_a_block_that_comes_again_changes_nothing(forest: Forest) -> None:
    tree = Tree(GENESIS)
    for record in forest.first:
        tree.add(record, 0)
    head = tree.head
    assert [tree.add(record, 0) for record in forest.second] == [None] * len(forest.second)
    assert tree.head == head
    assert len(tree) == len(forest.first) + 1


def test_a_block_without_its_parent_is_our_own_error() -> None:
    tree = Tree(GENESIS)
    orphan = build_line(GENESIS, 2)[1]
    with pytest.raises(UnknownBlockError):
        tree.add(orphan, 0)
    assert orphan.hash not in tree
    assert tree.get(orphan.hash) is None
    with pytest.raises(UnknownBlockError):
        tree.require(orphan.hash)


@pytest.mark.parametrize("length", [0, 1, 5, LOCATOR_DENSE, LOCATOR_DENSE + 1, 100, 1_000])
def test_a_locator_is_dense_at_the_top_sparse_below_and_ends_at_the_genesis(length: int) -> None:
    tree = Tree(GENESIS)
    line = build_line(GENESIS, length)
    for record in line:
        tree.add(record, 0)
    locator = tree.get_locator()
    heights = [tree.require(item).height for item in locator]
    assert heights[-1] == 0
    assert heights == sorted(set(heights), reverse=True)
    assert heights[:LOCATOR_DENSE] == list(range(length, -1, -1))[:LOCATOR_DENSE]
    gaps = [high - low for high, low in zip(heights[LOCATOR_DENSE - 1 : -2], heights[LOCATOR_DENSE:-1], strict=True)]
    assert gaps == [2**power for power in range(1, len(gaps) + 1)]
    assert len(locator) <= MAX_LOCATOR


@given(ours=st.integers(0, 60), shared=st.integers(0, 60), theirs=st.integers(0, 60), limit=st.integers(1, 40))
def test_blocks_after_a_locator_join_on_to_a_block_the_other_has(
    ours: int, shared: int, theirs: int, limit: int
) -> None:
    common = build_line(GENESIS, shared, "common")
    tip = common[-1] if common else GENESIS
    trees = []
    for name, length in (("ours", ours), ("theirs", theirs)):
        tree = Tree(GENESIS)
        for record in [*common, *build_line(tip, length, name)]:
            tree.add(record, 0)
        trees.append(tree)
    served = trees[0].get_blocks_after(trees[1].get_locator(), limit)
    names = [record.block for record in trees[0].get_chain()[1:]]
    assert len(served) <= limit
    if served:
        start = names.index(served[0])
        assert list(served) == names[start : start + limit]
        assert start <= shared, "the first block served has a parent the other knows"
        assert theirs == 0 or start >= shared - 2 * theirs - LOCATOR_DENSE
    else:
        assert not ours


def test_a_locator_of_another_chain_gets_nothing() -> None:
    tree = Tree(GENESIS)
    for record in build_line(GENESIS, 3):
        tree.add(record, 0)
    assert tree.get_blocks_after((bytes(32), bytes(31) + b"\x01"), 10) == ()
    assert tree.get_blocks_after((), 10) == ()
    assert len(tree.get_blocks_after((bytes(32), GENESIS.hash), 10)) == 3


# ---- the clock of a whole chain ----


def build_last(name: str, *, slot: int, right: str) -> Record:
    return replace(build(GENESIS, name), slot=slot, rank=slot.to_bytes(8, "big"), right=right)


FIRST, SECOND = build_last("first", slot=9, right="a"), build_last("second", slot=9, right="a")
OTHER, LATER = build_last("other", slot=7, right="b"), build_last("later", slot=12, right="c")


def settle(*arrivals: tuple[Record, int]) -> Tree:
    tree: Tree = BlockTree(GENESIS, last_height=1, settled_after=2_000)
    for record, slot in arrivals:
        tree.add(record, slot)
    return tree


def test_the_clock_of_a_whole_chain_follows_from_what_is_known_and_not_from_its_order() -> None:
    kept = settle((FIRST, 10), (OTHER, 280), (SECOND, 281))
    fallen = settle((FIRST, 10), (SECOND, 280), (OTHER, 281))
    assert kept.head is fallen.head is OTHER
    assert (kept.whole_since, fallen.whole_since) == (280, 281)
    assert settle((FIRST, 10), (OTHER, 280), (LATER, 300)).whole_since == 10


def test_a_second_version_contests_even_where_the_first_is_not_the_head() -> None:
    tree = settle((FIRST, 10), (OTHER, 280))
    assert tree.is_contested_by(GENESIS, 1, SECOND.rank, SECOND.right)
    tree.add(SECOND, 281)
    third = build_last("third", slot=9, right="a")
    assert not tree.is_contested_by(GENESIS, 1, third.rank, third.right)
    assert not tree.is_contested_by(GENESIS, 1, LATER.rank, LATER.right)


def test_what_has_settled_stays_settled() -> None:
    tree = settle((FIRST, 10), (OTHER, 280))
    assert not tree.is_settled(2_010)
    assert tree.is_settled(2_011)
    tree.add(SECOND, 2_011)
    assert tree.is_settled(2_012)
    assert tree.add(build_last("better", slot=5, right="d"), 2_013) is None
    assert tree.head is OTHER


# ---- blocks that are final ----


@given(forests(), st.integers(0, 3))
def test_what_is_final_is_never_left_and_the_best_of_what_has_it_is_the_head(forest: Forest, depth: int) -> None:
    tree: Tree = BlockTree(GENESIS, final_depth=depth)
    highest = 0
    for record in forest.first:
        final = tree.final
        tree.add(record, 0)
        highest = max(highest, tree.head.height)
        assert tree.final.height >= highest - depth
        assert {final, tree.final} <= set(tree.get_chain())
        rivals = [item for item in tree.get_records() if tree.keeps_final(item)]
        assert not any(tree.is_better(item) for item in rivals)


def test_a_final_block_stays_however_heavy_a_rival_branch_becomes() -> None:
    tree: Tree = BlockTree(GENESIS, final_depth=0)
    first = build(GENESIS, "first")
    tree.add(first, 0)
    rivals = build_line(GENESIS, 3, "rival")
    assert [tree.add(rival, 0) for rival in rivals] == [None, None, None]
    assert tree.head is tree.final is first
    assert rivals[-1].hash in tree
    assert tree.back(rivals[-1].hash, 0) is None
    assert tree.add(build(first, "next"), 0) is not None


def test_a_branch_may_be_left_down_to_the_final_block_and_no_further() -> None:
    tree: Tree = BlockTree(GENESIS, final_depth=2)
    line = build_line(GENESIS, 4)
    for record in line:
        tree.add(record, 0)
    assert tree.final is line[1]
    for record in build_line(line[0], 5, "too-low"):
        assert tree.add(record, 0) is None
    others = build_line(line[1], 3, "other")
    for record in others:
        tree.add(record, 0)
    assert tree.get_chain() == (GENESIS, *line[:2], *others)
