"""Runs and sweeps that no machine has made, written as a report reads them."""

import json
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from simulation.commands.report.picture import Table
from simulation.commands.report.sources import Run, read_run
from simulation.commands.sweeps.digests import write_digests
from simulation.records.lines import DEBUG, Line
from simulation.records.record import Record
from tests.support.scenarios import appended, made_up_run, note, opening, to_log, trained

SWEEP = """attack.share,"rule",n,failed,delivered,delivered.low,delivered.high,height.mean,height.std,height.median
0.1,"a",10,0,1.0,0.72,1.0,5,0.5,5
0.1,"b",10,0,0.9,0.6,0.98,4,0.25,4
0.3,"a",10,0,0.5,0.24,0.76,3,1.5,3
0.3,"b",8,2,0.0,0.0,0.32,2,,2
"""


def write_run(folder: Path, records: Sequence[Record | Line] | None = None) -> Path:
    """Write ``events.jsonl`` of a run into a folder; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    # Written once more, so that a lone surrogate, which no file can hold, is six letters.
    items = made_up_run() if records is None else records
    lines = [item.to_line() if isinstance(item, Record) else item for item in items]
    (folder / "events.jsonl").write_text(
        "".join(f"{json.dumps(json.loads(line.to_json()))}\n" for line in lines), "utf-8"
    )
    return folder


def write_log(folder: Path, records: Sequence[Record | Line] | None = None) -> Path:
    """Write ``pot_sim.log`` of a run into a folder; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pot_sim.log").write_text(to_log(made_up_run() if records is None else records), "utf-8")
    return folder


def write_sweep(folder: Path, text: str = SWEEP) -> Path:
    """Write the table of a sweep into a folder, as it is and as its digest has it; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "aggregate.csv").write_text(text, "utf-8")
    write_digests(folder, ["aggregate.csv"])
    return folder


def make_run(folder: Path, records: Sequence[Record | Line] | None = None) -> Run:
    """Return a run as a report has read it."""
    return read_run(write_run(folder, records))


def forked_run(heights: int = 12) -> list[Record]:
    """Return a run whose employer follows a poisoned branch from height 4 on, with short forks of honest nodes."""
    records = [opening(stages=heights)]
    for label, role in (("good-0", "honest"), ("good-1", "honest"), ("bad-0", "data_injection")):
        records.append(note(label, "node", level=DEBUG, population=label.split("-")[0], role=role, stake=1))

    def add(who: str, height: int, name: str, parent: str, *, is_poisoned: bool = False, head: bool = True) -> None:
        kind = "poisoned" if is_poisoned else "clean"
        records.append(trained("bad-0" if is_poisoned else "good-0", height - 1, f"0xw{name}", data=kind))
        records.append(appended(who, height, f"0x{name}", f"0x{parent}", f"0xw{name}", head=head))

    for height in range(1, heights + 1):
        add("good-0", height, f"a{height}", f"a{height - 1}" if height > 1 else "genesis")
    for fork in range(1, heights, 3):
        add("good-0", fork + 1, f"f{fork}", f"a{fork}", head=False)
        add("good-0", fork + 2, f"g{fork}", f"f{fork}", head=False)
    for height in range(1, 4):
        records.append(appended("employer", height, f"0xa{height}", f"0xa{height - 1}", f"0xwa{height}"))
        records.append(evaluated(f"0xa{height}", 0.5 + 0.1 * height))
    for height in range(4, heights + 1):
        parent = f"p{height - 1}" if height > 4 else "a3"
        add("employer", height, f"p{height}", parent, is_poisoned=True)
        records.append(evaluated(f"0xp{height}", 0.9 - 0.05 * height, trigger=0.08 * height))
    return records


def evaluated(block: str, accuracy: float, *, trigger: float = 0.0) -> Record:
    """Return the employer's measurement of a block."""
    fields: dict[str, Any] = {"height": 1, "block": block, "accuracy": accuracy, "trigger_success": trigger}
    return note("employer", "evaluated", **fields, recalls="0.5 0.5")


def read_pairs(table: Table) -> dict[str, str]:
    """Return a table of two columns by its first."""
    return {row[0]: row[1] for row in table.rows}


class Page(HTMLParser):
    """What a browser would make of a page, as far as tests ask."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.style: list[str] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        (self.style if self._open and self._open[-1] == "style" else self.text).append(data)

    def find(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]
