"""One go at a sweep: runs the cells that are not finished, keeps each as it ends, and writes the tables."""

import errno
import os
import shlex
from collections.abc import Callable, Container, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from simulation.commands.sweeps.axes import encode
from simulation.commands.sweeps.cell_file import CellFile, clear_running, read_finished, remove_running
from simulation.commands.sweeps.cell_runner import Outcome, WorkerSetup
from simulation.commands.sweeps.cells import Cell, CellPlan, build_recipe
from simulation.commands.sweeps.digests import write_digests
from simulation.commands.sweeps.errors import writing
from simulation.commands.sweeps.executors import Executor, cut_into_chunks
from simulation.commands.sweeps.progress import Progress
from simulation.commands.sweeps.shards import Shard
from simulation.commands.sweeps.sweep_file import Sweep
from simulation.foundation import EXIT_BASE, EXIT_FAILED, Interruption, complain, list_sources
from simulation.records import AGGREGATE_STEM, CELLS_NAME, DIGESTS_NAME, RESULTS_STEM, SWEEP_NAME
from simulation.scenario import shorten
from simulation.training import DatasetError, load_images


@dataclass(slots=True)
class SweepSession:
    """What a go at a sweep needs to know."""

    sweep: Sweep
    plan: CellPlan
    folder: Path
    code_version: str
    executor: Executor
    workers: int
    """Among which cells are divided."""
    console: Console
    interruption: Interruption
    failed: int = 0
    first_failure: tuple[Cell, str] | None = None
    say: Callable[[str], object] = complain
    """Takes a sentence about what is not as it should be."""
    on_cell: Callable[[int, int, int], object] | None = None
    """Called after each cell: how many are done, how many of these have failed, and how many there are."""
    shard: Shard | None = None
    """The part of the cells that is run; None for all."""

    def execute(self) -> int:
        """Run what is left and write the tables, where no cell is left to others; return the exit code.

        Raises:
            DatasetError: No cell can have the data set that it insists on.
            SweepError: It cannot go on.
        """
        path = self.folder / CELLS_NAME
        with writing(path):
            file = CellFile(path, self.sweep.keys)
        with file:
            damaged: list[int] = []
            with writing(path):
                finished = read_finished(path, damaged)
            if damaged:
                self.say(
                    f"{path}: {len(damaged):,} damaged lines left out, the first is line {damaged[0]}; cells that have "
                    "no other line run again"
                )
            left = [cell for cell in self._get_own() if cell.id not in finished]
            if left:
                self._look_for_images()
                done = self._run(left, file)
                if self.interruption.signum is not None:
                    return self._tell_interruption(len(left) - done, self.interruption.signum)
            others = self._count_others(finished)
            if others:
                return self._tell_shard(others)
            self._write_tables(path)
        return self._tell_end()

    def _get_own(self) -> Sequence[Cell]:
        """Return the cells that are to be run here."""
        return self.plan.cells if self.shard is None else self.shard.choose(self.plan.cells)

    def _count_others(self, finished: Container[str]) -> int:
        """Return how many cells other shards have yet to give."""
        own = {cell.id for cell in self._get_own()}
        return sum(cell.id not in finished and cell.id not in own for cell in self.plan.cells)

    def _look_for_images(self) -> None:
        """Load every data set once: if no cell can have its own, one sentence now is better than one in each cell.

        If only some cannot, theirs are failed cells.
        """
        errors: list[DatasetError] = []
        with self.console.status(f"{self.sweep.name}: looking for images"):
            for name, path, is_required in self.plan.datasets:
                try:
                    load_images(name, path, is_required=is_required)
                except DatasetError as error:
                    errors.append(error)
        if errors and self.plan.is_all_trained and len(errors) == len(self.plan.datasets):
            raise errors[0]

    def _run(self, left: Sequence[Cell], file: CellFile) -> int:
        """Run cells until all are done or the user has had enough; return how many are finished now."""
        cells, own = self.plan.cells, self._get_own()
        with writing(self.folder):
            running = clear_running(self.folder)
        place, here = str(running.resolve()), str(Path.cwd())
        setup = WorkerSetup(build_recipe(self.sweep), self.code_version, place, here, list_sources())
        chunks = cut_into_chunks(left, self.workers, is_heavy=bool(self.plan.datasets))
        self.interruption.is_orderly = True
        try:
            with (
                closing(self.executor.run(setup, chunks, self._wants_end)) as outcomes,
                Progress(self.console, self.sweep.name, len(own), len(own) - len(left)) as progress,
            ):
                for outcome in outcomes:
                    self._keep(cells[outcome.index], outcome, file)
                    progress.add(is_failed=outcome.error is not None)
                    if self.on_cell is not None:
                        self.on_cell(progress.done + progress.failed, progress.failed, len(own))
            return progress.done - (len(own) - len(left))
        finally:
            self.interruption.is_orderly = False
            remove_running(self.folder)

    def _wants_end(self) -> bool:
        return self.interruption.signum is not None

    def _keep(self, cell: Cell, outcome: Outcome, file: CellFile) -> None:
        with writing(self.folder):
            if outcome.is_full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            file.append(cell, outcome)
        if outcome.error is not None:
            self.failed += 1
            self.first_failure = self.first_failure or (cell, outcome.error)

    def _write_tables(self, path: Path) -> None:
        from simulation.commands.sweeps.tables import ResultTable, write_tables  # noqa: PLC0415 - loads Arrow

        with self.console.status(f"{self.sweep.name}: writing tables"), writing(self.folder):
            table = ResultTable(self.sweep.keys, self.plan.cells, path)
            (self.folder / DIGESTS_NAME).unlink(missing_ok=True)  # one of other tables would call these changed
            tables = {
                RESULTS_STEM: table.build_results(),
                AGGREGATE_STEM: table.build_aggregate(self.plan.closed_forms),
            }
            write_digests(self.folder, [*write_tables(self.folder, tables), CELLS_NAME])

    def _tell_interruption(self, remaining: int, signum: int) -> int:
        kept = len(self._get_own()) - remaining
        self.say(f"interrupted: {kept:,} finished cells are kept, {remaining:,} remain; the same command goes on")
        return EXIT_BASE + signum

    def _tell_shard(self, others: int) -> int:
        told = f"{others:,} cells are left to other shards; when all are in this file, give the command without --shard"
        self.console.print(f"{self.folder / CELLS_NAME}: {told}", highlight=False, markup=False, soft_wrap=True)
        return self._tell_failures()

    def _tell_end(self) -> int:
        self.console.print(f"tables in {self.folder}", highlight=False, markup=False, soft_wrap=True)
        return self._tell_failures()

    def _tell_failures(self) -> int:
        if self.first_failure is None:
            return 0
        cell, error = self.first_failure
        values = zip(self.sweep.keys, cell.values, strict=True)
        what = ", ".join([*(f"{key}={shorten(encode(value))}" for key, value in values), f"repeat={cell.repeat}"])
        file = self.sweep.source if self.sweep.is_in_file else str(self.folder / SWEEP_NAME)
        again = shlex.join(["python", "main.py", "sweep", file, "--cell", cell.id])
        self.say(f"{self.failed:,} of {len(self._get_own()):,} cells failed; the first ({what}): {error}")
        self.say(f"run it alone: {again}")
        return EXIT_FAILED
