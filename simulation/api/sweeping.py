"""Sweeps: a scenario for every combination of values, run or gone on with, as tables."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from simulation.api.arguments import checked, show
from simulation.api.result import NotThereError
from simulation.api.running import Cancel, CancelledError, make_place, make_silent_console
from simulation.api.scenario import UNNAMED, Scenario, load, to_plain
from simulation.api.sources import get_path
from simulation.api.stored import describe_folder, has_table, read_table
from simulation.api.temporary import TemporaryPlace
from simulation.commands.sweeps import Base, Options, build_sweep, find_sweep, go_on, load_sweep
from simulation.commands.sweeps import Sweep as Plan
from simulation.foundation import Interruption, SimulationError
from simulation.records import AGGREGATE_STEM, RESULTS_STEM
from simulation.scenario import ScenarioError, write_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DEFAULTS: Final = {"name": "sweep", "description": "a sweep of a program"}


@dataclass(frozen=True, slots=True)
class SweepProgress:
    """How far a sweep has come."""

    done: int
    """Cells that have ended."""
    failed: int
    """Those of them that have no figures."""
    cells: int
    """All there are."""


class Sweep:
    """A sweep that has run: its tables and curves."""

    def __init__(self, folder: Path, *, place: TemporaryPlace | None = None) -> None:
        """Open a sweep's folder; use `open_sweep` instead.

        Args:
            folder: The folder.
            place: What the folder lies in, if it is deleted when this is not used any more.

        Raises:
            NotThereError: It has no tables.
        """
        if not has_table(folder, RESULTS_STEM):
            what = describe_folder(folder) or f"it has no {RESULTS_STEM}.parquet"
            raise NotThereError(f"{folder}: not the folder of a sweep that has ended: {what}")
        self.folder = folder.absolute()
        """Where its files lie."""
        self._place = place

    @cached_property
    def results(self) -> "pd.DataFrame":
        """A row for each cell: the values varied, then every figure; `error` says why a cell has none."""
        return read_table(self.folder, RESULTS_STEM)

    @cached_property
    def aggregate(self) -> "pd.DataFrame":
        """A row for each combination of values, over its repeats; docs/sweeps.md says what the columns are."""
        return read_table(self.folder, AGGREGATE_STEM)

    @property
    def failed(self) -> int:
        """How many cells have no figures."""
        return int(self.results["error"].notna().sum())

    @checked
    def draw(self, x: str, figure: str, lines_by: str | Sequence[str] = (), *, axes: "Axes | None" = None) -> "Figure":
        """Return curves of a figure, with intervals, and what a closed form says dashed over them.

        Args:
            x: Key of the horizontal axis.
            figure: Name of a figure, without ``.mean`` or ``.low``.
            lines_by: A key, or several whose combinations each are a line; left out, the keys that tell lines apart
                are found, as for a report.
            axes: Where to draw instead of on a new picture.

        Raises:
            NotThereError: The table has no such key or figure.
            SimulationError: A line would go through several combinations at one place.

        Warns:
            DamageWarning: A table was changed since the sweep wrote it.
            UserWarning: There are more lines than are drawn.
        """
        from simulation.api.drawing import draw_curves, make_table  # noqa: PLC0415 - loads matplotlib

        return draw_curves(make_table(str(self.folder), self.aggregate), x, figure, lines_by, axes)

    def pictures(self, *figures: str | Sequence[str]) -> "dict[str, Figure]":
        """Return the pictures that a report would have, by name; of some figures, such as ``chain.*``, or of all.

        Raises:
            SourceError: Its tables cannot be read.
            SweepTableError: It has no such figure.

        Warns:
            DamageWarning: A table was changed since the sweep wrote it.
        """
        from simulation.api.drawing import draw_pictures  # noqa: PLC0415 - loads matplotlib

        names = [name for item in figures for name in ([item] if isinstance(item, str) else item)]
        return draw_pictures(self.folder, names)

    def __repr__(self) -> str:
        """Return what it is, in a line."""
        return f"<Sweep {self.folder.name}: {len(self.results):,} cells, {self.failed:,} failed>"


@checked
def sweep(
    source: str | Path | Mapping[str, Any],
    out: str | Path | None = "sweeps",
    *,
    jobs: int | None = None,
    executor: str = "local",
    address: str | None = None,
    on_progress: Callable[[SweepProgress], object] | None = None,
    cancel: Cancel | None = None,
    warn: Callable[[str], object] = warnings.warn,
) -> Sweep:
    """Run a sweep, or go on with it where it was.

    Args:
        source: The name of a shipped sweep, the path of a sweep file, or the keys of one as a mapping; there,
            ``scenario`` may be a `Scenario`, and name and description may be left out.
        out: Folder that the sweep's own folder is made in; None for one that is deleted when the `Sweep` is not used
            any more.
        jobs: Cores to use; None for all.
        executor: `local`, or `ray` for a cluster.
        address: Ray cluster to join.
        on_progress: Is called after each cell.
        cancel: Ends the sweep in order as soon as it is set.
        warn: Takes a sentence about failed cells and damaged lines.

    Raises:
        CancelledError: It was cancelled; finished cells are kept, and the same call goes on.
        DatasetError: No cell can have the data set that it insists on.
        ScenarioError: The sweep, or a combination of its values, is not valid.
        SimulationError: There are no cores to use.
        SweepError: It cannot go on.
    """
    if jobs is not None and jobs < 1:
        raise SimulationError(f"jobs: write 1 or more, not {jobs}")
    plan = read_plan(source)
    place = make_place() if out is None else None
    below = place.path if place is not None else Path(out or ".").expanduser()
    options = Options(
        executor=executor, jobs=None if jobs is None else int(jobs), address=address, out=below, cell=None
    )
    interruption = Interruption(cancel.is_set if cancel is not None else None)
    said: list[str] = []

    def count(done: int, failed: int, cells: int) -> None:
        if on_progress is not None:
            on_progress(SweepProgress(done, failed, cells))

    try:
        went = go_on(plan, options, make_silent_console(), interruption, say=said.append, on_cell=count)
        if interruption.signum is not None or went.folder is None:
            raise CancelledError(said[-1] if said else "interrupted")
    except BaseException:
        if place is not None:
            place.close()
        raise
    for sentence in said:
        warn(sentence)
    return Sweep(went.folder, place=place)


@checked
def open_sweep(folder: str | Path) -> Sweep:
    """Return a sweep that has ended by its folder.

    Raises:
        NotThereError: It has no tables.
    """
    return Sweep(get_path(folder))


def read_plan(source: str | Path | Mapping[str, Any]) -> Plan:
    """Return the sweep that a name, a file or a mapping stands for.

    Raises:
        ScenarioError: There is none, or it is not valid.
    """
    if isinstance(source, str | PathLike):
        return load_sweep(find_sweep(str(source)))
    if not isinstance(source, Mapping):
        raise ScenarioError(
            f"{show(source)}: no sweep; write a shipped one's name, a path ending in .yaml, or a mapping such as "
            '{"scenario": scenario, "vary": {"network.loss": [0.0, 0.1]}, "repeats": 3}'
        )
    keys = {**_DEFAULTS, **source}
    scenario = keys.get("scenario")
    if isinstance(scenario, Mapping):
        scenario = load(scenario)
    if scenario is not None and not isinstance(scenario, Scenario | str | PathLike):
        hint = "write run.scenario" if hasattr(scenario, "scenario") else "write a Scenario, a name or a path"
        raise ScenarioError(f"sweep: scenario: {hint}, not {show(scenario)}")
    if not isinstance(scenario, Scenario):
        return build_sweep(Path("sweep"), to_plain(keys))
    vary = keys.get("vary")
    if isinstance(vary, Mapping):
        keys["vary"] = {key: _use_whole_numbers(scenario, key, to_plain(values)) for key, values in vary.items()}
    raw, changed = scenario.split()
    changed.pop("seed", None)  # each cell has one of its own
    settings = {**changed, **keys.get("set", {})}
    base = Base(scenario.source, write_text(raw), raw)
    return build_sweep(Path("sweep"), to_plain({**keys, "scenario": UNNAMED, "set": settings}), base)


def _use_whole_numbers(scenario: Scenario, key: str, values: Any) -> Any:  # noqa: ANN401 - whatever may stand there
    """Return the values of a key with 1 for 1.0, as NumPy has it, where the key takes nothing but whole numbers."""
    is_list = isinstance(values, list) and any(isinstance(value, float) for value in values)
    if not is_list or not all(isinstance(value, int | float) and float(value).is_integer() for value in values):
        return values
    try:
        scenario.change({key: float(values[0])})
    except ScenarioError:
        return [int(value) for value in values]
    return values
