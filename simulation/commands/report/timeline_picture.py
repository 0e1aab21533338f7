"""When messages of each kind were sent, and when blocks were appended."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from simulation.commands.report.picture import Missing, Picture, Table
from simulation.commands.report.sources import Run
from simulation.commands.report.style import CLEAN, GREY, ORANGE, POISONED, SILVER, fit, make_figure
from simulation.commands.report.windows import Window

TITLE: Final = "Messages over time"

MAX_BINS: Final = 80
MAX_KINDS: Final = 12
"""Rarer kinds are drawn together as one."""
OTHERS: Final = "all others"
ROW: Final = 0.62
"""Inches."""

Bins = dict[str, list[int]]


def choose_width(span: float) -> float:
    """Return a round number of seconds of which at most `MAX_BINS` cover a span."""
    if span <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(span / MAX_BINS))
    return next(step * power for step in (1, 2, 5, 10) if step * power * MAX_BINS >= span)


def count_in_bins(sent: Counter[tuple[str, float]], width: float, bins: int) -> Bins:
    """Return the messages of each kind that were sent in each bin, most frequent kinds first; none is lost."""
    totals: Counter[str] = Counter()
    for (kind, _), copies in sent.items():
        totals[kind] += copies
    kinds = [kind for kind, _ in sorted(totals.items(), key=lambda item: (-item[1], item[0]))]
    kept = kinds if len(kinds) <= MAX_KINDS else kinds[: MAX_KINDS - 1]
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0] * bins)
    for kind in kept:
        counts[kind] = [0] * bins
    for (kind, time), copies in sent.items():
        counts[kind if kind in kept else OTHERS][min(int(time / width), bins - 1)] += copies
    return dict(counts)


def draw_timeline(run: Run) -> Picture | Missing:
    """Return the picture of a run's messages."""
    sent, appended = run.series.sent, run.series.first_appended
    if not sent.total():
        why = "The run only counted its messages and did not record when they were sent."
        return Missing(TITLE, why if run.is_counted else "The log holds no message.")
    end = max(*(time for _, time in sent), *appended.values(), 0.0)
    width = choose_width(end)
    bins = max(1, math.ceil(end / width))
    counts = count_in_bins(sent, width, bins)
    tally = run.tally
    marks = [(time, block in tally.blocks and tally.is_poisoned(block)) for block, time in appended.items()]
    figure = make_figure(ROW * len(counts) + 1.5)
    rows = figure.subplots(len(counts), 1, sharex=True, squeeze=False)[:, 0]
    edges = [place * width for place in range(bins + 1)]
    windows = [window for window in run.windows if window.start_s < edges[-1]]
    for axes, (kind, numbers) in zip(rows, counts.items(), strict=True):
        for window in windows:
            axes.axvspan(window.start_s, min(window.heal_s, edges[-1]), color=ORANGE, alpha=0.2, linewidth=0)
        axes.stairs(numbers, edges, fill=True, color=SILVER)
        for time, is_poisoned in marks:
            axes.axvline(time, color=POISONED if is_poisoned else CLEAN, linestyle="--" if is_poisoned else "-", lw=1)
        axes.set_ylabel(f"{fit(kind)}\n{sum(numbers):,}", rotation=0, ha="right", va="center", fontsize=9)
        axes.set_ylim(0, max(numbers) * 1.1 or 1)
        axes.set_yticks([0, max(numbers)] if max(numbers) else [0])
        axes.yaxis.set_tick_params(labelsize=7.5, labelcolor=GREY)
        axes.set_xlim(0, max(edges[-1], end) * 1.01)
    figure.align_ylabels(rows)
    clock = "simulated time (s)" if run.is_simulated else "time since the start (s)"
    rows[0].set_title(f"Message copies sent in each {width:g} s, by kind")
    rows[-1].set_xlabel(clock)
    has_training = any(map(tally.is_trained, tally.blocks))
    looks = _explain_looks({kind for _, kind in marks}, "a clean block" if has_training else "a block")
    shades = _explain_windows(windows)
    figure.legend(handles=[*looks, *shades], loc="outside lower center", ncols=3)
    note = _NOTE
    if tally.sent.total() > sent.total():
        note += f" The run only counted {tally.sent.total() - sent.total():,} more copies; these are not shown."
    return Picture("timeline", TITLE, _describe(counts, appended, end), note, figure, _tabulate(counts, width))


def _explain_looks(marks: set[bool], whole: str) -> Iterator[Line2D]:
    yield Line2D([], [], color=SILVER, linewidth=6, label="copies sent")
    if False in marks:
        yield Line2D([], [], color=CLEAN, label=f"{whole} is appended")
    if True in marks:
        yield Line2D([], [], color=POISONED, linestyle="--", label="a poisoned block is appended")


def _explain_windows(windows: Iterable[Window]) -> Iterator[Patch]:
    for what in dict.fromkeys(window.what for window in windows):
        yield Patch(color=ORANGE, alpha=0.2, linewidth=0, label=f"during a{'n' if what[0] in 'aeiou' else ''} {what}")


_NOTE: Final = (
    "Each row has its own scale, from 0 to the number at its axis; the number below a kind is its total. A message to "
    "several neighbours counts once for each. Lines mark when the first party, whoever it is, appends a block."
)


def _describe(counts: Bins, appended: dict[str, float], end: float) -> str:
    kinds = ", ".join(f"{sum(numbers):,} {kind}" for kind, numbers in counts.items())
    return f"Over {end:,.1f} s, {len(appended)} blocks were appended, and these message copies were sent: {kinds}."


def _tabulate(counts: Bins, width: float) -> Table:
    bins = len(next(iter(counts.values())))
    rows = [
        (f"{place * width:g}", *(f"{numbers[place]:,}" for numbers in counts.values()))
        for place in range(bins)
        if any(numbers[place] for numbers in counts.values())
    ]
    return Table(("from (s)", *counts), tuple(rows))
