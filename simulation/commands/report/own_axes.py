"""Axes of the caller's own, where several figures may be drawn one after another, and where what they say stays."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Final, Literal, NamedTuple
from weakref import WeakKeyDictionary

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer

from simulation.commands.report.figure_names import name_figure
from simulation.commands.report.style import fit

MAX_TITLE: Final = 70
"""Letters."""
POINTS_PER_INCH: Final = 72

_LETTER_WIDTH: Final = 0.65
"""Of a title, in parts of its size: what bold letters have on average."""
_BREAK: Final = "\0 "
"""Where a key may be broken; no title has this letter."""
Side = Literal["left", "center", "right"]
_SIDES: Final[tuple[Side, ...]] = ("left", "center", "right")


class DrawnLine(NamedTuple):
    """One of our lines."""

    source: str
    """What the table is called."""
    figure: str
    told: str
    """What tells it from others of its figure; empty where there are none."""
    artist: ErrorbarContainer


@dataclass(slots=True)
class _Drawn:
    """What we have drawn and written there."""

    lines: list[DrawnLine] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    """What the values of the figures are, one for each line."""
    written: dict[str, str] = field(default_factory=dict)
    """Our texts by where they stand."""


_DRAWN: Final[WeakKeyDictionary[Axes, _Drawn]] = WeakKeyDictionary()


def count_lines(axes: Axes) -> int:
    """Return how many of our lines are there already."""
    return len(_find_drawn(axes).lines)


def label_axes(axes: Axes, x: str, lines: Sequence[DrawnLine], kind: str, side: Side) -> None:
    """Say what lines are, which have just been drawn; texts that are not ours stay.

    Args:
        axes: Where they are.
        x: Column of the horizontal axis.
        lines: The new ones.
        kind: What their values are.
        side: Where a title stands.
    """
    drawn = _find_drawn(axes)
    drawn.lines += lines
    drawn.kinds += [kind] * len(lines)
    figures = list(dict.fromkeys(line.figure for line in drawn.lines))
    for line in drawn.lines:
        name = name_figure(line.figure) if len(figures) > 1 or not line.told else ""
        source = line.source if len({other.source for other in drawn.lines}) > 1 else ""
        line.artist.set_label(", ".join(filter(None, (name, line.told, source))))
    names = ", ".join(map(name_figure, figures))
    kinds = " or ".join(dict.fromkeys(drawn.kinds))
    box = axes.get_window_extent()
    width, height = (int(points * POINTS_PER_INCH / axes.figure.dpi) for points in (box.width, box.height))
    told = names if len(figures) > 1 else f"{names} against {x}"
    title = _break_lines(fit(told, MAX_TITLE), width, rcParams["axes.titlesize"])
    heading = f"{names}\n{kinds}" if len(figures) == 1 else kinds
    label = "\n".join(_break_lines(text, height, rcParams["font.size"]) for text in heading.split("\n"))
    written = {"title": title, "x": fit(x, MAX_TITLE), "y": label}
    if all(axes.get_title(loc) in ("", drawn.written.get("title")) for loc in _SIDES):
        axes.set_title(title, loc=side)
    if axes.get_xlabel() in ("", drawn.written.get("x")):
        axes.set_xlabel(written["x"])
    if axes.get_ylabel() in ("", drawn.written.get("y")):
        axes.set_ylabel(label)
    drawn.written = written


def _find_drawn(axes: Axes) -> _Drawn:
    """Return what is ours there; what has been removed since is forgotten."""
    drawn = _DRAWN.setdefault(axes, _Drawn())
    there = {id(artist) for artist in axes.containers}
    kept = [place for place, line in enumerate(drawn.lines) if id(line.artist) in there]
    drawn.lines = [drawn.lines[place] for place in kept]
    drawn.kinds = [drawn.kinds[place] for place in kept]
    return drawn


def _break_lines(text: str, points: int, size: float) -> str:
    """Return a text of a size in lines of about so many points at most."""
    letters = max(int(points / (size * _LETTER_WIDTH)), 1)
    lines = wrap(text.replace(".", f".{_BREAK}"), letters, break_on_hyphens=False)
    return "\n".join(lines).replace(_BREAK, "").replace(_BREAK.strip(" "), "")
