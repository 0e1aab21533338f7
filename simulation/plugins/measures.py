"""Registers measures and pictures: what is worked out of a run's records, and drawn of them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from simulation.analysis import PLUGIN_MEASURES
from simulation.foundation import PluginError, blame_plugin, locate
from simulation.records import Tally
from simulation.scenario import read_own_keys

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from simulation.commands.report import Missing, Picture, Run

MeasureT = TypeVar("MeasureT", bound=Callable[[Tally], Any])
DrawT = TypeVar("DrawT", bound="Callable[[Run], Figure | None]")


def register_measure(name: str) -> Callable[[MeasureT], MeasureT]:
    """Add a measure to every run with the plug-in: an entry of `measures` in ``summary.json``.

    The function takes a `Tally`, all that a run's records add up to, and returns a number, a text, a boolean or None,
    or several of those by name. `verify` works it out again from the log.

    Args:
        name: What the summary calls it.

    Raises:
        ValueError: The name is taken, or the function takes something else.
    """

    def register(function: MeasureT) -> MeasureT:
        if read_own_keys(function, ("tally",)):
            raise ValueError(f"the measure {name!r} takes a tally and no keys of its own")
        PLUGIN_MEASURES.register(name, function)
        return function

    return register


def register_picture(name: str, *, title: str, alt: str) -> Callable[[DrawT], DrawT]:
    """Add a picture to every run with the plug-in: a file in its folder, and a figure in a report.

    The function takes a `Run` of `simulation.commands.report`, with its `tally` and `series`, and returns a matplotlib
    figure, or None where there is nothing to draw.

    Args:
        name: What its files are called.
        title: What stands above it.
        alt: What is to be seen, in words.

    Raises:
        ValueError: The name is taken, or the function takes something else.
    """

    def register(function: DrawT) -> DrawT:
        from simulation.commands.report import PLUGIN_PICTURES, Missing, Picture, Table  # noqa: PLC0415 - matplotlib

        if read_own_keys(function, ("run",)):
            raise ValueError(f"the picture {name!r} takes a run and no keys of its own")

        def draw(run: "Run") -> "Picture | Missing":
            from matplotlib.figure import Figure  # noqa: PLC0415 - loads half of matplotlib

            try:
                figure = function(run)
            except Exception as error:
                raise PluginError(blame_plugin(error) or f"{locate(function)}: {error}") from error
            if figure is None:
                return Missing(title, "There is nothing to draw.")
            if not isinstance(figure, Figure):
                what = f"the picture {name!r} returned a {type(figure).__name__}; return a matplotlib figure"
                raise PluginError(f"{locate(function)}: {what}")
            return Picture(name, title, alt, "Drawn by a plug-in.", figure, Table((), ()))

        PLUGIN_PICTURES.register(name, draw)
        return function

    return register
