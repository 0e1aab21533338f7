"""One cell, from its values to its figures: what workers of every executor do."""

import errno
import gc
import os
import tempfile
import time
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from simulation.commands.sweeps.cells import Cell, Recipe
from simulation.engines import PartyError
from simulation.foundation import Interruption, PluginSource, compute_code_version, load_source
from simulation.records import Ended, Opening, Record
from simulation.runs import FINISHED, NO_DIGEST, MemoryRun, Summary, build_summary, run_scenario
from simulation.scenario import ENGINE_TRAITS, Scenario
from simulation.scenario.world import make_keys
from simulation.training import MADE_UP_DATA, DatasetError, ImageSet, count_samples, load_images

Figure = bool | int | float | str

OF_THE_SCENARIO: Final = frozenset({"scenario", "fingerprint", "engine", "seed", "code_version", "broken_invariant"})
"""Parts of a summary that are no figures, or are told as one of their own."""

OF_THE_EXECUTION: Final = frozenset({"cost.wall_s", "cost.cpu_s", "cost.memory_pss_mb_max", "dataset.source"})
"""Figures that another machine, or the same one tomorrow, would have otherwise."""

COSTS: Final = "measures.cost."

_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """What every worker of a sweep is told."""

    recipe: Recipe
    code_version: str
    """Of the process that starts the sweep; a worker with other code would give other figures."""
    temporary: str
    """Folder for runs that need files."""
    cwd: str
    """Where relative paths of scenarios start."""
    plugins: tuple[PluginSource, ...] = ()
    """Code that scenarios name, for workers that do not have the files."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one cell came to."""

    index: int
    figures: dict[str, Figure] = field(default_factory=dict)
    execution: dict[str, Figure] = field(default_factory=dict)
    """Figures about this execution: seconds, memory."""
    error: str | None = None
    """Why there are no figures, in one line."""
    trace: str | None = None
    is_full: bool = False
    """Whether the error is a full disk, which is no fault of the cell."""


class CellRunner:
    """Runs cells one after another; keeps what they have in common, such as images and TensorFlow."""

    def __init__(self, setup: WorkerSetup, interruption: Interruption) -> None:
        """Prepare.

        Args:
            setup: What the sweep is about.
            interruption: Tells when the user wants it to end; a cell of which that is true has no outcome.
        """
        self._setup = setup
        self._interruption = interruption
        self._images: dict[tuple[str, str | None, bool], ImageSet | DatasetError] = {}
        """What came of each data set; one that cannot be had is not looked for again, which may take a minute."""
        if Path(setup.cwd).is_dir():
            os.chdir(setup.cwd)

    def run(self, cell: Cell) -> Outcome:
        """Run a cell; whatever goes wrong is part of its outcome."""
        started = time.perf_counter()
        try:
            if compute_code_version() != self._setup.code_version:
                raise RuntimeError(f"this worker runs other code: {compute_code_version()}")
            for plugin in self._setup.plugins:
                load_source(plugin)
            scenario = self._setup.recipe.build(cell.values, cell.seed)
            summary = (
                self._run_in_memory(scenario, cell) if scenario.is_training_made_up else self._run_in_folder(scenario)
            )
        except (Exception, SystemExit) as error:  # noqa: BLE001 - one cell must not end the others
            trace = "".join(traceback.format_exception(error))
            return Outcome(cell.index, error=_describe(error), trace=trace, is_full=_is_full(error))
        finally:
            make_keys.cache_clear()  # each cell has keys of its own, and thousands of cells would fill the memory
        figures = flatten(summary)
        names = [name for name in figures if is_of_execution(name, scenario.engine)]
        execution = {name: figures.pop(name) for name in names}
        execution["seconds"] = round(time.perf_counter() - started, 6)
        return Outcome(cell.index, figures, execution)

    def _run_in_memory(self, scenario: Scenario, cell: Cell) -> Summary:
        run = MemoryRun(scenario, self._interruption)
        opening = Opening(
            scenario=scenario.name,
            seed=scenario.seed,
            engine=scenario.engine,
            fingerprint=cell.id,
            code_version=self._setup.code_version,
            dataset=MADE_UP_DATA.name,
            dataset_source=MADE_UP_DATA.source,
            dataset_digest=NO_DIGEST.hex(),
        )
        run.tally.add(Record(0.0, opening.level, "run", opening))
        result = run.run()
        run.tally.add(Record(run.tally.last_time, Ended.level, "run", Ended(result.reason)))
        broken = run.find_fault(result)
        samples = count_samples(scenario.dataset.name, scenario.dataset.path)  # what coverage is measured against
        summary = build_summary(run.world, run.tally, result.chains.get("employer", ()), samples)
        return {**summary, "broken_invariant": broken, "events": result.events}

    def _run_in_folder(self, scenario: Scenario) -> Summary:
        output = scenario.output.model_copy(update={"pictures": False, "journal": False})  # nobody would see them
        # A simulated terminal: without one, a run prints each of its records.
        with (
            tempfile.TemporaryDirectory(dir=self._find_place(), ignore_cleanup_errors=True) as folder,
            Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        ):
            outcome = run_scenario(
                scenario.model_copy(update={"output": output}),
                Path(folder),
                console=Console(file=nowhere, force_terminal=True),
                log_beside=None,
                interruption=self._interruption,
                images=self._load_images(scenario),
            )
        gc.collect()  # models of 50 MB and more hang in cycles
        return outcome.summary

    def _find_place(self) -> str | None:
        """Return the folder for temporary ones: the sweep's, where this machine has it."""
        return self._setup.temporary if Path(self._setup.temporary).is_dir() else None

    def _load_images(self, scenario: Scenario) -> ImageSet:
        dataset = scenario.dataset
        key = (dataset.name, dataset.path, dataset.required)
        if key not in self._images:
            try:
                self._images[key] = load_images(dataset.name, dataset.path, is_required=dataset.required)
            except DatasetError as error:
                self._images[key] = error
        found = self._images[key]
        if isinstance(found, DatasetError):
            raise DatasetError(*found.args)
        return found


def flatten(summary: Mapping[str, Any]) -> dict[str, Figure]:
    """Return the figures of a summary by dotted name, numbers of a list by their place; what is unknown is left out."""
    figures = {name: value for name, value in _walk(summary, "") if name not in OF_THE_SCENARIO}
    figures["delivered"] = summary["ended"] in FINISHED
    figures["invariants_hold"] = summary["broken_invariant"] is None
    return figures


def is_of_execution(name: str, engine: str) -> bool:
    """Return whether a figure is about the execution; some engines simulate the CPU-seconds of training.

    What a final block costs is a figure in any case: who compares mechanisms on one machine asks for nothing else.
    """
    is_measured = "cpu_s" in name and not name.startswith(COSTS) and not ENGINE_TRAITS[engine].is_simulated
    return name in OF_THE_EXECUTION or is_measured


def _walk(part: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Figure]]:
    for name, value in part.items():
        if isinstance(value, Mapping):
            yield from _walk(value, f"{prefix}{name}.")
        elif isinstance(value, list) and all(isinstance(item, int | float) for item in value):
            yield from _walk({str(place): item for place, item in enumerate(value)}, f"{prefix}{name}.")
        elif isinstance(value, bool | int | float | str):
            yield f"{prefix}{name}", value


def _is_full(error: BaseException | None) -> bool:
    """Return whether an error, or what has caused it, is a disk without room."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def _describe(error: BaseException) -> str:
    """Return an error in one line that is the same each time."""
    text = str(error)
    if isinstance(error, PartyError):  # the folder it speaks of is gone
        text = text.partition("; see it again:")[0]
    return " ".join(f"{type(error).__name__}: {text}".split())
