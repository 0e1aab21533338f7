from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex
from matplotlib.patches import FancyBboxPatch

from simulation.commands.report.picture import Missing, Picture
from simulation.commands.report.sources import Run
from simulation.commands.report.style import BLACK, CLEAN, LIGHT, POISONED
from simulation.commands.report.tree_layout import Position, lay_out
from simulation.commands.report.tree_picture import MAX_TICKS, choose_ticks, draw_tree
from simulation.records.message_facts import BlockPart
from simulation.records.record import Record
from simulation.records.tally import BlockTally, Tally
from tests.support.reports import forked_run, make_run
from tests.support.scenarios import appended, made_up_run, opening

pytestmark = pytest.mark.drawing


def tally_of(blocks: dict[str, tuple[int, str]]) -> Tally:
    tally = Tally()
    tally.blocks = {name: BlockTally(height, parent, BlockPart(), 0) for name, (height, parent) in blocks.items()}
    return tally


@st.composite
def trees(draw: st.DrawFn) -> dict[str, tuple[int, str]]:
    """Draw a tree, each block upon one before it or upon the genesis."""
    blocks: dict[str, tuple[int, str]] = {}
    for number in range(draw(st.integers(1, 30))):
        parent = draw(st.sampled_from(["genesis", *blocks]))
        blocks[f"b{number}"] = (blocks[parent][0] + 1 if parent in blocks else 1, parent)
    return blocks


@given(trees(), st.data())
def test_no_two_blocks_have_one_place_and_each_stands_at_its_height(
    blocks: dict[str, tuple[int, str]], data: st.DataObject
) -> None:
    heads = data.draw(st.lists(st.sampled_from(["genesis", "nobody's", *blocks]), max_size=2))
    places = lay_out(tally_of(blocks), heads)
    assert set(places) == set(blocks)
    assert len({*places.values(), Position(0, 0)}) == len(blocks) + 1
    assert all(places[name].height == height for name, (height, _) in blocks.items())


@given(trees(), st.data())
def test_the_chain_of_the_first_head_is_one_straight_line_on_top(
    blocks: dict[str, tuple[int, str]], data: st.DataObject
) -> None:
    head = data.draw(st.sampled_from(list(blocks)))
    tally = tally_of(blocks)
    places = lay_out(tally, [head])
    assert {places[block].lane for block in tally.get_chain(head)} == {0}


@given(trees())
def test_lanes_are_reused_so_that_there_are_no_more_than_blocks_of_one_branch_need(
    blocks: dict[str, tuple[int, str]],
) -> None:
    places = lay_out(tally_of(blocks), [])
    tips = set(blocks) - {parent for _, parent in blocks.values()}
    assert max(place.lane for place in places.values()) < len(tips)


@given(st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.integers(1, 4), st.sampled_from("abcdefg"))))
def test_circles_and_heights_of_a_damaged_log_still_give_each_block_a_place(
    blocks: dict[str, tuple[int, str]],
) -> None:
    places = lay_out(tally_of(blocks), ["a", "g"])
    assert set(places) == set(blocks)
    assert len(set(places.values())) == len(blocks)


# ---- the picture ----


@pytest.fixture
def forked(tmp_path: Path) -> Run:
    return make_run(tmp_path, forked_run())


def boxes_of(picture: Picture | Missing) -> list[FancyBboxPatch]:
    assert isinstance(picture, Picture)
    return [patch for patch in picture.figure.axes[0].patches if isinstance(patch, FancyBboxPatch)]


def test_every_block_has_a_box_of_its_colour_that_touches_no_other(forked: Run) -> None:
    picture = draw_tree(forked)
    boxes = boxes_of(picture)
    edges = sorted(to_hex(box.get_edgecolor()).upper() for box in boxes)
    poisoned = sum(map(forked.tally.is_poisoned, forked.tally.blocks))
    assert poisoned == 9
    assert edges == sorted([BLACK] + [POISONED] * poisoned + [CLEAN] * (len(forked.tally.blocks) - poisoned))
    assert isinstance(picture, Picture)
    picture.figure.draw_without_rendering()
    extents = [box.get_window_extent() for box in boxes]
    for number, one in enumerate(extents):
        assert not any(one.overlaps(other) for other in extents[number + 1 :])


def test_labels_fit_into_their_boxes_and_marks_of_heads_touch_no_box(forked: Run) -> None:
    picture = draw_tree(forked)
    boxes = boxes_of(picture)
    assert isinstance(picture, Picture)
    picture.figure.draw_without_rendering()
    extents = [box.get_window_extent() for box in boxes]
    labels = {text.get_text(): text.get_window_extent() for text in picture.figure.axes[0].texts}
    marks = {name: box for name, box in labels.items() if "\N{BLACK DOWN-POINTING TRIANGLE}" in name}
    assert sorted(name.split("\n")[0] for name in marks) == ["employer", "honest"]
    for name, place in labels.items():
        if name in marks:
            assert not any(place.overlaps(box) for box in extents)
        else:
            assert any(box.x0 <= place.x0 and place.x1 <= box.x1 and box.y0 <= place.y0 for box in extents)


def test_filled_boxes_lie_on_a_head_s_chain(forked: Run) -> None:
    tally = forked.tally
    marked = {*tally.get_chain(tally.employer.head), *tally.get_chain(tally.compute_agreement()[1].head)}
    filled = [
        box for box in boxes_of(draw_tree(forked)) if to_hex(box.get_facecolor()).upper() not in ("#FFFFFF", LIGHT)
    ]
    assert len(filled) == len(marked) < len(tally.blocks)


def test_the_employer_s_chain_is_a_thick_line_through_its_blocks(forked: Run) -> None:
    picture = draw_tree(forked)
    assert isinstance(picture, Picture)
    thick = [line for line in picture.figure.axes[0].lines if to_hex(str(line.get_color())).upper() == BLACK]
    starts = sorted(round(float(np.asarray(line.get_xdata())[1]) + 0.4) for line in thick)
    assert starts == list(range(1, forked.tally.employer.height + 1))


def make_chain(heights: int) -> list[Record]:
    blocks = [appended("good-0", height, f"0x{height}", f"0x{height - 1}", "0xw") for height in range(1, heights + 1)]
    return [*made_up_run()[:10], *blocks]


@pytest.mark.parametrize("heights", [31, 400])
def test_a_tree_too_long_for_labels_is_drawn_as_dots_and_not_endlessly_wide(heights: int, tmp_path: Path) -> None:
    picture = draw_tree(make_run(tmp_path, make_chain(heights)))
    assert boxes_of(picture) == []
    assert isinstance(picture, Picture)
    assert picture.figure.get_size_inches()[0] <= 22
    assert len(picture.table.rows) == heights


@pytest.mark.parametrize("highest", [1, 2, 3, 12, 30, 31, 400, 99_999])
def test_the_axis_marks_whole_heights_from_0_at_round_steps_and_not_too_many(highest: int) -> None:
    ticks = choose_ticks(highest)
    assert ticks[0] == 0
    assert highest - ticks.step < ticks[-1] <= highest
    assert str(ticks.step).rstrip("0") in ("1", "2", "5")
    assert len(ticks) <= MAX_TICKS + 1
    assert (ticks.step == 1) == (highest <= MAX_TICKS)


def test_a_short_tree_marks_each_height_and_its_axis_ends_there(tmp_path: Path) -> None:
    picture = draw_tree(make_run(tmp_path, make_chain(2)))
    assert isinstance(picture, Picture)
    (axes,) = picture.figure.axes
    assert list(axes.get_xticks()) == [0, 1, 2]
    assert axes.spines["bottom"].get_bounds()[1] < 3 < axes.get_xlim()[1]


def test_without_blocks_there_is_no_tree(tmp_path: Path) -> None:
    assert draw_tree(make_run(tmp_path, [opening()])) == Missing("Blocks", "No party has appended a block.")


def test_a_block_whose_parent_is_missing_is_drawn_apart(tmp_path: Path) -> None:
    picture = draw_tree(make_run(tmp_path, [*made_up_run(), appended("good-0", 9, "0xb9", "0xlost", "0xw")]))
    assert isinstance(picture, Picture)
    dotted = [line for line in picture.figure.axes[0].lines if line.get_linestyle() == ":"]
    assert len(dotted) == 1
    assert ("9", "0xb9", "?") in [row[:3] for row in picture.table.rows]
