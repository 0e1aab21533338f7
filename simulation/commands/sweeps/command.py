"""The command `sweep`: what the user has chosen, and the one cell that may be run by itself."""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rich.console import Console

from simulation.commands.sweeps.cell_file import prepare_folder
from simulation.commands.sweeps.cell_runner import CellRunner, WorkerSetup
from simulation.commands.sweeps.cells import CellPlan, build_recipe, plan_cells
from simulation.commands.sweeps.errors import SweepError
from simulation.commands.sweeps.executors import Executor, LocalExecutor
from simulation.commands.sweeps.progress import format_seconds
from simulation.commands.sweeps.ray_executor import RayExecutor
from simulation.commands.sweeps.session import SweepSession
from simulation.commands.sweeps.shards import Shard
from simulation.commands.sweeps.sweep_file import Sweep, load_sweep
from simulation.foundation import EXIT_BAD_INPUT, EXIT_FAILED, Interruption, complain, compute_code_version

EXECUTORS: Final = ("local", "ray")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user has chosen besides the sweep."""

    executor: str
    jobs: int | None
    """Cores to use; None for all."""
    address: str | None
    """Ray cluster to join."""
    out: Path
    """Folder that the sweep's own folder is made in."""
    cell: str | None
    """The one cell to run, and to keep nothing of."""
    shard: str | None = None
    """Which part of the cells to run, such as ``1/8``; None for all."""
    is_dry: bool = False
    """Whether only to say what there is to do, and how long it may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Went:
    """What a go at a sweep came to."""

    exit_code: int
    folder: Path | None
    """Where its tables are; None where it was only tried."""


def run_sweep(path: Path, options: Options, console: Console, interruption: Interruption) -> int:
    """Run a sweep file, or go on with it; return the exit code.

    Raises:
        DatasetError: No cell can have the data set that it insists on.
        ScenarioError: The sweep, or a combination of its values, is not valid.
        SweepError: It cannot go on.
    """
    return go_on(load_sweep(path), options, console, interruption).exit_code


def go_on(
    sweep: Sweep,
    options: Options,
    console: Console,
    interruption: Interruption,
    *,
    say: Callable[[str], object] = complain,
    on_cell: Callable[[int, int, int], object] | None = None,
) -> Went:
    """Run a sweep, or go on with it.

    Args:
        sweep: What to run.
        options: What the user has chosen besides.
        console: Where the user looks.
        interruption: Tells when the user wants it to end.
        say: Takes a sentence about what is not as it should be.
        on_cell: Is called after each cell: how many are done, how many of these have failed, and how many there are.

    Raises:
        DatasetError: No cell can have the data set that it insists on.
        ScenarioError: The sweep, or a combination of its values, is not valid.
        SweepError: It cannot go on.
    """
    cores = options.jobs or len(os.sched_getaffinity(0))
    executor = _choose_executor(options, cores)
    shard = Shard.parse(options.shard) if options.shard is not None else None
    version = compute_code_version()
    with console.status(f"{sweep.name}: checking {sweep.count_combinations():,} combinations"):
        plan = plan_cells(sweep, version)
    if options.cell is not None:
        return Went(exit_code=_run_alone(sweep, plan, options.cell, interruption), folder=None)
    if options.is_dry:
        return Went(exit_code=_try_out(sweep, plan, cores, interruption), folder=None)
    try:
        folder = prepare_folder(options.out, sweep, version)
    except OSError as error:
        place = error.filename or options.out
        raise SweepError(f"{place}: cannot be made: {error.strerror}; choose another --out", EXIT_BAD_INPUT) from None
    session = SweepSession(
        sweep, plan, folder, version, executor, cores, console, interruption, say=say, on_cell=on_cell, shard=shard
    )
    return Went(exit_code=session.execute(), folder=folder)


def check_sweep(sweep: Sweep) -> str:
    """Return what a sweep has cells of, once every combination of its values makes a valid scenario.

    Raises:
        ScenarioError: The sweep, or a combination of its values, is not valid.
    """
    cells = plan_cells(sweep, compute_code_version()).cells
    return f"{sweep.count_combinations():,} combinations, {len(cells):,} cells"


def _choose_executor(options: Options, cores: int) -> Executor:
    if options.executor not in EXECUTORS:
        raise SweepError(f"--executor: write {' or '.join(EXECUTORS)}, not {options.executor!r}", EXIT_BAD_INPUT)
    if options.executor == "ray":
        return RayExecutor(options.jobs if options.address else cores, options.address)
    if options.address is not None:
        raise SweepError("--address belongs to --executor ray; write both, or none", EXIT_BAD_INPUT)
    return LocalExecutor(cores)


def _try_out(sweep: Sweep, plan: CellPlan, cores: int, interruption: Interruption) -> int:
    """Run a cell of the first and one of the last combination, and say how long all of them may take."""
    counted = f"{sweep.count_combinations():,} combinations, {sweep.repeats:,} times each: {len(plan.cells):,} cells"
    print(f"{sweep.name}: {counted}", flush=True)  # noqa: T201
    tried = {cell.id: cell for cell in (plan.cells[0], plan.cells[-1])}.values()
    seconds = []
    with tempfile.TemporaryDirectory(prefix="pot-sweep-") as folder:
        setup = WorkerSetup(build_recipe(sweep), compute_code_version(), folder, str(Path.cwd()))
        runner = CellRunner(setup, interruption)
        for cell in tried:
            outcome = runner.run(cell)
            if outcome.error is not None:
                print(outcome.trace, outcome.error, sep="", file=sys.stderr)  # noqa: T201
                return EXIT_FAILED
            seconds.append(float(outcome.execution["seconds"]))
    mean = sum(seconds) / len(seconds)
    whole = format_seconds(mean * len(plan.cells) / cores)
    took = " and ".join(f"{second:.2f}" for second in seconds)
    on = f"{cores} core{'s' if cores > 1 else ''}"
    print(f"tried {len(seconds)} of them, in {took} s: about {whole} on {on}; nothing was written")  # noqa: T201
    return 0


def _run_alone(sweep: Sweep, plan: CellPlan, identifier: str, interruption: Interruption) -> int:
    """Run one cell in this process and print what it came to; with the whole trace where that is an error."""
    cell = next((cell for cell in plan.cells if cell.id == identifier), None)
    if cell is None:
        raise SweepError(
            f"--cell {identifier}: this sweep has no such cell, or had it with other code; "
            "write one of the column `cell` of its results",
            EXIT_BAD_INPUT,
        )
    with tempfile.TemporaryDirectory(prefix="pot-sweep-") as folder:
        setup = WorkerSetup(build_recipe(sweep), compute_code_version(), folder, str(Path.cwd()))
        outcome = CellRunner(setup, interruption).run(cell)
    if outcome.error is not None:
        print(outcome.trace, outcome.error, sep="", file=sys.stderr)  # noqa: T201
        return EXIT_FAILED
    values = dict(zip(sweep.keys, cell.values, strict=True))
    told = {"cell": cell.id, "values": values, "repeat": cell.repeat, "seed": cell.seed}
    print(json.dumps({**told, "figures": outcome.figures, "execution": outcome.execution}, indent=2))  # noqa: T201
    return 0
