"""The commands; `simulation.foundation.exit_codes` says what they end with."""

import sys
import time
from collections import Counter
from collections.abc import Sequence
from os.path import exists, isdir, isfile
from pathlib import Path
from typing import Annotated, Final, cast

import typer
from rich.table import Table

from protocol.mechanisms import MechanismError, find_mechanism, list_mechanisms
from simulation.commands.looking_up import audit, block, transaction
from simulation.commands.misuse import Misuse, explain_misuse
from simulation.commands.output import GuardedOutput
from simulation.commands.stamps import stamps
from simulation.foundation import (
    EXIT_BAD_INPUT,
    EXIT_FAILED,
    EXIT_NO_DATASET,
    Interrupted,
    Interruption,
    complain,
    compute_code_version,
    find_part,
)
from simulation.records import LOG_NAME
from simulation.runs import make_console
from simulation.scenario import (
    ENGINE_TRAITS,
    Scenario,
    ScenarioError,
    check_option_agrees,
    find_scenario,
    list_shipped,
    load_resolved,
    load_scenario,
    read_file,
)

SOAK_REPORT_EVERY: Final = 100
MAX_OUT_PARTS: Final = 100
MAX_SEED: Final = 2**61
MAX_JOBS: Final = 256
"""Processes that share the work of `soak` and `fuzz`; each takes a tenth of a gigabyte."""

FirstSeed = Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Seed of the first run.")]
Jobs = Annotated[int, typer.Option(min=1, max=MAX_JOBS, help="Processes to share the work.")]


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
    except ScenarioError as error:
        return complain(str(error), EXIT_BAD_INPUT)
    except Interrupted as interrupted:
        return complain("interrupted", interrupted.exit_code)
    except BrokenPipeError:  # whoever read our output has had enough
        return EXIT_FAILED
    except MemoryError:
        return complain("there is not enough memory for this (ulimit -v may allow more)", EXIT_FAILED)
    except ImportError as error:
        what = f"a library cannot be loaded: {error}"
        return complain(f"{what}; is everything installed (make), and is there enough memory?", EXIT_FAILED)
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
    raise typer.Exit(_run(scenario, (*(settings or ()), *chosen), seed, out, detail))


@app.command()
def scenarios() -> None:
    """List the shipped scenarios, a line each."""
    table = Table(box=None, show_header=False, padding=(0, 1, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, path in list_shipped().items():
        table.add_row(name, load_scenario(path).description)
    make_console().print(table)


@app.command()
def mechanisms() -> None:
    """List the consensus mechanisms, a line each."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name in list_mechanisms():
        table.add_row(name, find_mechanism(name).summary)
    make_console().print(table)


@app.command()
def validate(
    files: Annotated[list[str], typer.Argument(help="Scenario files, names of shipped ones, or sweep files.")],
) -> None:
    """Check scenario and sweep files, and the data files that they name; exit 2 or 3 if one of them is wrong."""
    from simulation.training import DatasetError  # noqa: PLC0415 - keeps other commands light

    codes: list[int] = []
    for name in files:
        try:
            described = _check(name)
        except ScenarioError as error:
            codes.append(complain(str(error), EXIT_BAD_INPUT))
        except DatasetError as error:
            codes.append(complain(f"{name}: {error}", EXIT_NO_DATASET))
        else:
            print(f"{name}: valid; {described}")  # noqa: T201
    raise typer.Exit(min(codes, default=0))


def _check(name: str) -> str:
    """Return what a scenario or a sweep is about.

    Raises:
        DatasetError: The data file that it names cannot be read, or holds no such data.
        ScenarioError: It is not valid.
    """
    from simulation.commands.sweeps import check_sweep, is_sweep  # noqa: PLC0415 - keeps other commands light

    path = find_scenario(name)
    if not is_sweep(read_file(path)):
        return _describe(load_resolved(path))
    return check_sweep(path)


def _describe(scenario: Scenario) -> str:
    """Return what a scenario is about; where it names a data file, that is looked into.

    Raises:
        DatasetError: The file cannot be read, or holds no such data.
    """
    what = "stages" if scenario.is_training else "blocks"
    text = f"{scenario.node_count} nodes, {scenario.length} {what}"
    load = find_part(scenario.mechanism.name, "data")
    if load is None or scenario.is_training_made_up or not scenario.dataset.path:
        return text
    images = load(scenario)
    return f"{text}, data set {images.name} with {len(images.y_train):,} training samples"


@app.command()
def compare(
    runs: Annotated[list[Path], typer.Argument(help="Two or more run folders or pot_sim.log files.")],
    *,
    csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values instead of a table.")] = False,
) -> None:
    """Print runs side by side, from their log files alone."""
    from simulation.analysis import build_frame, build_tables  # noqa: PLC0415 - keeps other commands light
    from simulation.records import LogError, read_log  # noqa: PLC0415

    try:
        logs = [read_log(path) for path in runs]
    except LogError as error:
        raise typer.Exit(complain(str(error), EXIT_BAD_INPUT)) from None
    if len(logs) < 2:
        raise typer.Exit(complain("compare: name at least two runs", EXIT_BAD_INPUT))
    for log in logs:
        for warning in log.warnings:
            complain(warning, 0)
    frame = build_frame(logs)
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
) -> None:
    """Draw runs and sweeps from their logs and tables alone: pictures, and one page that needs no network."""
    from simulation.commands.report import SourceError, SweepTableError, read_source, write_report  # noqa: PLC0415 - light

    if not out.name.strip(".") or len(out.parts) > MAX_OUT_PARTS:
        raise typer.Exit(complain(f"--out: write the name of a new folder, not {str(out)[:80]}", EXIT_BAD_INPUT))
    try:
        read = [read_source(path) for path in sources]
        for source in read:
            for warning in source.warnings:
                complain(warning, 0)
        page = write_report(read, out, figure or ())
    except (SourceError, SweepTableError) as error:
        raise typer.Exit(complain(str(error), EXIT_BAD_INPUT)) from None
    except OSError as error:
        text = f"{error.filename or out}: cannot be written: {error.strerror}; there is no report"
        raise typer.Exit(complain(text, EXIT_FAILED)) from None
    print(page)  # noqa: T201


@app.command()
def verify(
    run_folder: Annotated[Path, typer.Argument(help="Folder of a finished run, or a delivery certificate of one.")],
    retrain: Annotated[bool, typer.Option("--retrain", help="Train every stage again and compare.")] = False,
    dataset: Annotated[
        str | None, typer.Option(help="Where the data set is now, for --retrain.", metavar="PATH")
    ] = None,
) -> None:
    """Check a stored run again, offline: files, chain, signatures, logs, every figure of the summary, and the model."""
    if isfile(run_folder):
        raise typer.Exit(_verify_certificate(run_folder, is_more_asked=retrain or dataset is not None))
    if not isdir(run_folder):
        what = "neither a folder nor a file to be read" if exists(run_folder) else "there is no such folder or file"
        text = f"{run_folder}: {what}; {_WHAT_IS_VERIFIED}"
        raise typer.Exit(complain(text, EXIT_BAD_INPUT))
    from simulation.commands.checks import RunFolderError, verify_run  # noqa: PLC0415
    from simulation.training import DatasetError  # noqa: PLC0415 - keeps other commands light

    if dataset is not None and not retrain:
        text = "--dataset: only --retrain looks at the data set; add --retrain, or leave --dataset out"
        raise typer.Exit(complain(text, EXIT_BAD_INPUT))
    try:
        faults = verify_run(run_folder, is_retraining=retrain, say=print, dataset_path=dataset)
    except RunFolderError as error:
        raise typer.Exit(complain(str(error), EXIT_BAD_INPUT)) from None
    except DatasetError as error:
        raise typer.Exit(complain(str(error), EXIT_NO_DATASET)) from None
    for fault in faults:
        complain(f"FAILED: {fault}", EXIT_FAILED)
    print("not verified" if faults else "verified")  # noqa: T201
    raise typer.Exit(EXIT_FAILED if faults else 0)


_WHAT_IS_VERIFIED: Final = (
    "write the folder of a finished run, or the certificate.json of one, which a run of version 1 of the rules, or one "
    "that ended without a delivery, does not have"
)


def _verify_certificate(path: Path, *, is_more_asked: bool) -> int:
    from simulation.runs import CertificateFileError, check_certificate_file  # noqa: PLC0415 - keeps other commands light

    if is_more_asked:
        return complain(f"{path}: a certificate is checked without training; leave the options out", EXIT_BAD_INPUT)
    try:
        for line in check_certificate_file(path):
            print(line)  # noqa: T201
    except CertificateFileError as error:
        return complain(str(error), EXIT_BAD_INPUT)
    except ValueError as error:
        complain(f"FAILED: {path}: {error}", EXIT_FAILED)
        print("not verified")  # noqa: T201
        return EXIT_FAILED
    print("verified")  # noqa: T201
    return 0


@app.command()
def replay(run_folder: Annotated[Path, typer.Argument(help="Folder of a run with output.journal: true.")]) -> None:
    """Feed the recorded inputs of every party to fresh cores; exit 1 at the first difference."""
    from simulation.commands.checks import JournalError, replay_run  # noqa: PLC0415 - keeps other commands light

    faults = parties = total = 0
    try:
        for label, events, difference in replay_run(run_folder):
            parties, total = parties + 1, total + events
            if difference is not None:
                faults += 1
                complain(f"DIFFERENT: {label}: {difference}", EXIT_FAILED)
    except JournalError as error:
        raise typer.Exit(complain(str(error), EXIT_BAD_INPUT)) from None
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
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only try two cells, and estimate all.")] = False,
) -> None:
    """Run a scenario for every combination of values, or go on with that; exit 1 if a cell failed."""
    from simulation.commands.sweeps import Options, SweepError, find_sweep, run_sweep  # noqa: PLC0415
    from simulation.training import DatasetError  # noqa: PLC0415 - keeps other commands light

    _output.is_optional = cell is None
    options = Options(executor=executor, jobs=jobs, address=address, out=out, cell=cell, is_dry=dry_run)
    try:
        raise typer.Exit(run_sweep(find_sweep(file), options, make_console(), _interruption))
    except SweepError as error:
        raise typer.Exit(complain(str(error), error.exit_code)) from None
    except DatasetError as error:
        raise typer.Exit(complain(str(error), EXIT_NO_DATASET)) from None


def _run(name: str, settings: tuple[str, ...], seed: int | None, out: Path, detail: str = "progress") -> int:
    scenario = load_resolved(find_scenario(name), settings, seed=seed)
    if len(out.parts) > MAX_OUT_PARTS:
        return complain(f"--out: write at most {MAX_OUT_PARTS} nested folders, not {len(out.parts)}", EXIT_BAD_INPUT)
    _output.is_optional = True
    from simulation.engines import EngineStartError, PartyError  # noqa: PLC0415
    from simulation.foundation import TooFewDescriptorsError  # noqa: PLC0415
    from simulation.runs import Detail, FolderError, run_scenario  # noqa: PLC0415
    from simulation.training import DatasetError  # noqa: PLC0415 - bad input is answered before these load

    try:
        outcome = run_scenario(
            scenario,
            out,
            console=make_console(),
            log_beside=Path(LOG_NAME),
            interruption=_interruption,
            draw=_draw,
            detail=Detail(detail),
        )
    except OSError as error:
        return complain(
            f"{error.filename or out}: cannot be written: {error.strerror or error}; the run has ended", EXIT_FAILED
        )
    except PartyError as error:
        return complain(str(error), EXIT_FAILED)
    except (EngineStartError, TooFewDescriptorsError, FolderError) as error:
        return complain(str(error), EXIT_BAD_INPUT)
    except DatasetError as error:
        return complain(str(error), EXIT_NO_DATASET)
    return outcome.exit_code


def _draw(folder: Path) -> None:
    from simulation.commands.report import draw_run  # noqa: PLC0415 - loads matplotlib

    draw_run(folder)
