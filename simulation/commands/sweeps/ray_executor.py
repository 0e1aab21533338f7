"""The executor that runs cells on Ray: on this machine, or on a cluster. The only file that imports Ray."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Generator, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from simulation.commands.sweeps.cell_runner import CellRunner, Outcome, WorkerSetup
from simulation.commands.sweeps.cells import Cell
from simulation.commands.sweeps.errors import SweepError
from simulation.commands.sweeps.executors import LOOK_EVERY_S
from simulation.foundation import EXIT_BAD_INPUT, ROOT, SIGNALS, Interruption
from simulation.training import find_data_set, list_data_sets

REACH_WITHIN_S: Final = 5.0
"""How long a cluster's address may take to accept a connection."""

JOIN_WITHIN_S: Final = 30.0
"""How long a cluster may take to let a driver in."""

AHEAD: Final = 2
"""Chunks under way for each core, so that none waits for the next one to be sent."""

INSTALL: Final = "make ray, or: pipenv install --categories ray"

_PACKAGES: Final = ("protocol", "simulation")
_PROBE: Final = "import ray, sys; ray.init(address=sys.argv[1], log_to_driver=False); ray.shutdown()"


class RayExecutor:
    """Chunks of cells as remote tasks."""

    def __init__(self, workers: int | None, address: str | None) -> None:
        """Take what to use.

        Args:
            workers: Cores; None for all there are.
            address: Cluster to join; None to start Ray on this machine.

        Raises:
            SweepError: Ray is not installed.
        """
        if find_spec("ray") is None:
            raise SweepError(f"--executor ray: Ray is not installed; install it with {INSTALL}", EXIT_BAD_INPUT)
        self._workers = workers
        self._address = address
        self._ray: Any = None

    def run(
        self, setup: WorkerSetup, chunks: Sequence[Sequence[Cell]], wants_end: Callable[[], bool]
    ) -> Generator[Outcome, None, None]:
        """Yield outcomes; a chunk whose worker died runs again cell by cell, to find the one at fault."""
        with tempfile.TemporaryDirectory(prefix="pot-sweep-", ignore_cleanup_errors=True) as folder:
            self._start(Path(folder))
            try:
                yield from self._run(setup, chunks, wants_end)
            finally:
                self._ray.shutdown()

    def _run(
        self, setup: WorkerSetup, chunks: Sequence[Sequence[Cell]], wants_end: Callable[[], bool]
    ) -> Generator[Outcome, None, None]:
        ray = self._ray
        remote = ray.remote(max_retries=0, num_cpus=1)(run_chunk)
        shared = ray.put(setup)
        waiting, under_way = deque(chunks), dict[Any, Sequence[Cell]]()
        most = AHEAD * int(ray.cluster_resources().get("CPU", 1))
        if self._address is not None and self._workers is not None:
            most = self._workers
        while (waiting or under_way) and not wants_end():
            while waiting and len(under_way) < most:
                chunk = waiting.popleft()
                under_way[remote.remote(shared, tuple(chunk))] = chunk
            done, _ = ray.wait(list(under_way), timeout=LOOK_EVERY_S)
            for reference in done:
                chunk = under_way.pop(reference)
                try:
                    yield from ray.get(reference)
                except ray.exceptions.RayError as error:
                    if len(chunk) > 1:
                        waiting.extendleft([cell] for cell in chunk[::-1])
                    else:
                        yield Outcome(chunk[0].index, error=f"its worker failed: {_explain(error)}")

    def _start(self, folder: Path) -> None:
        """Connect to workers, and give them a copy of this code."""
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody asked for reports to its makers
        if self._address is not None:
            _ensure_reachable(self._address)
        for package in _PACKAGES:
            shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        self._ray = import_module("ray")
        settings: dict[str, Any] = {
            "log_to_driver": False,
            "logging_level": "ERROR",
            "runtime_env": {"working_dir": str(folder), "env_vars": _choose_variables()},
        }
        if self._address is not None:
            settings["address"] = self._address
        else:
            settings |= {"address": "local", "num_cpus": self._workers, "include_dashboard": False}
        handlers = {signum: signal.getsignal(signum) for signum in SIGNALS}
        try:
            self._ray.init(**settings)
        except Exception as error:  # noqa: BLE001 - whatever it is, there is no cluster
            raise SweepError(f"Ray cannot be started: {_explain(error)}") from None
        finally:
            for signum, handler in handlers.items():  # it takes SIGTERM for itself
                signal.signal(signum, handler)


def _choose_variables() -> dict[str, str]:
    """Return what the environment of workers must have."""
    variables = {"PYTHONDONTWRITEBYTECODE": "1"}
    for name in list_data_sets():
        named = find_data_set(name).variable
        if named is not None and named in os.environ:  # workers start in another folder
            variables[named] = str(Path(os.environ[named]).expanduser().resolve())
    return variables


_runners: Final[dict[str, CellRunner]] = {}
"""The runner of this worker process, by the sweep's folder."""


def run_chunk(setup: WorkerSetup, cells: Sequence[Cell]) -> list[Outcome]:
    """Run some cells: the remote task. Images and TensorFlow stay in the worker for the next ones."""
    if setup.temporary not in _runners:
        _runners[setup.temporary] = CellRunner(setup, Interruption())
    return [_runners[setup.temporary].run(cell) for cell in cells]


def _ensure_reachable(address: str) -> None:
    """Find out in bounded time whether a cluster answers: Ray itself tries for minutes, and may end the process.

    Raises:
        SweepError: None does.
    """
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if port.isdecimal():
        try:
            socket.create_connection((host.strip("[]"), int(port)), REACH_WITHIN_S).close()
        except (OSError, OverflowError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise SweepError(f"--address {address}: no Ray cluster can be reached there: {why}") from None
    command = [sys.executable, "-c", _PROBE, address]
    try:
        subprocess.run(  # noqa: S603 - a fixed command
            command,
            timeout=JOIN_WITHIN_S,
            check=True,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C is ours to answer
        )
    except subprocess.TimeoutExpired:
        raise SweepError(
            f"--address {address}: what listens there did not answer as a Ray cluster within {JOIN_WITHIN_S:.0f} s"
        ) from None
    except subprocess.CalledProcessError as error:
        lines = [line for line in error.stderr.splitlines() if line.strip()]
        why = _shorten(lines[-1]) if lines else f"exit code {error.returncode}"
        raise SweepError(f"--address {address}: no Ray cluster can be joined there: {why}") from None


def _explain(error: Exception) -> str:
    return f"{type(error).__name__}: {_shorten(str(error))}"


def _shorten(text: str) -> str:
    return " ".join(text.split())[:300]
