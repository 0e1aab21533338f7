"""The commands; `simulation.foundation.exit_codes` says what they end with."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, cast

import typer
from rich.table import Table

import simulation as pot
from protocol.mechanisms import MechanismError
from simulation.commands.looking_up import OwnPlugins, TrustsPlugins, audit, block, transaction
from simulation.commands.misuse import Misuse, explain_misuse
from simulation.commands.output import GuardedOutput
from simulation.commands.stamps import stamps
from simulation.foundation import (
    EXIT_BAD_INPUT,
    EXIT_FAILED,
    Interrupted,
    Interruption,
    SimulationError,
    blame_plugin,
    complain,
    compute_code_version,
)
from simulation.records import LOG_NAME
from simulation.runs import make_console
from simulation.scenario import ENGINE_TRAITS, ScenarioError, check_option_agrees

SOAK_REPORT_EVERY: Final = 100
MAX_SEED: Final = 2**61
MAX_JOBS: Final = 256
"""Processes that share the work of `soak` and `fuzz`; each takes a tenth of a gigabyte."""

FirstSeed = Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Seed of the first run.")]
Jobs = Annotated[int, typer.Option(min=1, max=MAX_JOBS, help="Processes to share the work.")]


Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        help="File of code, or installed package, that adds parts; see docs/plugins.md.",
        metavar="FILE|NAME",
    ),
]


def _check_mechanism(name: str | None) -> str | None:
    """Return the mechanism that an option names, if there is one of that name."""
    from simulation.commands.checks import check_mechanism  # noqa: PLC0415 - keeps other commands light

    try:
        check_mechanism(name)
    except MechanismError as error:
        raise typer.Exit(complain(f"--mechanism: {error}", EXIT_BAD_INPUT)) from None
    return name


ChosenMechanism = Annotated[
    str | None,
    typer.Option(
        "--mechanism", callback=_check_mechanism, help="How blocks are agreed on; left out: each seed draws it."
    ),
]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    help="Simulate Proof of Training: nodes earn blocks by training a model together and refuse poisoned work. "
    "Without a command, the default scenario is run.",
)

app.add_typer(stamps, name="stamp")
for look_up in (audit, block, transaction):
    app.command()(look_up)

_interruption = Interruption()
_output = GuardedOutput()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "" in given:  # as a path it would be the working directory, which nobody means
        told = " ".join([*given[: given.index("")], "''"])
        return complain(f"{told}: the last word is empty; write a name or a path there", EXIT_BAD_INPUT)
    try:
        Path.cwd()
    except OSError as error:
        return complain(f"the working directory: {error.strerror}; go to another one", EXIT_BAD_INPUT)
    with _output:
        code = _answer(given)
    return _output.judge(code)


def _answer(arguments: Sequence[str]) -> int:
    """Run a command; return its exit code."""
    try:
        with _interruption:
            code = app(arguments, prog_name="main.py", standalone_mode=False)
    except typer.TyperException as error:  # all that is wrong with words, numbers and options of a command line
        text = explain_misuse(cast(Misuse, error))
        return complain(text, EXIT_BAD_INPUT) if text is not None else EXIT_BAD_INPUT
    except SystemExit as ending:  # a library that cannot write any more
        return ending.code if isinstance(ending.code, int) else 0
    except SimulationError as error:
        return complain(str(error), error.exit_code)
    except Interrupted as interrupted:
        return complain("interrupted", interrupted.exit_code)
    except BrokenPipeError:  # whoever read our output has had enough
        return EXIT_FAILED
    except MemoryError:
        return complain("there is not enough memory for this (ulimit -v may allow more)", EXIT_FAILED)
    except ImportError as error:
        blamed = blame_plugin(error)
        if blamed is not None:
            return complain(blamed, EXIT_FAILED)
        what = f"a library cannot be loaded: {error}"
        return complain(f"{what}; is everything installed (make), and is there enough memory?", EXIT_FAILED)
    except Exception as error:
        blamed = blame_plugin(error)  # what is not a plug-in's fault is ours
        if blamed is None:
            raise
        return complain(blamed, EXIT_FAILED)
    return code if isinstance(code, int) else 0


@app.callback(invoke_without_command=True)
def default(
    context: typer.Context,
    *,
    seed: Annotated[int | None, typer.Option(help="Seed of the default scenario, where no command is given.")] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version of the code.")] = False,
) -> None:
    """Run configs/default.yaml where no command is given."""
    if version:
        print(compute_code_version())  # noqa: T201
        raise typer.Exit
    if context.invoked_subcommand is None:
        raise typer.Exit(_run("default", (), seed, Path("runs")))
    if seed is not None:
        name = context.invoked_subcommand
        raise typer.Exit(complain(f"--seed {seed}: write it behind the command: {name} ... --seed", EXIT_BAD_INPUT))


@app.command()
def run(
    scenario: Annotated[str, typer.Argument(help="Name of a shipped scenario, or path of a YAML file.")],
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="Override a key: populations.honest.count=5", metavar="KEY=VALUE")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of every random draw.")] = None,
    engine: Annotated[
        str | None, typer.Option(help=f"{' or '.join(ENGINE_TRAITS)}; short for --set engine=...")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that the run's own folder is made in.")] = Path("runs"),
    *,
    plugin: Plugins = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the run's folder and nothing else.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print every INFO line of the log.")] = False,
) -> None:
    """Run a scenario."""
    if quiet and verbose:
        raise typer.Exit(complain("--quiet contradicts --verbose; leave one of them out", EXIT_BAD_INPUT))
    detail = "quiet" if quiet else "verbose" if verbose else "progress"
    for key, value in (("engine", engine), ("seed", seed)):
        check_option_agrees(settings or (), key, value)
    chosen = (f"engine={engine}",) if engine is not None else ()
    raise typer.Exit(_run(scenario, (*(settings or ()), *chosen), seed, out, detail, plugins=plugin or ()))


@app.command()
def scenarios() -> None:
    """List the shipped scenarios, a line each."""
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, description in pot.list_scenarios().items():
        table.add_row(name, description)
    make_console().print(table)


@app.command()
def mechanisms() -> None:
    """List the consensus mechanisms, a line each."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, summary in pot.list_mechanisms().items():
        table.add_row(name, summary)
    make_console().print(table)


@app.command()
def validate(
    files: Annotated[list[str], typer.Argument(help="Scenario files, names of shipped ones, or sweep files.")],
    *,
    plugin: Plugins = None,
) -> None:
    """Check scenario and sweep files, and the data files that they name; exit 2 or 3 if one of them is wrong."""
    codes: list[int] = []
    for name in files:
        try:
            described = pot.validate(name, add_plugins=plugin or (), warn=_warn)
        except ScenarioError as error:
            codes.append(complain(str(error), EXIT_BAD_INPUT))
        except SimulationError as error:
            codes.append(complain(f"{name}: {error}", error.exit_code))
        else:
            print(f"{name}: valid; {described}")  # noqa: T201
    raise typer.Exit(min(codes, default=0))


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two or more run folders or pot_sim.log files.")],
    *,
    csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values instead of a table.")] = False,
) -> None:
    """Print runs side by side, from their logs, and the keys in which the scenarios beside these differ."""
    from simulation.analysis import build_tables  # noqa: PLC0415 - keeps other commands light

    frame = pot.compare(*runs, warn=_warn)
    if csv:
        print(frame.to_csv(index_label="figure"), end="")  # noqa: T201
        return
    console = make_console()
    for number, table in enumerate(build_tables(frame, console.width)):
        if number:
            console.print()
        console.print(table)


@app.command()
def report(
    sources: Annotated[
        list[Path], typer.Argument(help="Folders of runs or sweeps, or log files.", metavar="FOLDER...")
    ],
    out: Annotated[Path, typer.Option(help="Folder to make; numbered if there is one already.")] = Path("report"),
    *,
    figure: Annotated[
        list[str] | None, typer.Option(help="Figure of a sweep to draw, such as 'chain.*'; all without it.")
    ] = None,
    plugin: Annotated[
        list[Path] | None,
        typer.Option(
            "--plugin", help="File of code, or installed package, whose pictures are drawn too.", metavar="FILE|NAME"
        ),
    ] = None,
) -> None:
    """Draw runs and sweeps from their logs and tables alone: pictures, and one page that needs no network."""
    print(pot.report(*sources, out=out, figures=figure or (), warn=_warn, plugins=plugin or ()))  # noqa: T201


@app.command()
def verify(
    run_folder: Annotated[Path, typer.Argument(help="Folder of a finished run, or a delivery certificate of one.")],
    retrain: Annotated[bool, typer.Option("--retrain", help="Train every stage again and compare.")] = False,
    dataset: Annotated[
        str | None, typer.Option(help="Where the data set is now, for --retrain.", metavar="PATH")
    ] = None,
    *,
    plugin: OwnPlugins = None,
    trust_plugins: TrustsPlugins = False,
) -> None:
    """Check a stored run again, offline: files, chain, signatures, logs, every figure of the summary, and the model."""
    found = pot.verify(
        run_folder, retrain=retrain, dataset=dataset, say=print, plugins=plugin or (), trust_plugins=trust_plugins
    )
    for fault in found.faults:
        complain(f"FAILED: {fault}", EXIT_FAILED)
    print("verified" if found else "not verified")  # noqa: T201
    raise typer.Exit(0 if found else EXIT_FAILED)


@app.command()
def replay(
    run_folder: Annotated[Path, typer.Argument(help="Folder of a run with output.journal: true.")],
    *,
    plugin: OwnPlugins = None,
    trust_plugins: TrustsPlugins = False,
) -> None:
    """Feed the recorded inputs of every party to fresh cores; exit 1 at the first difference."""
    faults = parties = total = 0
    for found in pot.replay(run_folder, plugins=plugin or (), trust_plugins=trust_plugins):
        parties, total = parties + 1, total + found.events
        if found.difference is not None:
            faults += 1
            complain(f"DIFFERENT: {found.party}: {found.difference}", EXIT_FAILED)
    print(f"{total:,} events of {parties} parties replayed, {faults} parties differ")  # noqa: T201
    raise typer.Exit(EXIT_FAILED if faults else 0)


@app.command()
def soak(
    count: Annotated[int, typer.Option(min=1, help="Scenarios to draw.")] = 200,
    first: FirstSeed = 0,
    jobs: Jobs = 2,
    mechanism: ChosenMechanism = None,
) -> None:
    """Run random scenarios of every mechanism in simulated time and check the invariants; exit 1 if one is broken."""
    from simulation.commands.checks import describe_failure, run_seeds  # noqa: PLC0415 - keeps other commands light

    started, events, faults = time.monotonic(), 0, 0
    endings: Counter[str] = Counter()
    for number, result in enumerate(run_seeds(first, count, jobs, mechanism), start=1):
        events += result.events
        endings[result.reason] += 1
        if result.fault is not None:
            faults += 1
            complain(describe_failure(result), EXIT_FAILED)
        if number % SOAK_REPORT_EVERY == 0 or number == count:
            rate = number / (time.monotonic() - started)
            print(f"{number:,} of {count:,} scenarios, {rate:.1f} a second, {events:,} events, {faults} broken")  # noqa: T201
    print(f"seeds {first} to {first + count - 1}: " + ", ".join(f"{n} {name}" for name, n in sorted(endings.items())))  # noqa: T201
    raise typer.Exit(EXIT_FAILED if faults else 0)


@app.command()
def fuzz(
    frames: Annotated[int, typer.Option(min=1, help="Frames to send.")] = 100_000,
    first: FirstSeed = 0,
    jobs: Jobs = 2,
    mechanism: ChosenMechanism = None,
) -> None:
    """Send a node frames that nobody honest sends, in the middle of honest runs; exit 1 if one breaks something."""
    from simulation.commands.checks.fuzzing import build_table, describe_fault, run_seeds  # noqa: PLC0415 - keeps other commands light

    started, sent, seeds, faults = time.monotonic(), 0, 0, 0
    verdicts: Counter[tuple[str, str]] = Counter()
    mechanisms: set[str] = set()
    for result in run_seeds(first, frames, jobs, mechanism):
        mechanisms.add(result.mechanism)
        sent, seeds = sent + result.sent, seeds + 1
        verdicts += result.verdicts
        if result.fault is not None:
            faults += 1
            complain(describe_fault(result, result.fault), EXIT_FAILED)
    rate = sent / (time.monotonic() - started)
    found = f"{faults} of the seeds broken" if faults else "no exception, no mark of a refusal, and every chain whole"
    print(f"{sent:,} frames, seeds {first} to {first + seeds - 1}, {rate:,.0f} frames a second: {found}")  # noqa: T201
    make_console().print(build_table(verdicts, mechanisms))
    raise typer.Exit(EXIT_FAILED if faults else 0)


@app.command()
def sweep(
    file: Annotated[
        str, typer.Argument(help="Sweep file, or the name of a shipped one; see docs/sweeps.md.", metavar="SWEEP")
    ],
    *,
    executor: Annotated[str, typer.Option(help="local: cores of this machine; ray: Ray, here or a cluster.")] = "local",
    jobs: Annotated[int | None, typer.Option(min=1, help="Cores to use; all, where it is left out.")] = None,
    address: Annotated[
        str | None, typer.Option(help="Ray cluster to join: host:port, ray://host:port or auto.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder that the sweep's own folder is made in.")] = Path("sweeps"),
    cell: Annotated[str | None, typer.Option(help="Run this one cell by itself and print it.", metavar="ID")] = None,
    shard: Annotated[
        str | None, typer.Option(help="Run only this part of the cells, such as 1/8.", metavar="I/N")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only try two cells, and estimate all.")] = False,
) -> None:
    """Run a scenario for every combination of values, or go on with that; exit 1 if a cell failed."""
    from simulation.commands.sweeps import Options, find_sweep, run_sweep  # noqa: PLC0415 - keeps other commands light

    _output.is_optional = cell is None
    options = Options(executor=executor, jobs=jobs, address=address, out=out, cell=cell, shard=shard, is_dry=dry_run)
    raise typer.Exit(run_sweep(find_sweep(file), options, make_console(), _interruption))


@app.command()
def explore(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of runs or sweeps, besides those below runs and sweeps.", metavar="[FOLDER]..."),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of this machine that the page is at.")] = 8501,
    plugin: Annotated[
        list[Path] | None,
        typer.Option("--plugin", help="File of code that scenarios may be given on the page.", metavar="FILE"),
    ] = None,
) -> None:
    """Open a page on this machine to look at runs, start them and watch them; Ctrl-C ends it."""
    from simulation.explorer import serve  # noqa: PLC0415 - keeps other commands light

    serve(folders or (), port, plugin or ())


def _run(
    name: str,
    settings: tuple[str, ...],
    seed: int | None,
    out: Path,
    detail: str = "progress",
    *,
    plugins: Sequence[Path] = (),
) -> int:
    scenario = pot.load(name, *settings, seed=seed, add_plugins=plugins)
    for doubt in scenario.list_doubts():
        _warn(doubt)
    _output.is_optional = True
    from simulation.api import execute  # noqa: PLC0415 - bad input is answered before this loads

    outcome = execute(
        scenario,
        out,
        interruption=_interruption,
        console=make_console(),
        log_beside=Path(LOG_NAME),
        detail=detail,
    )
    return outcome.exit_code


def _warn(text: str) -> None:
    complain(text, 0)
