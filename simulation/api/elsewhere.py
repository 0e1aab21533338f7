"""Work in a clean process, for when TensorFlow is in use here already.

Training gives the same bits everywhere because it has one thread, and TensorFlow takes its threads once, when it first
computes. Where a program has done so with several, what trains goes into a process of its own.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final, TypeVar

from simulation.foundation import SPAWN, SimulationError

LOOK_EVERY_S: Final = 0.1
"""How often is looked whether the work is to end."""

ResultT = TypeVar("ResultT")
Tell = Callable[[object], None]
WantsEnd = Callable[[], bool]
Work = Callable[[Tell, WantsEnd], ResultT]
"""What is to be done: it is given somewhere to tell what happens, and asks whether to end."""


def can_train_here() -> bool:
    """Return whether TensorFlow has, or can still be given, one thread in this process."""
    if "tensorflow" not in sys.modules:
        return True
    from simulation.training import can_use_one_thread  # noqa: PLC0415 - loads TensorFlow, which is there already

    return can_use_one_thread()


def work_elsewhere(work: Work[ResultT], hear: Tell, wants_end: WantsEnd) -> ResultT:
    """Do something in a clean process; return what comes of it, or raise what it raises.

    Args:
        work: A function of a module, or a `functools.partial` of one; it is sent to the process.
        hear: Takes what the work tells, in the caller's thread.
        wants_end: Tells when the work is to end in order.
    """
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=_serve, args=(theirs, work), name="pot-work")
    try:
        process.start()
        theirs.close()
        is_told = False
        while True:
            if not is_told and wants_end():
                is_told = True
                ours.send(None)
            if ours.poll(LOOK_EVERY_S):
                kind, value = ours.recv()
                if kind == "told":
                    hear(value)
                elif kind == "done":
                    result: ResultT = value
                    return result
                else:
                    raise value
    except (EOFError, ConnectionError):
        process.join()
        raise SimulationError(f"the process that worked has ended (exit code {process.exitcode})") from None
    finally:
        ours.close()
        process.join(LOOK_EVERY_S)
        if process.is_alive():
            process.kill()
            process.join()


def _serve(pipe: Connection, work: Work[Any]) -> None:
    """Work, and say what comes of it: the target of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends it to all; the starter says what is to happen
    end = threading.Event()
    threading.Thread(target=_listen, args=(pipe, end), daemon=True).start()
    try:
        result = work(lambda told: pipe.send(("told", told)), end.is_set)
    except Exception as error:  # noqa: BLE001 - across a process boundary, failure is data
        pipe.send(("failed", error))
    else:
        pipe.send(("done", result))


def _listen(pipe: Connection, end: threading.Event) -> None:
    """Note that the work is to end; end at once if nobody is there any more to want it."""
    try:
        pipe.recv()
        end.set()
        pipe.recv()
    except (EOFError, OSError):
        os._exit(1)
