"""Runs side by side, built from their log files alone."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pandas as pd
from rich.markup import escape
from rich.table import Table

from simulation.analysis.measures import WORK, compute_measures, find_best, measure_detection, measure_populations
from simulation.records.checking import check_record
from simulation.records.record import Record, RecordError, parse_line
from simulation.records.run_files import LOG_NAME, SUMMARY_NAME, compute_file_digest
from simulation.records.tally import Tally

OPENING_FIELDS: Final = frozenset({"scenario", "seed", "engine", "code_version", "dataset"})
"""What the opening line of a log must say, so that runs can be told apart."""


class LogError(ValueError):
    """A log cannot be used at all; the text says which and why."""


@dataclass(slots=True)
class RunLog:
    """What a log tells of a run."""

    path: Path
    name: str
    """What to call it: the run's folder, or the log and the folder it lies in, as far as the user has named them."""
    tally: Tally
    warnings: list[str] = field(default_factory=list)
    """What is wrong with the log, where it is still of use."""


def read_log(
    path: Path, watch: Callable[[Record], None] | None = None, parse: Callable[[str], Record] = parse_line
) -> RunLog:
    """Return a run's log.

    Args:
        path: A run's folder, or its ``pot_sim.log``.
        watch: Takes each record as well.
        parse: Reads a line, or raises `RecordError`.

    Raises:
        LogError: There is no log, or no line of it is one.
    """
    file = path / LOG_NAME if path.is_dir() else path
    try:
        *lines, rest = file.read_bytes().decode("utf-8", errors="replace").split("\n")
    except OSError as error:
        raise LogError(f"{file}: cannot be read: {error.strerror}") from None
    name = path.resolve().name if path.is_dir() else "/".join(path.parts[-2:])
    log = RunLog(file, name, Tally())
    if _was_changed(file):
        log.warnings.append(f"{file}: changed since the run ended: {SUMMARY_NAME} has another digest of it")
    damaged: list[str] = []
    second = 0
    for number, line in enumerate(lines, start=1):
        try:
            record = check_record(parse(line))
            if record.event == "run" and not record.fields.keys() >= OPENING_FIELDS:
                raise RecordError("an opening line that lacks something")
            if record.event == "run" and log.tally.run:
                second = number
                break
            log.tally.add(record)
        except (RecordError, KeyError, ValueError, TypeError, RecursionError) as error:
            damaged.append(f"line {number} ({_explain(error)})")
            continue
        if watch is not None:
            watch(record)
    if not log.tally.run:
        raise LogError(f"{file}: not the log of a run: its opening line is missing")
    if second:
        log.warnings.append(f"{file}: line {second} begins another run; that line and all after it are left out")
    elif rest:
        log.warnings.append(f"{file}: cut off in line {len(lines) + 1}, which is left out")
    if damaged:
        log.warnings.append(f"{file}: {len(damaged)} damaged lines left out, the first is {damaged[0]}")
    if not log.tally.end:
        log.warnings.append(f"{file}: cut off: the run's closing line is missing, figures are those so far")
    return log


def _was_changed(file: Path) -> bool:
    """Return whether the summary beside a log knows it differently; without one, nothing can be said."""
    try:
        digests = json.loads((file.parent / SUMMARY_NAME).read_bytes())["files"]
        expected = digests[file.name]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
    return bool(expected != compute_file_digest(file))


def _explain(error: Exception) -> str:
    """Return what is wrong with a line."""
    if isinstance(error, KeyError):
        return f"{error.args[0]}: missing"
    return "nested too deep" if isinstance(error, RecursionError) else str(error)


def _show(value: object, digits: int = 1) -> str:
    return f"{value:,.{digits}f}" if isinstance(value, float) else "-" if value is None else str(value)


def _accuracy(tally: Tally) -> str:
    last = tally.evaluations.get(tally.employer.head)
    return "-" if last is None else f"{float(str(last.fields['accuracy'])):.2%}"


def _trigger(tally: Tally) -> str:
    last = tally.evaluations.get(tally.employer.head)
    return "-" if last is None else f"{float(str(last.fields['trigger_success'])):.2%}"


def _refused_per_population(tally: Tally) -> str:
    parts = [f"{name} {counts.total()}" for name, counts in sorted(tally.refused_from.items()) if counts]
    return "\n".join(parts) or "none"


def _reasons(tally: Tally) -> str:
    total = sum(tally.refused_from.values(), start=type(tally.refused)())
    return "\n".join(f"{reason} {count}" for reason, count in total.most_common(4)) or "none"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"


def _branch(tally: Tally, *, is_poisoned: bool) -> str:
    best = find_best(tally, is_poisoned=is_poisoned)
    return "-" if best is None else f"{float(str(best.fields['accuracy'])):.2%}"


def _earned(tally: Tally, name: str) -> str:
    measured = measure_populations(tally)
    return "\n".join(f"{population} {_show(values[name])}" for population, values in measured.items()) or "none"


def _populations(tally: Tally) -> str:
    counts: dict[tuple[str, str], int] = {}
    for node in tally.nodes.values():
        counts[node.population, node.role] = counts.get((node.population, node.role), 0) + 1
    return "\n".join(f"{count} {name} ({role})" for (name, role), count in counts.items())


ROWS: Final[dict[str, Callable[[Tally], str]]] = {
    "scenario": lambda tally: str(tally.run["scenario"]),
    "seed": lambda tally: str(tally.run["seed"]),
    "engine": lambda tally: str(tally.run["engine"]),
    "code version": lambda tally: str(tally.run["code_version"]),
    "data set": lambda tally: str(tally.run["dataset"]),
    "nodes": _populations,
    "ended": lambda tally: str(tally.end.get("reason", "unfinished")),
    "honest height": lambda tally: str(tally.compute_agreement()[1].height),
    "honest agreement": lambda tally: f"{tally.compute_agreement()[0]:.2f}",
    "forks": lambda tally: str(tally.count_forks()),
    "deepest reorganisation": lambda tally: str(tally.reorg_depth_max),
    "employer's height": lambda tally: str(tally.employer.height),
    "test accuracy": _accuracy,
    "trigger success": _trigger,
    "poisoned stages, honest": lambda tally: str(tally.count_poisoned_honest()),
    "poisoned stages, employer": lambda tally: str(tally.count_poisoned_employer()),
    "employer deceived": lambda tally: "yes" if tally.count_poisoned_employer() else "no",
    "messages sent": lambda tally: f"{tally.sent.total():,}",
    "megabytes sent": lambda tally: f"{tally.sent_bytes / 1e6:.2f}",
    "accepted": lambda tally: f"{tally.accepted.total():,}",
    "refused": lambda tally: f"{tally.refused.total():,}",
    "refused by honest nodes, from": _refused_per_population,
    "refused by honest nodes, for": _reasons,
    "attackers' work refused": lambda tally: _percent(measure_detection(tally, *WORK).recall),
    "refusals that hit attackers": lambda tally: _percent(measure_detection(tally).precision),
    "honest messages refused": lambda tally: _percent(measure_detection(tally).false_rejection),
    "accuracy, poisoned branch": lambda tally: _branch(tally, is_poisoned=True),
    "accuracy, honest branch": lambda tally: _branch(tally, is_poisoned=False),
    "seconds to a block": lambda tally: _show(compute_measures(tally)["blocks"]["seconds_each"], 3),
    "messages to a block": lambda tally: _show(compute_measures(tally)["blocks"]["messages_each"]),
    "coins earned, by population": lambda tally: _earned(tally, "coins_earned"),
    "coins a CPU s, by population": lambda tally: _earned(tally, "coins_per_cpu_s"),
    "transfers in the chain": lambda tally: str(
        sum(tally.blocks[block].transactions for block in tally.get_chain(tally.employer.head))
    ),
    "wall s": lambda tally: _show(tally.cost.get("wall_s")),
    "CPU s": lambda tally: _show(tally.cost.get("cpu_s")),
    "memory MB": lambda tally: _show(tally.cost.get("memory_pss_mb_max"), 0),
    "training CPU s in the chain": lambda tally: _show(tally.sum_training_cpu()[0]),
    "training CPU s discarded": lambda tally: _show(tally.sum_training_cpu()[1]),
}
"""What is compared, and how it follows from a tally."""


def build_frame(logs: Sequence[RunLog]) -> pd.DataFrame:
    """Return the comparison, one row a figure and one column a run."""
    columns = {f"{index}: {log.name}": log.tally for index, log in enumerate(logs, start=1)}
    return pd.DataFrame(
        {name: [read(tally) for read in ROWS.values()] for name, tally in columns.items()}, index=list(ROWS)
    )


def build_table(logs: Sequence[RunLog]) -> Table:
    """Return the comparison as a table for the console."""
    frame = build_frame(logs)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("", style="dim", no_wrap=True)
    for column in frame.columns:
        table.add_column(escape(str(column)), overflow="fold")
    for name, row in frame.iterrows():
        is_different = row.nunique() > 1
        values = (escape(str(value)) for value in row)
        table.add_row(str(name), *(f"[bold]{value}[/]" if is_different else value for value in values))
    return table
