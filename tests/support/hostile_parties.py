"""Parties that misuse their pipes, and the program with some of them in its runs.

`python -m tests.support.hostile_parties run ...` is `python main.py run ...`, but the processes of nodes whose
population is named in `MISDEEDS` do what stands there instead of living as nodes. They are real processes on real
pipes, and what they do is done to every neighbour as soon as the clock starts.
"""

import os
import signal
import struct
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection
from typing import Final

from simulation.commands import main
from simulation.engines.processes import engine, entry, party
from simulation.engines.processes.control import FinalReport, Ready, Records, Role, Setup, Stop
from simulation.foundation import NANOSECONDS, OF_THE_TERMINAL
from simulation.records import PartyStarted, Record

STALL_NS: Final = NANOSECONDS // 10
"""What stands for `party.STALL_NS` in these runs, so that a stall is told before they are over."""

STOP_TIMEOUT_S: Final = float(os.environ.get("TEST_STOP_TIMEOUT_S", "5"))
"""What stands for `engine.STOP_TIMEOUT_S`."""

GIBIBYTE: Final = 1 << 30
CHUNK: Final = bytes(60_000)


def halve(links: Iterable[Connection], control: Connection) -> None:
    """Announce a frame, send a part of it, and then nothing."""
    _write(links, struct.pack("!I", 100) + bytes(10))


def boast(links: Iterable[Connection], control: Connection) -> None:
    """Announce a gibibyte."""
    _write(links, struct.pack("!I", GIBIBYTE) + bytes(10))


def turn_deaf(links: Iterable[Connection], control: Connection) -> None:
    """Read nothing, ever."""


def freeze(links: Iterable[Connection], control: Connection) -> None:
    """Be stopped in the middle of a frame."""
    _write(links, struct.pack("!I", 10 * len(CHUNK)) + CHUNK)
    os.kill(os.getpid(), signal.SIGSTOP)


def die(links: Iterable[Connection], control: Connection) -> None:
    """Be killed in the middle of a frame."""
    _write(links, struct.pack("!I", 10 * len(CHUNK)) + CHUNK)
    os.kill(os.getpid(), signal.SIGKILL)


def mumble(links: Iterable[Connection], control: Connection) -> None:
    """Stop in the middle of a message to the starter, and do not listen to it any more."""
    _write([control], struct.pack("!I", 100) + bytes(10))
    while True:
        signal.pause()


MISDEEDS: Final[Mapping[str, Callable[[Iterable[Connection], Connection], None]]] = {
    "halving": halve,
    "boasting": boast,
    "deaf": turn_deaf,
    "freezing": freeze,
    "dying": die,
    "mumbling": mumble,
}


def run_party_process(setup: Setup, role: Role, control: Connection, connections: Mapping[str, Connection]) -> None:
    """Live as the party that its role describes, or as a hostile one if it is called so."""
    misdeed = MISDEEDS.get(setup.label.rpartition("-")[0])
    if misdeed is None:
        setattr(party, "STALL_NS", STALL_NS)  # noqa: B010 - the module does not offer it
        entry.run_party_process(setup, role, control, connections)
        return
    for signum in OF_THE_TERMINAL:
        signal.signal(signum, signal.SIG_IGN)
    started = PartyStarted(os.getpid())
    control.send(Records([Record(0.0, started.level, setup.label, started)]))
    control.send(Ready())
    control.recv()
    misdeed(connections.values(), control)
    while not isinstance(control.recv(), Stop):
        pass
    control.send(FinalReport())


def _write(ends: Iterable[Connection], chunk: bytes) -> None:
    for end in ends:
        with suppress(OSError):  # another hostile party at the other end may have gone
            os.write(end.fileno(), chunk)


if __name__ == "__main__":
    # By its name in the package: a process knows nothing of the main module of its starter.
    setattr(engine, "run_party_process", import_module("tests.support.hostile_parties").run_party_process)  # noqa: B010
    engine.STOP_TIMEOUT_S = STOP_TIMEOUT_S  # type: ignore[misc]
    sys.exit(main())
