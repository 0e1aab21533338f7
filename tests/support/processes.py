"""Runs of the program as a user starts them: `python main.py ...` in a folder of its own."""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from simulation.records.lines import RecordError, parse_line
from simulation.records.reading import read_record
from simulation.records.record import Record
from tests.support.scenarios import ROOT

TIMEOUT_S = 150
"""No run of these tests takes a fifth of this on an idle machine."""

SMALL = (
    "dataset.name=digits",
    "job.steps_per_stage=10",
    "job.stages=2",
    "job.layers=[16]",
    "output.pictures=false",
    "users={count: 0, transactions: 0}",
)
"""Settings that leave little to train."""


def get_mnist() -> Path | None:
    """Return the real MNIST, where this machine has it."""
    named = os.environ.get("POT_MNIST")
    path = Path(named) if named else ROOT / ".." / "shared" / "data" / "mnist.npz"
    return path.resolve() if path.is_file() else None


def make_environment(**changes: str) -> dict[str, str]:
    """Return an environment in which MNIST is the real one or is not looked for on the network."""
    environment = {**os.environ, **changes}
    mnist = get_mnist()
    if mnist is not None:
        environment.setdefault("POT_MNIST", str(mnist))
    return environment


def without_mnist(folder: Path) -> dict[str, str]:
    """Return an environment without any copy of MNIST and with a network that refuses every connection."""
    closed = "http://127.0.0.1:9"
    environment = make_environment(KERAS_HOME=str(folder / "keras"), HTTP_PROXY=closed, HTTPS_PROXY=closed)
    environment |= {"http_proxy": closed, "https_proxy": closed}
    environment.pop("POT_MNIST", None)
    return environment


def sets(*settings: str) -> list[str]:
    return [part for setting in settings for part in ("--set", setting)]


@dataclass(frozen=True)
class Finished:
    """A run of the program that has ended."""

    cwd: Path
    code: int
    out: str
    err: str

    @property
    def told(self) -> str:
        return self.out + self.err

    @property
    def folder(self) -> Path:
        folders = [path for path in (self.cwd / "runs").iterdir() if path.is_dir()]
        assert len(folders) == 1, folders
        return folders[0]

    @property
    def summary(self) -> dict[str, Any]:
        summary: dict[str, Any] = json.loads((self.folder / "summary.json").read_text("utf-8"))
        return summary

    @property
    def records(self) -> list[Record]:
        return [read_record(parse_line(line)) for line in (self.folder / "pot_sim.log").read_text("utf-8").splitlines()]

    def find(self, event: str, **fields: object) -> list[Record]:
        """Return the records of an event with certain fields."""
        return [
            record
            for record in self.records
            if record.event == event and all(record.fields.get(name) == value for name, value in fields.items())
        ]


Run = Callable[..., Finished]
"""Runs the program with arguments, or returns the run that the same arguments led to before."""

Verify = Callable[..., Finished]
"""Runs `verify` on a folder, with options."""


class Running:
    """A run of the program that goes on, in a process group of its own."""

    def __init__(
        self, cwd: Path, *arguments: str, environment: dict[str, str] | None = None, module: str | None = None
    ) -> None:
        """Start `main.py`, or a module of the tests that stands for it."""
        self.cwd = cwd
        program = [str(ROOT / "main.py")] if module is None else ["-m", module]
        command = [sys.executable, *program, *arguments]
        self._out, self._err = cwd / "stdout.txt", cwd / "stderr.txt"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self._process = subprocess.Popen(
                command, cwd=cwd, env=environment or make_environment(), stdout=out, stderr=err, start_new_session=True
            )
        self.pid = self._process.pid
        self._seen: dict[int, psutil.Process] = {}

    def get_records(self) -> list[Record]:
        """Return the records written so far."""
        records = []
        with suppress(FileNotFoundError):
            for line in (self.cwd / "pot_sim.log").read_text("utf-8", errors="replace").splitlines():
                with suppress(RecordError):
                    records.append(read_record(parse_line(line)))
        return records

    def wait_for(self, wanted: Callable[[Record], bool], count: int = 1) -> list[Record]:
        """Wait until as many records are wanted ones, and return them."""

        def find() -> list[Record]:
            self._note_processes()
            found = [record for record in self.get_records() if wanted(record)]
            return found if len(found) >= count else []

        found: list[Record] = poll(find, lambda: f"{self._process.poll()=}\n{self._err.read_text()}", self._process)
        return found

    def wait_for_event(self, event: str, who: str | None = None, count: int = 1) -> list[Record]:
        return self.wait_for(lambda record: record.event == event and who in (None, record.who), count)

    def get_pids(self) -> dict[str, int]:
        """Return the process of each party that has started."""
        return {
            record.who: int(str(record.fields["pid"])) for record in self.get_records() if record.event == "started"
        }

    def kill(self, labels: Iterable[str], signum: int) -> None:
        """Send a signal to parties."""
        pids = self.get_pids()
        for label in labels:
            os.kill(pids[label], signum)

    def send_signal(self, signum: int, *, to_group: bool = False) -> None:
        """Send a signal to the program, or, as a terminal does, to all of its process group."""
        self._note_processes()
        if to_group:
            os.killpg(self.pid, signum)
        else:
            self._process.send_signal(signum)

    def finish(self) -> Finished:
        """Wait for the end."""
        try:
            code = self._process.wait(TIMEOUT_S)
        finally:
            self.end()
        return Finished(self.cwd, code, self._out.read_text("utf-8"), self._err.read_text("utf-8"))

    def end(self) -> None:
        """End the program if it still runs: nothing that a test started outlives it."""
        if self._process.poll() is None:
            self._note_processes()
            self._process.kill()
            self._process.wait()
            for process in self._seen.values():
                with suppress(psutil.NoSuchProcess):
                    process.kill()

    def wait_for_orphans_to_end(self) -> None:
        """Fail if a process that belonged to the run is still there a while after it."""
        assert len(self._seen) >= 2
        poll(lambda: not self.get_survivors(), lambda: f"still there: {self.get_survivors()}", None, timeout_s=15)

    def get_survivors(self) -> list[psutil.Process]:
        return [process for process in self._seen.values() if _is_alive(process)]

    def _note_processes(self) -> None:
        with suppress(psutil.NoSuchProcess):
            for process in psutil.Process(self.pid).children(recursive=True):
                self._seen.setdefault(process.pid, process)


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def poll(
    condition: Callable[[], Any],
    explain: Callable[[], str],
    process: subprocess.Popen[bytes] | None,
    timeout_s: float = TIMEOUT_S,
) -> Any:
    """Look again and again until something holds."""
    deadline = time.monotonic() + timeout_s
    while True:
        has_ended = process is not None and process.poll() is not None
        found = condition()
        if found:
            return found
        assert not has_ended, f"the program has ended before that: {explain()}"
        assert time.monotonic() < deadline, f"waited too long: {explain()}"
        time.sleep(0.03)


def launch(cwd: Path, *arguments: str, environment: dict[str, str] | None = None) -> Finished:
    """Run the program to its end."""
    return Running(cwd, *arguments, environment=environment).finish()


def find_traces(text: str) -> list[str]:
    """Return the lines that a user should never see."""
    return [line for line in text.splitlines() if re.search(r"Traceback|Error:|Warning:|^  File ", line)]
