"""What a run has left behind, read when it is asked for."""

import shutil
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulation.api.arguments import checked
from simulation.api.checking import Verified, read_summary, verify
from simulation.api.figures import Figures, flatten, read_figures
from simulation.api.scenario import Scenario, make_scenario
from simulation.api.sources import get_path
from simulation.api.stored import describe_folder, read_records, warn_of_damage
from simulation.api.temporary import TemporaryPlace
from simulation.commands.checks import RunFolderError
from simulation.foundation import OutputError, SimulationError, find_part, suggest
from simulation.records import CHAIN_NAME, MODEL_NAME, SCENARIO_NAME, SUMMARY_NAME, Record, RunLog
from simulation.runs import FINISHED, read_chain
from simulation.scenario import load_stored_scenario

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from simulation.api.frames import Event
    from simulation.commands.provenance import OpenedChain


class NotThereError(SimulationError):
    """A run has no such thing; the text says why."""


class Run:
    """A finished run: its figures, tables, pictures and model."""

    def __init__(self, folder: Path, *, place: TemporaryPlace | None = None) -> None:
        """Open a run's folder; use `open_run` instead.

        Args:
            folder: The folder.
            place: What the folder lies in, if it is deleted when this is not used any more.

        Raises:
            NotThereError: Its summary does not say how it ended.
            RunFolderError: It is not the folder of a finished run.
        """
        self.folder = folder.absolute()
        """Where its files lie."""
        self.summary: dict[str, Any] = read_summary(folder)
        """What `summary.json` says."""
        for name, kind in (("ended", str), ("chain", dict), ("scenario", str), ("seed", int), ("nodes", list)):
            if not isinstance(self.summary.get(name), kind):
                raise NotThereError(f"{folder}: not the folder of a finished run: {SUMMARY_NAME} does not say {name!r}")
        self._place = place

    # ---- figures ----

    @cached_property
    def figures(self) -> Figures:
        """The figures, typed."""
        try:
            return read_figures(self.summary)
        except ValueError as error:
            raise NotThereError(f"{self.folder}: figures of another version: {error}; read `summary` instead") from None

    @property
    def ended(self) -> str:
        """How it ended: `complete` or `delivered`, or why not, such as `time-limit` or `interrupted`."""
        ended: str = self.summary["ended"]
        return ended

    @property
    def is_delivered(self) -> bool:
        """Whether the employer has what it ordered."""
        return self.ended in FINISHED

    @cached_property
    def scenario(self) -> Scenario:
        """What was run, every key with its value."""
        path = self.folder / SCENARIO_NAME
        return make_scenario(load_stored_scenario(path), str(path))

    def to_series(self) -> "pd.Series[Any]":
        """Return every figure by its dotted name, as columns of sweeps are called."""
        import pandas as pd  # noqa: PLC0415 - half a second

        figures = {name: value for name, value in flatten(self.summary) if not name.startswith(("files.", "nodes."))}
        return pd.Series(figures, dtype=object, name=self.folder.name)

    # ---- tables ----

    def nodes(self) -> "pd.DataFrame":
        """Return where each node stood at the end."""
        import pandas as pd  # noqa: PLC0415

        return pd.DataFrame(self.summary["nodes"])

    def records(self, *events: "Event | Iterable[Event]") -> "pd.DataFrame":
        """Return what happened: a row for each record of some events, or of all; docs/records.md lists them.

        Args:
            events: Names of events, types of facts such as `simulation.records.Rejected`, or lists of them.

        Raises:
            LogError: There is no log, or no line of it is one.
            SimulationError: There is no such event.

        Warns:
            DamageWarning: A log was cut off or changed since the run ended.
        """
        from simulation.api.frames import choose_events, frame_records  # noqa: PLC0415 - loads pandas

        _, records = self._read_log()
        return frame_records(records, choose_events(records, events))

    def refusals(self) -> "pd.DataFrame":
        """Return how often messages were refused: whose, of what kind, why, and whether by honest nodes.

        Raises:
            LogError: There is no log, or no line of it is one.

        Warns:
            DamageWarning: A log was cut off or changed since the run ended.
        """
        from simulation.api.frames import frame_refusals  # noqa: PLC0415 - loads pandas

        log, records = self._read_log()
        return frame_refusals(records, log.tally)

    def chain(self) -> "pd.DataFrame":
        """Return the blocks of the employer's chain, each checked again; coins are in coins.

        Raises:
            ChainFolderError: There is no chain in the folder.
            ChainFileError: Not even its genesis can be read.
        """
        from simulation.api.frames import frame_chain  # noqa: PLC0415 - loads pandas

        return frame_chain(self._open_chain())

    def transactions(self) -> "pd.DataFrame":
        """Return the transfers in the employer's chain; it raises what `chain` does."""
        from simulation.api.frames import frame_transactions  # noqa: PLC0415 - loads pandas

        return frame_transactions(self._open_chain())

    def audit(self) -> "pd.DataFrame":
        """Return who did what for the employer's chain, when and for how many coins; it raises what `chain` does."""
        from simulation.api.frames import frame_events  # noqa: PLC0415 - loads pandas

        return frame_events(self._open_chain())

    # ---- pictures and model ----

    def pictures(self) -> "dict[str, Figure]":
        """Return every picture that there is something to draw of, by name.

        Raises:
            SourceError: There is no log to draw from.

        Warns:
            DamageWarning: A log was cut off or changed since the run ended.
        """
        from simulation.api.drawing import draw_pictures  # noqa: PLC0415 - loads matplotlib

        return draw_pictures(self.folder)

    def picture(self, name: str) -> "Figure":
        """Return one picture, such as `blocks`.

        Raises:
            NotThereError: There is no such picture of this run.
            SourceError: There is no log to draw from.
        """
        drawn = self.pictures()
        if name not in drawn:
            raise NotThereError(f"{self.folder}: no picture {name!r}; {suggest(name, drawn)}")
        return drawn[name]

    def animation(self) -> bytes:
        """Return how the tree of blocks grew, as the bytes of a GIF; that takes some seconds.

        Raises:
            NotThereError: No party has stored a block.
            SourceError: There is no log to draw from.
        """
        from simulation.api.drawing import draw_growth  # noqa: PLC0415 - loads matplotlib

        drawn = draw_growth(self.folder)
        if drawn is None:
            raise NotThereError(f"{self.folder}: there is no tree to animate: no party has stored a block")
        return drawn

    def model(self) -> Any:  # noqa: ANN401 - a Keras model, and Keras is not loaded to say so
        """Return the Keras model that the employer got, which loads TensorFlow.

        It is built from the job that the chain's genesis names; only arrays of numbers are read from its file.

        Raises:
            ChainFileError: The chain beside it is damaged.
            NotThereError: There is none.
            WeightsError: The file cannot be read, or is one of another model.
        """
        path, keys = self.folder / MODEL_NAME, self.scenario.keys
        load = find_part(self.scenario.mechanism, "delivered")
        if load is None or not path.is_file():
            if MODEL_NAME in self.summary["files"]:
                raise NotThereError(f"{path}: the run has left a model, but its file is not there any more")
            is_made_up = load is None or keys.is_training_made_up
            why = "nothing was really trained" if is_made_up else f"the run ended with {self.ended!r}"
            raise NotThereError(f"{path}: there is no model of this run: {why}")
        mechanism, _ = read_chain(self.folder / CHAIN_NAME)
        return load(mechanism, path)

    # ---- the folder ----

    def verify(
        self, *, retrain: bool = False, dataset: str | Path | None = None, say: Callable[[str], object] | None = None
    ) -> Verified:
        """Check all that was left behind again; see `simulation.verify`."""
        return verify(self.folder, retrain=retrain, dataset=dataset, say=say)

    @checked
    def keep(self, out: str | Path = "runs") -> Path:
        """Move a run that was made without a folder into one below `out`, numbered if it is there already; return it.

        A run that has a folder of its own stays there, whatever `out` is: that folder is returned.

        It has no pictures in its folder, and gets none: `pictures` draws them, and `simulation.report` with a page.

        Raises:
            OutputError: It cannot be moved there.
        """
        if self._place is None:
            return self.folder
        above = Path(out).expanduser()
        base, number = above.absolute() / self.folder.name, 1
        target = base
        while target.exists():
            number += 1
            target = base.with_name(f"{base.name}-{number}")
        try:
            above.mkdir(parents=True, exist_ok=True)
            shutil.copytree(self.folder, target)
        except OSError as error:
            raise OutputError(f"{error.filename or target}: cannot be written: {error.strerror or error}") from None
        self._place.close()
        self._place, self.folder = None, target
        return target

    def __repr__(self) -> str:
        """Return what it is, in a line."""
        told = self.summary
        height, agreement = (told["chain"].get(name, 0) for name in ("height", "honest_agreement"))
        return (
            f"<Run {told['scenario']}, seed {told['seed']}: {self.ended}, height {height}, agreement {agreement:.3g}>"
        )

    @cached_property
    def _log(self) -> tuple[RunLog, list[Record]]:
        return read_records(self.folder)

    def _read_log(self) -> tuple[RunLog, list[Record]]:
        """Return the log with its records, once it has been said what is wrong with it."""
        warn_of_damage(self._log[0].warnings)
        return self._log

    def _open_chain(self) -> "OpenedChain":
        from simulation.api.frames import warn_of_fault  # noqa: PLC0415 - loads pandas
        from simulation.commands.provenance import open_chain  # noqa: PLC0415

        return warn_of_fault(open_chain(self.folder))


@checked
def open_run(folder: str | Path) -> Run:
    """Return a finished run by its folder.

    Raises:
        RunFolderError: It is not the folder of a finished run.
    """
    place = get_path(folder)
    what = None if (place / SUMMARY_NAME).is_file() else describe_folder(place)
    if what is not None:
        raise RunFolderError(f"{place}: not the folder of a finished run: {what}")
    return Run(place)
