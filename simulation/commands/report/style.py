"""How every picture looks, and the files it becomes. The same figure gives the same bytes every time."""

import io
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from matplotlib import font_manager, style
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

BLACK: Final = "#000000"
ORANGE: Final = "#E69F00"
SKY: Final = "#56B4E9"
GREEN: Final = "#009E73"
YELLOW: Final = "#F0E442"
BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
PURPLE: Final = "#CC79A7"
GREY: Final = "#767676"
SILVER: Final = "#B8B8B8"
LIGHT: Final = "#D9D9D9"

CYCLE: Final = (BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, BLACK, YELLOW)
"""The colours of M. Okabe and K. Ito, "Color universal design" (2008), which colour-blind readers tell apart."""

CLEAN: Final = BLUE
POISONED: Final = VERMILION

DPI: Final = 150
WIDTH: Final = 9.0
"""Inches; what a page shows at its natural size."""

LABEL_LENGTH: Final = 28

_FONT: Final = "DejaVu Sans"
"""Comes with matplotlib, so a picture has the same letters everywhere."""

_STYLE: Final[dict[Any, Any]] = {
    "font.family": _FONT,
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "axes.formatter.use_mathtext": False,
    "grid.color": LIGHT,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "errorbar.capsize": 3,
    "text.parse_math": False,
    "svg.hashsalt": "pot",
    "svg.fonttype": "path",
    "savefig.dpi": DPI,
}

_NO_METADATA: Final = {"Date": None, "Creator": None, "Format": None, "Type": None}


@contextmanager
def styled() -> Iterator[None]:
    """Draw and save inside this: our style over matplotlib's defaults, whatever the user has set."""
    with style.context(["default", _STYLE]):
        yield


class ShownFigure(Figure):
    """A figure that a notebook shows where it is the last value of a cell."""

    def _repr_png_(self) -> bytes:
        return render(self, "png")


def make_figure(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure of a size in inches."""
    return ShownFigure(figsize=(width, height), layout="constrained")


def render(figure: Figure, kind: str) -> bytes:
    """Return a picture's file; ``kind`` is "png" or "svg"."""
    buffer = io.BytesIO()
    metadata: dict[str, Any] = _NO_METADATA if kind == "svg" else {"Software": None}
    with styled():
        # Each drawing would move the layout a little, and the second file would not look like the first.
        if isinstance(figure.get_layout_engine(), ConstrainedLayoutEngine):
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
        figure.savefig(buffer, format=kind, metadata=metadata)
    return buffer.getvalue()


def fit(text: str, length: int = LABEL_LENGTH) -> str:
    """Return text as a picture can show it: on one line, of letters the font has, and not longer than ``length``."""
    flat = "".join(
        " " if letter.isspace() else letter if _has_glyph(letter) else "\N{WHITE SQUARE}"
        for letter in text[: length + 1]
    )
    return flat if len(flat) <= length else flat[: length - 1] + "\N{HORIZONTAL ELLIPSIS}"


def count_steps(axes: Axes) -> None:
    """Mark whole numbers only on the horizontal axis, also where there is but one."""
    left, right = axes.get_xlim()
    if right - left < 1:
        middle = round((left + right) / 2)
        axes.set_xlim(middle - 0.6, middle + 0.6)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def colour_populations(honest: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """Return a colour for each population: cool ones for honest populations, warm ones for attackers."""
    cool, warm = (BLUE, SKY, GREEN), (VERMILION, ORANGE, PURPLE, YELLOW)
    colours = {name: cool[place % len(cool)] for place, name in enumerate(sorted(honest))}
    colours |= {name: warm[place % len(warm)] for place, name in enumerate(sorted(others))}
    return colours


@cache
def _has_glyph(letter: str) -> bool:
    if unicodedata.category(letter).startswith("C"):  # control and surrogate code points are in no picture
        return False
    path = font_manager.findfont(_FONT)
    return font_manager.get_font([path]).get_char_index(ord(letter)) != 0
