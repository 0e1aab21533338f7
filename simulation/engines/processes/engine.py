"""The process engine: each party is an operating-system process, each link one `multiprocessing.Pipe`.

The start method is `forkserver`: one clean process imports what the mechanism's parties need, such as Keras where they
train, and each party is forked from it, so that all share one copy of the code. Nothing of TensorFlow has *run* in the
server, so no thread of it is forked.
"""

import os
import selectors
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Final

from protocol.rules import Rules
from protocol.types import MICRO_COINS_PER_COIN
from simulation.engines import EngineResult, EngineSetup, NetworkModel, PartyError
from simulation.engines.processes.casting import Casting, list_links, list_parties
from simulation.engines.processes.control import FinalReport, Go, Held, PartyFailed, Ready, Records, Stop
from simulation.engines.processes.control_pipe import ControlPipe, pack
from simulation.engines.processes.entry import run_party_process, run_plugged_party
from simulation.engines.processes.starting import start_first
from simulation.foundation import FORKSERVER, NANOSECONDS, list_sources
from simulation.records import Crashed, Fact, GenesisMade, PartyEnded, Record, short_hash
from simulation.scenario.world import EMPLOYER, USERS, make_keys

TICK_S: Final = 0.1
"""Seconds between two looks at the clock while nothing happens."""

STOP_TIMEOUT_S: Final = 30.0
"""Seconds a party has for its last word before it is ended."""

NAMED: Final = 3
"""Parties that are named where many were late."""


@dataclass(slots=True)
class ProcessHandle:
    """A party as its starter sees it."""

    label: str
    process: ForkServerProcess
    control: ControlPipe
    worker_pids: tuple[int, ...] = ()
    is_ready: bool = False
    is_over: bool = False

    def list_pids(self) -> tuple[int, ...]:
        """Return the processes that belong to it, as long as they live."""
        pid = self.process.pid
        return () if pid is None or self.is_over else (pid, *self.worker_pids)


class ProcessEngine:
    """Starts the parties of a world, collects their records, and ends them."""

    def __init__(self, setup: EngineSetup) -> None:
        """Prepare a run."""
        self._setup = setup
        self._world = setup.world
        self._tally = setup.tally
        self._parties: dict[str, ProcessHandle] = {}
        self._selector = selectors.DefaultSelector()
        self._chains: dict[str, tuple[bytes, ...]] = {}
        self._delivered_at: float | None = None
        self._plugins = list_sources()
        self._plugin_fault: str | None = None
        """Why code from outside the package has ended the run."""
        self._obstacle: str | None = None
        """Why the clock was not started."""

    def now(self) -> float:
        """Return the seconds since the run was started."""
        return (time.monotonic_ns() - self._setup.started_at) / NANOSECONDS

    def run(self) -> EngineResult:
        """Run until the job is done, the time is over or the user has had enough.

        Raises:
            PartyError: The code of a plug-in failed in a party.
        """
        dataset_folder = self._setup.scratch / "data"
        dataset_folder.mkdir()
        self._setup.images.save(dataset_folder)
        deadline = time.monotonic() + self._world.scenario.run.time_limit_s
        try:
            casting = Casting(self._setup, dataset_folder, self._world.get_labels(), NetworkModel(self._world))
            reason = self._start_all(casting, deadline) or self._wait_until_ready(deadline) or self._live(deadline)
        finally:
            self._stop_all()
        if self._plugin_fault is not None:
            raise PartyError(self._plugin_fault)
        return EngineResult(reason, self._chains, obstacle=self._obstacle)

    # ---- starting ----

    def _start_all(self, casting: Casting, deadline: float) -> str | None:
        """Open the pipes and start the parties; return None, or why that was given up."""
        ends: dict[str, dict[str, Connection]] = {label: {} for label in list_parties(self._world)}
        try:
            for first, second in list_links(self._world):
                ends[first][second], ends[second][first] = FORKSERVER.Pipe()
            for label, connections in ends.items():
                reason = self._find_early_end(deadline)
                if reason is not None:
                    return reason
                self._setup.on_tick(f"starting: {len(self._parties)} of {len(ends)} processes have begun")
                self._start(casting, label, connections, deadline)
                _close_all(connections)  # its party has them now
        finally:
            for connections in ends.values():
                _close_all(connections)
        return None

    def _start(self, casting: Casting, label: str, connections: Mapping[str, Connection], deadline: float) -> None:
        ours, theirs = FORKSERVER.Pipe()
        setup = casting.build_setup(label, tuple(peer for peer in connections if peer != USERS))
        role = casting.build_role(label)
        process = FORKSERVER.Process(target=run_party_process, args=(setup, role, theirs, connections), name=label)
        if self._plugins:
            args = (self._plugins, pack(setup, role), theirs, connections)
            process = FORKSERVER.Process(target=run_plugged_party, args=args, name=label)

        def is_wanted() -> bool:
            self._setup.on_tick("starting: what the parties need is loaded")
            return self._find_early_end(deadline) is None

        if self._parties:
            process.start()
        elif not start_first(process, is_wanted):
            ours.close()
            theirs.close()
            return
        theirs.close()
        party = ProcessHandle(label, process, ControlPipe(ours))
        self._parties[label] = party
        self._selector.register(party.control, selectors.EVENT_READ, party)
        self._selector.register(process.sentinel, selectors.EVENT_READ, party)

    # ---- living ----

    def _wait_until_ready(self, deadline: float) -> str | None:
        """Return None once every living party is ready and the clock has started, or why that will not be."""
        while True:
            waiting = [party for party in self._parties.values() if not party.is_ready and not party.is_over]
            if not waiting:
                break
            reason = self._find_end(deadline)
            if reason is not None:
                if reason == "time-limit":
                    self._obstacle = _tell_who_was_late([party.label for party in waiting])
                return reason
            self._turn(f"starting: {len(self._parties) - len(waiting)} of {len(self._parties)} processes are ready")
        self._record(GenesisMade(short_hash(Rules(self._world.mechanism).chain_id)))
        self._tell_all(Go(time.monotonic_ns()))
        return None

    def _live(self, deadline: float) -> str:
        while True:
            reason = self._find_end(deadline)
            if reason is not None:
                return reason
            self._turn("running")

    def _find_early_end(self, deadline: float) -> str | None:
        if self._setup.interruption.signum is not None:
            return "interrupted"
        if self._plugin_fault is not None:
            return "failed"
        return "time-limit" if time.monotonic() >= deadline else None

    def _find_end(self, deadline: float) -> str | None:
        """Return why the run is over; None where it goes on.

        Without an employer, who only waits, nodes go on until they agree on the whole chain, so that there is one to
        look at. A party that a plug-in has made fail ends the run at once.
        """
        reason = self._find_early_end(deadline)
        if reason not in ("interrupted", "failed") and all(
            party.is_over for label, party in self._parties.items() if label not in (EMPLOYER, USERS)
        ):
            return "no-nodes"
        if reason is not None:
            return reason
        now = time.monotonic()
        stages = self._world.genesis.chain.length
        agreement, best = self._tally.compute_agreement()
        is_agreed = agreement == 1 and best.height >= stages
        if self._tally.employer.height < stages:
            return "no-employer" if is_agreed and self._parties[EMPLOYER].is_over else None
        if is_agreed:
            return "complete"
        self._delivered_at = self._delivered_at or now
        return "delivered" if now >= self._delivered_at + self._world.scenario.run.linger_s else None

    def _turn(self, phase: str) -> None:
        for key, _ in self._selector.select(TICK_S):
            party: ProcessHandle = key.data
            if party.is_over:
                continue
            if key.fileobj is party.control:
                self._read(party)
            else:
                self._handle_exit(party)
        self._setup.sample(pid for party in self._parties.values() for pid in party.list_pids())
        self._setup.on_tick(phase)

    def _read(self, party: ProcessHandle) -> bool:
        """Take some of what has come from a party; return whether there was anything."""
        try:
            messages = party.control.receive()
        except EOFError:
            with suppress(KeyError):
                self._selector.unregister(party.control)
            return False
        for message in messages or ():
            self._take(party, message)
        return messages is not None

    def _take(self, party: ProcessHandle, message: object) -> None:
        match message:
            case Records(records):
                for record in records:
                    self._setup.sink(record)
            case Held(holdings):
                if self._setup.on_holdings is not None:
                    self._setup.on_holdings(holdings)
            case Ready(worker_pids):
                party.is_ready, party.worker_pids = True, worker_pids
            case FinalReport(blocks=blocks):
                if blocks is not None:
                    self._chains[party.label] = blocks
                self._close(party)
            case PartyFailed(kind, text, trace, blamed):
                if blamed is not None and self._plugin_fault is None:
                    self._plugin_fault = f"{party.label} failed: {blamed}"
                self._crash(party, f"{kind}: {text}", trace)

    def _handle_exit(self, party: ProcessHandle) -> None:
        """A process has ended: read what it still said, and note it if its last word is missing."""
        while not party.is_over and self._read(party):
            pass
        if not party.is_over:
            party.process.join()
            code = party.process.exitcode or 0
            self._crash(party, f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}")

    def _crash(self, party: ProcessHandle, why: str, trace: str | None = None) -> None:
        self._record(Crashed(why=why, trace=trace), who=party.label)
        self._close(party)

    def _close(self, party: ProcessHandle) -> None:
        party.is_over = True
        for source in (party.control, party.process.sentinel):
            with suppress(KeyError, ValueError):
                self._selector.unregister(source)

    # ---- ending ----

    def _stop_all(self) -> None:
        """Collect last words and leave no process behind, whatever happens meanwhile."""
        try:
            self._collect_last_words()
        finally:
            self._end_processes()

    def _collect_last_words(self) -> None:
        """Ask every party for its last word; end those that do not give it, or have nothing to say yet."""
        self._tell_all(Stop())
        self._wake_all()
        self._speak_for_the_unready()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        why = f"gave no last word within {STOP_TIMEOUT_S:.0f} s and was killed"
        while any(not party.is_over for party in self._parties.values()) and time.monotonic() < deadline:
            if self._setup.interruption.is_urgent:
                why = "was killed at the second signal"
                break
            self._turn("stopping")
        for party in self._parties.values():
            if not party.is_over:
                party.process.kill()
                self._crash(party, why)

    def _speak_for_the_unready(self) -> None:
        """End parties that are still being set up, which takes seconds; record where these and the unstarted stand."""
        world = self._world
        keys = {node.label: make_keys(node.key_seed) for node in world.nodes}
        keys[EMPLOYER] = make_keys(world.employer_seed)
        ledger = Rules(world.mechanism).origin.state
        for label in list_parties(world):
            party = self._parties.get(label)
            if party is not None:
                if party.is_over or party.is_ready:
                    continue
                party.process.kill()
                self._close(party)
            if label in keys:
                balance = ledger.get_account(keys[label].public).balance / MICRO_COINS_PER_COIN
                ended = PartyEnded(outcome="stopped", height=0, head="genesis", reorg=0, balance=balance)
                self._record(ended, who=label)
                self._chains[label] = ()

    def _wake_all(self) -> None:
        """Let parties go on that somebody has stopped: they have a last word too."""
        for party in self._parties.values():
            if not party.is_over and party.process.pid is not None:
                with suppress(ProcessLookupError):
                    os.kill(party.process.pid, signal.SIGCONT)

    def _end_processes(self) -> None:
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for party in self._parties.values():
            if not party.is_over:
                party.process.kill()
        for party in self._parties.values():
            party.process.join(max(0.0, deadline - time.monotonic()))
            if party.process.is_alive():
                party.process.kill()
                party.process.join(TICK_S)
            party.control.close()

    def _tell_all(self, message: Go | Stop) -> None:
        for party in self._parties.values():
            if not party.is_over:
                party.control.send(message)

    # ---- records ----

    def _record(self, fact: Fact, who: str = "run") -> None:
        self._setup.sink(Record(self.now(), fact.level, who, fact))


def _tell_who_was_late(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    return f"nothing began, since {', '.join(labels[:NAMED])}{more} did not get ready in time"


def _close_all(connections: Mapping[str, Connection]) -> None:
    for connection in connections.values():
        connection.close()
