"""What runs and sweeps have left in files: the copy that is whole is read, and what has been changed is said."""

import functools
import inspect
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from simulation.commands.sweeps import is_changed, read_digests
from simulation.foundation import ROOT, SimulationError
from simulation.records import (
    CHAIN_NAME,
    DIGESTS_NAME,
    EVENTS_NAME,
    LOG_NAME,
    RESULTS_STEM,
    SCENARIO_NAME,
    SUMMARY_NAME,
    SWEEP_NAME,
    LogError,
    Record,
    RunLog,
    parse_json,
    parse_line,
    read_log,
)

if TYPE_CHECKING:
    import pandas as pd

_OURS: Final = (f"{ROOT / 'simulation'}/", functools.__file__)
"""What no warning is about: this project's own code, and what remembers values for it."""

_NEITHER: Final = "call pot.sweep(...) with the same sweep again, which makes both anew from the finished cells"


class DamageWarning(UserWarning):
    """What is read has been cut off, damaged or changed since a run or a sweep wrote it; the text says what is used."""


def warn_of_damage(sentences: Iterable[str]) -> None:
    """Warn of what was damaged, all in one warning, where the user's code asked for it."""
    said = "; ".join(sentences)
    if said:
        warn_of(said, DamageWarning)


def warn_of(sentence: str, kind: type[UserWarning] = UserWarning) -> None:
    """Warn of something where the user's code asked for it."""
    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_code.co_filename.startswith(_OURS):
        level, frame = level + 1, frame.f_back
    warnings.warn(sentence, kind, stacklevel=level)


# ---- folders ----


def describe_folder(folder: Path) -> str | None:
    """Return what a folder is that is not the one of a finished run, or of a sweep that has ended; None if nothing."""
    if (folder / SWEEP_NAME).is_file() or has_table(folder, RESULTS_STEM):
        if has_table(folder, RESULTS_STEM):
            return "it is the folder of a sweep; open it with pot.open_sweep"
        return (
            "it is the folder of a sweep that has not ended; call pot.sweep(...) with the same sweep again, which goes "
            "on where it stopped"
        )
    if (folder / SUMMARY_NAME).is_file():
        return "it is the folder of a run; open it with pot.open_run"
    if any((folder / name).is_file() for name in (LOG_NAME, EVENTS_NAME)):
        return (
            f"the run was interrupted, or goes on: it has no {SUMMARY_NAME}; pot.report and pot.compare read what its "
            "log has"
        )
    if folder.is_file() and folder.name in (LOG_NAME, EVENTS_NAME, SUMMARY_NAME, CHAIN_NAME, SCENARIO_NAME):
        return f"it is a file; write the folder that it lies in, {folder.parent}"
    if not folder.is_dir():
        return None
    below = sorted(path.parent for name in (SUMMARY_NAME, SWEEP_NAME) for path in folder.glob(f"*/{name}"))
    return f"it is none itself, but has some below it; write one of them, such as {below[-1]}" if below else None


# ---- logs ----


def read_records(folder: Path) -> tuple[RunLog, list[Record]]:
    """Return a run's log and its records: from ``pot_sim.log``, or from ``events.jsonl`` where only that is whole.

    Raises:
        LogError: There is no log, or no line of either is one.
    """
    try:
        log, records = _read(folder / LOG_NAME)
    except LogError as error:
        if not (folder / EVENTS_NAME).is_file():
            raise
        log, records = _read(folder / EVENTS_NAME)
        log.warnings.insert(0, f"{error}; what is read is {EVENTS_NAME}")
        return log, records
    if not log.warnings:
        return log, records
    try:
        other, same = _read(folder / EVENTS_NAME)
    except LogError:
        return log, records
    if other.warnings:
        return log, records
    other.warnings += [*log.warnings[:-1], f"{log.warnings[-1]}; what is read is {EVENTS_NAME}, which is whole"]
    return other, same


def _read(file: Path) -> tuple[RunLog, list[Record]]:
    records: list[Record] = []
    return read_log(file, records.append, parse_json if file.suffix == ".jsonl" else parse_line), records


# ---- tables ----


def has_table(folder: Path, stem: str) -> bool:
    """Return whether a sweep has one of its two files of a table."""
    return any((folder / f"{stem}.{ending}").is_file() for ending in ("parquet", "csv"))


def read_table(folder: Path, stem: str) -> "pd.DataFrame":
    """Return a table of a sweep, from whichever of its two files is as the sweep wrote it.

    Raises:
        SimulationError: Neither is, or it cannot be read.
    """
    names, digests = [f"{stem}.parquet", f"{stem}.csv"], read_digests(folder)
    if not has_table(folder, stem):
        raise SimulationError(f"{folder}: {' and '.join(names)} are not there any more; {_NEITHER}")
    if digests is None:
        unknown = "so nobody can tell whether the tables were changed"
        warn_of_damage([f"{folder / DIGESTS_NAME}: cannot be read, {unknown}"])
    else:
        changed = [name for name in names if is_changed(folder, name, digests)]
        if len(changed) == len(names):
            why = "gone or changed since the sweep wrote it"
            raise SimulationError(f"{folder / names[0]}: {why}, and so is {names[1]}; {_NEITHER}")
        names = [name for name in names if name not in changed]
        warn_of_damage(
            f"{folder / name}: gone or changed since the sweep wrote it; what is read is {names[0]}, which is whole"
            for name in changed
        )
    problems = []
    for name in names:
        try:
            return _read_frame(folder / name)
        except OSError as error:
            problems.append(f"{folder / name}: cannot be read: {error.strerror or error}")
        except ValueError as error:  # those of Arrow and of pandas are such
            problems.append(f"{folder / name}: not the table of a sweep: {str(error).splitlines()[0]}")
    raise SimulationError(f"{problems[0]}; {_NEITHER}")


def _read_frame(path: Path) -> "pd.DataFrame":
    import pandas as pd  # noqa: PLC0415 - half a second

    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    return pd.read_csv(path, keep_default_na=False, na_values=[""], dtype={"cell": str, "error": str})
