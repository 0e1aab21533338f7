"""What is drawn is what was counted: the figures of each picture, read back from what is on it."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle, StepPatch
from msgspec.structs import replace

from simulation.commands.report.headline import build_headline
from simulation.commands.report.picture import Missing, Picture
from simulation.commands.report.population_pictures import MAX_ROWS, OTHERS, draw_coins, draw_refusals
from simulation.commands.report.sources import Run, read_run
from simulation.commands.report.style import CLEAN, POISONED
from simulation.commands.report.timeline_picture import MAX_BINS, MAX_KINDS, choose_width, count_in_bins, draw_timeline
from simulation.commands.report.tree_animation import animate_tree
from simulation.commands.report.windows import Window
from simulation.mechanisms.proof_of_training.compared import compute_coverage
from simulation.mechanisms.proof_of_training.pictures import compute_accuracies, compute_losses, draw_training
from simulation.records.record import Record
from simulation.records.training_facts import Trained
from tests.support.reports import evaluated, forked_run, make_run, read_pairs, write_run
from tests.support.scenarios import appended, made_up_run, note, opening, trained

pytestmark = pytest.mark.drawing


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_run(tmp_path)


@pytest.fixture
def forked(tmp_path: Path) -> Run:
    return make_run(tmp_path, forked_run())


def axes_of(picture: Picture | Missing) -> list[Axes]:
    assert isinstance(picture, Picture)
    return picture.figure.axes


def figure_of(picture: Picture | Missing) -> Figure:
    assert isinstance(picture, Picture)
    return picture.figure


def bars_of(axes: Axes) -> list[Rectangle]:
    return [patch for patch in axes.patches if isinstance(patch, Rectangle)]


def points_of(axes: Axes) -> Counter[tuple[float, float, str]]:
    """Return place and colour of every marker."""
    return Counter(
        (float(x), round(float(y), 9), to_hex(line.get_color()).upper())
        for line in axes.lines
        if line.get_marker() not in ("None", "^")
        for x, y in zip(np.asarray(line.get_xdata()), np.asarray(line.get_ydata()), strict=True)
    )


# ---- training ----


def test_every_loss_and_accuracy_is_a_point(forked: Run) -> None:
    losses, accuracies = axes_of(draw_training(forked))
    expected = Counter(
        (float(stage + 1), loss, CLEAN if data == "clean" else POISONED)
        for (data, stage, _), loss in forked.series.losses.items()
    )
    assert points_of(losses) == expected
    assert len(expected) > 12
    measured = Counter(
        (float(forked.tally.blocks[block].height), round(measured.accuracy, 9), colour)
        for block, measured in forked.tally.training.evaluations.items()
        for colour in [POISONED if forked.tally.is_poisoned(block) else CLEAN]
    )
    assert points_of(accuracies) == measured
    assert {colour for _, _, colour in measured} == {CLEAN, POISONED}


def test_results_that_many_nodes_got_are_one_point(run: Run) -> None:
    assert compute_losses(run) == {"clean": {1: [0.5], 2: [0.5]}, "poisoned": {1: [0.5]}}
    assert compute_accuracies(run) == {"0xb1": (1, 0.5), "0xb2": (2, 0.875)}


def test_a_trigger_is_drawn_only_where_it_works(run: Run, tmp_path: Path) -> None:
    quiet = [evaluated("0xb1", 0.5, trigger=0.05), evaluated("0xb2", 0.9, trigger=0.1)]
    others = [record for record in made_up_run() if record.event != "evaluated"]
    for source, expected in ((run, True), (make_run(tmp_path / "quiet", [*others, *quiet]), False)):
        legend = axes_of(draw_training(source))[1].get_legend()
        assert legend is not None
        assert ("trigger succeeds" in [text.get_text() for text in legend.get_texts()]) == expected


def test_half_a_training_picture_is_drawn_where_there_is_half(tmp_path: Path) -> None:
    without = [record for record in made_up_run() if record.event != "trained"]
    assert len(axes_of(draw_training(make_run(tmp_path / "a", without)))) == 1
    only = [record for record in made_up_run() if record.event != "evaluated"]
    picture = draw_training(make_run(tmp_path / "b", only))
    assert len(axes_of(picture)) == 1
    assert isinstance(picture, Picture)
    assert "Accuracy is left out" in picture.note
    nothing = [record for record in only if record.event != "trained"]
    assert isinstance(draw_training(make_run(tmp_path / "c", nothing)), Missing)


def test_training_that_went_wrong_is_drawn_as_a_gap(tmp_path: Path) -> None:
    records = [
        Record(record.time, record.level, record.who, replace(record.fact, loss="nan"))
        if isinstance(record.fact, Trained)
        else record
        for record in made_up_run()
    ]
    losses = axes_of(draw_training(make_run(tmp_path, records)))[0]
    assert sum(np.isnan(y) for _, y, _ in points_of(losses).elements()) == 3


def test_one_stage_is_marked_as_a_whole_number(tmp_path: Path) -> None:
    one = [record for record in made_up_run() if record.fields.get("stage") != 1]
    axes = axes_of(draw_training(make_run(tmp_path, one)))[0]
    left, right = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if left <= tick <= right] == [1]


# ---- refusals and coins ----


def test_refusal_bars_are_the_counts_of_the_tally(tmp_path: Path) -> None:
    extra = [note("good-0", "rejected", kind="block", author="user-3", peer="users", reason="malformed")] * 2
    extra += [note("bad-0", "rejected", kind="block", author="user-3", peer="users", reason="unseen")]
    run = make_run(tmp_path, [*made_up_run()[:-1], *extra, made_up_run()[-1]])
    axes = axes_of(draw_refusals(run))[0]
    reasons = [label.get_text() for label in axes.get_yticklabels()]
    drawn: Counter[tuple[str, str]] = Counter()
    for container in axes.containers:
        assert isinstance(container, BarContainer)
        for reason, bar in zip(reasons, container.patches, strict=True):
            drawn[str(container.get_label()), reason] += round(bar.get_width())
    expected = Counter({(name, r): n for name, counts in run.tally.rejected_from.items() for r, n in counts.items()})
    assert +drawn == expected
    assert expected == {
        ("bad", "different-weights"): 1,
        ("bad", "bad-signature"): 1,
        ("bad", "malformed"): 1,
        ("users", "malformed"): 2,
    }


def test_stacked_bars_do_not_cover_one_another(tmp_path: Path) -> None:
    extra = [note("good-0", "rejected", kind="block", author="user-3", peer="users", reason="malformed")] * 2
    axes = axes_of(draw_refusals(make_run(tmp_path, [*made_up_run(), *extra])))[0]
    spans = sorted((bar.get_y(), bar.get_x(), bar.get_width()) for bar in bars_of(axes) if bar.get_width())
    for (row, start, width), (next_row, next_start, _) in pairwise(spans):
        assert row != next_row or start + width <= next_start


@pytest.mark.parametrize(("authors", "reasons"), [(1, 1), (4, 1), (12, 3), (MAX_ROWS, 1)])
def test_the_legend_of_refusals_lies_within_the_picture_and_covers_no_bar(
    authors: int, reasons: int, tmp_path: Path
) -> None:
    extra = [
        note("good-0", "rejected", kind="x", author=f"{number}_" + "m" * 30, peer="a", reason=f"reason{reason}")
        for number in range(authors)
        for reason in range(reasons)
    ]
    figure = figure_of(draw_refusals(make_run(tmp_path, [*made_up_run(), *extra])))
    figure.draw_without_rendering()
    legend, axes = figure.legends[0].get_window_extent(), figure.axes[0].get_tightbbox()
    assert axes is not None
    assert legend.y1 <= axes.y0
    assert legend.y0 >= 0
    assert legend.x0 >= 0
    assert legend.x1 <= figure.bbox.x1


def test_legends_of_training_lie_below_the_points(forked: Run) -> None:
    figure = figure_of(draw_training(forked))
    figure.draw_without_rendering()
    for axes in figure.axes:
        legend = axes.get_legend()
        assert legend is not None
        assert legend.get_window_extent().y1 < axes.get_window_extent().y0
        assert legend.get_window_extent().y0 >= 0


def test_a_flood_of_names_is_drawn_together(tmp_path: Path) -> None:
    many = [
        note("good-0", "rejected", kind="x", author=f"stranger{n}", peer="a", reason=f"reason{n}")
        for n in range(3 * MAX_ROWS)
    ]
    run = make_run(tmp_path, [*made_up_run(), *many])
    picture = draw_refusals(run)
    axes = axes_of(picture)[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert len(labels) == MAX_ROWS + 1
    assert OTHERS in labels
    assert sum(bar.get_width() for bar in bars_of(axes)) == pytest.approx(3 * MAX_ROWS + 3)
    assert isinstance(picture, Picture)
    assert len(picture.table.rows) == 3 * MAX_ROWS + 3


def test_nothing_refused_is_a_sentence(forked: Run) -> None:
    assert draw_refusals(forked) == Missing("Refusals", "Honest nodes rejected nothing.")


def test_coin_bars_are_the_balances_of_the_tally(run: Run) -> None:
    total, each = axes_of(draw_coins(run))
    names = [label.get_text() for label in total.get_yticklabels()]
    assert names == ["good (2)", "bad (1)"]
    assert [bar.get_width() for bar in bars_of(total)] == [19.5, 0.0]
    assert sorted(float(x) for line in each.lines for x in np.asarray(line.get_xdata())) == sorted(
        node.balance for node in run.tally.nodes.values()
    )


def test_without_closing_balances_there_is_no_picture_of_them(tmp_path: Path) -> None:
    cut = [record for record in made_up_run() if record.event != "final"]
    assert isinstance(draw_coins(make_run(tmp_path, cut)), Missing)


# ---- timeline ----


def test_no_message_is_lost_or_counted_twice_over_time(run: Run) -> None:
    rows = axes_of(draw_timeline(run))
    drawn = {}
    for axes in rows:
        (steps,) = [patch for patch in axes.patches if isinstance(patch, StepPatch)]
        drawn[axes.get_ylabel().split("\n")[0]] = sum(np.asarray(steps.get_data()[0]))
    assert drawn == run.tally.sent
    marks = {float(np.asarray(line.get_xdata())[0]) for line in rows[0].lines}
    assert marks == set(run.series.first_appended.values())


@pytest.mark.parametrize("span", [0.0, 1e-9, 0.3, 1.0, 7.99, 8.0, 8.01, 79.0, 80.0, 81.0, 12345.6, 1e12])
def test_bins_are_round_and_not_too_many(span: float) -> None:
    width = choose_width(span)
    assert span <= width * MAX_BINS
    assert float(f"{width:.0e}") == width
    assert span <= 0 or width * MAX_BINS <= span * 10


def test_rare_kinds_are_drawn_together() -> None:
    sent = Counter({(f"kind{number}", 1.0): number + 1 for number in range(3 * MAX_KINDS)})
    counts = count_in_bins(sent, 1.0, 1)
    assert len(counts) == MAX_KINDS
    assert sum(sum(numbers) for numbers in counts.values()) == sent.total()


def test_a_message_at_the_very_end_is_in_the_last_bin() -> None:
    assert count_in_bins(Counter({("a", 0.0): 1, ("a", 1.0): 2, ("a", 2.0): 4}), 1.0, 2) == {"a": [1, 6]}


def test_a_run_that_only_counted_says_so(tmp_path: Path) -> None:
    counted = note("run", "counted", time=3.0, what="sent", kind="header", count=70, amount=900)
    records = [record for record in made_up_run() if record.event not in ("sent", "relayed")]
    missing = draw_timeline(make_run(tmp_path / "a", [*records, counted]))
    assert isinstance(missing, Missing)
    assert "only counted" in missing.why
    partly = draw_timeline(make_run(tmp_path / "b", [*made_up_run(), counted]))
    assert isinstance(partly, Picture)
    assert "70 more copies" in partly.note


# ---- headline ----


def test_headline_figures_are_those_of_the_tally(run: Run) -> None:
    figures = read_pairs(build_headline(run))
    assert figures == {
        "scenario": "made-up, seed 7, engine processes",
        "mechanism": "proof_of_training",
        "nodes": "2 good (honest), 1 bad (data_injection)",
        "data set": "digits",
        "ended": "complete",
        "height of the honest chain": "2",
        "agreement of honest nodes": "100%",
        "employer deceived": "no",
        "employer's height": "2 (delivered)",
        "poisoned stages, honest": "0",
        "poisoned stages, employer": "0",
        "test accuracy": "87.50%",
        "trigger success": "12.50%",
        "coverage of the data set": "100%",
        "accuracy, honest branch": "87.50%",
        "blocks made, by population": "bad 0.0%\ngood 100.0%",
        "declarations to a block": "0.50",
        "coins a CPU s, by population": "bad 0.0\ngood 5.6",
        "training CPU s in the chain": "3.5",
        "training CPU s discarded": "4.0",
        "forks": "0 blocks of honest nodes off their head's chain",
        "deepest reorganisation": "0 blocks",
        "rejected by honest nodes": "3: different-weights 1, bad-signature 1, malformed 1",
        "detection": "100% of attackers' work rejected, 100% of rejected work was attackers', 0% of honest work "
        "rejected (work: declaration, header, stakeholder and block messages)",
    }


def test_a_deceived_employer_is_said_to_be_and_its_poisoned_stages_cover_nothing(forked: Run) -> None:
    told = read_pairs(build_headline(forked))
    assert (told["employer deceived"], told["poisoned stages, employer"]) == ("yes", "9")
    assert compute_coverage(forked.tally) == 1.0
    forked.tally.opening = replace(forked.tally.get_opening(), samples=750 * 12)
    assert compute_coverage(forked.tally) == 3 / 12
    forked.tally.opening = replace(forked.tally.get_opening(), samples=None)
    assert compute_coverage(forked.tally) is None


def test_a_run_of_which_nothing_is_known_has_a_headline_and_no_picture(tmp_path: Path) -> None:
    run = make_run(tmp_path, [opening()])
    assert read_pairs(build_headline(run))["ended"].startswith("unfinished")
    assert all(isinstance(draw(run), Missing) for draw in (draw_training, draw_refusals, draw_timeline, draw_coins))


def test_letters_that_no_font_has_and_formulas_are_drawn_as_text(tmp_path: Path) -> None:
    nasty = "$\\frac{$\n\ud800\N{CJK UNIFIED IDEOGRAPH-65E5}<b>" + "x" * 5000
    records = [*made_up_run(), note("x-0", "node", population=nasty, role="silent", stake=1)]
    records += [trained("x-0", 0, "0xcc", data=nasty), appended("x-0", 1, nasty, "0x0", "0xcc")]
    records += [note("good-0", "rejected", kind="a", author="x-0", peer="b", reason=nasty)]
    records += [note("x-0", "sent", kind=nasty, to="all", copies=1, bytes=1)]
    run = make_run(tmp_path, [record for record in records if record.event != "ended"])
    for draw in (draw_training, draw_refusals, draw_timeline, draw_coins):
        picture = draw(run)
        assert isinstance(picture, Picture)
        picture.figure.draw_without_rendering()


# ---- windows and the tree's growth ----


def test_windows_of_a_scenario_are_shaded_and_what_is_none_is_left_out(tmp_path: Path) -> None:
    folder = write_run(tmp_path)
    text = "network: {partitions: [{start_s: 1, heal_s: 2.5}, {start_s: 3}, 7], eclipses: [{start_s: 90, heal_s: 99}]}"
    (folder / "scenario.yaml").write_text(text)
    run = read_run(folder)
    assert run.windows == (Window(1.0, 2.5, "partition"), Window(90.0, 99.0, "eclipse"))
    picture = draw_timeline(run)
    for axes in axes_of(picture):
        (shade,) = bars_of(axes)
        assert (shade.get_x(), shade.get_width()) == (1.0, 1.5)
    told = [text.get_text() for text in figure_of(picture).legends[0].get_texts()]
    assert "during a partition" in told
    assert not any("eclipse" in text for text in told)  # it has not come to that


@pytest.mark.parametrize(
    "written", ["", "network: 3", "network: {partitions: {}}", "{", "network: {partitions: [null]}"]
)
def test_a_scenario_without_windows_shades_nothing(tmp_path: Path, written: str) -> None:
    folder = write_run(tmp_path)
    (folder / "scenario.yaml").write_text(written)
    assert read_run(folder).windows == ()


def test_each_block_appears_in_the_animation(forked: Run, tmp_path: Path) -> None:
    drawn = animate_tree(forked, frames=2)
    assert drawn is not None
    assert drawn[:6] == b"GIF89a"
    assert animate_tree(make_run(tmp_path / "a", [opening()])) is None
