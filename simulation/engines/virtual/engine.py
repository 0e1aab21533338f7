"""The virtual engine: the same parties in one process and in simulated time, with a network that may fail.

Training is real and charged to simulated time by a cost model; equal training is done once. One scenario and one seed
give one trace, byte for byte.
"""

import gc
from functools import partial
from typing import Final

from protocol.events import BlockAppended, HeadMoved
from protocol.light_client import LightClient
from protocol.participant import Participant
from simulation.attacks import Behaviour, Honest
from simulation.engines import (
    CachingRules,
    CountingKeys,
    Desk,
    EngineResult,
    EngineSetup,
    NetworkModel,
    PartyError,
    VirtualTools,
    list_holdings,
    name_owners,
)
from simulation.engines.parties import CountingRecorder, Counts, Host, Journals, Recorder, build_node, issue_transfers
from simulation.engines.virtual.ending import Ending
from simulation.engines.virtual.outages import Outages
from simulation.engines.virtual.party import Clockwork, VirtualParty
from simulation.engines.virtual.queue import EventQueue
from simulation.engines.virtual.transport import FrameTransport
from simulation.foundation import NANOSECONDS, PluginError, blame_plugin, find_part, guard_plugins
from simulation.records import Fact, GenesisMade, PartyStarted, Record, WentDown, short_hash
from simulation.scenario.world import EMPLOYER, USERS, draw_transfers, make_keys, plan_transfers

TICK_ACTIONS: Final = 2_000
"""Actions between two looks at the user's screen."""

LOOK_ACTIONS: Final = 50
"""Actions between two looks at the user's wishes: a run that is held up and then stopped goes no further than that."""


class VirtualEngine:
    """Runs a world in simulated time."""

    def __init__(self, setup: EngineSetup) -> None:
        """Prepare a run."""
        self.queue: Final = EventQueue()
        self._setup = setup
        self._world = setup.world
        self._rules = CachingRules(setup.world.mechanism, nodes=len(setup.world.nodes))
        self._labels = setup.world.get_labels()
        self._owners = name_owners(setup.world, self._labels) if setup.on_holdings is not None else {}
        self._counts = Counts() if setup.world.scenario.output.records == "essential" else None
        tools: type[VirtualTools[EngineSetup]] = (
            find_part(setup.world.mechanism.name, "virtual_tools") or VirtualTools[EngineSetup]
        )
        self._tools = tools(setup)
        self._journals = Journals(setup.journal_folder, setup.world.mechanism)
        self._ending = Ending(setup.world, self.queue)
        transport = FrameTransport(self.queue, NetworkModel(setup.world), self._rules.hash_frame)
        self._clockwork = Clockwork(self.queue, transport, self._rules)
        self._parties: dict[str, VirtualParty] = {}

    def now(self) -> float:
        """Return the simulated seconds since the genesis."""
        return self.queue.now / NANOSECONDS

    def run(self) -> EngineResult:
        """Run until the job is done, the simulated time is over or the user has had enough.

        Raises:
            PartyError: A party's own code failed.
        """
        desk = self._tools.build_desk(partial(self._record, who=EMPLOYER))
        gc.disable()  # a tenth of a large run: millions of live objects are searched for cycles that are not there
        try:
            with guard_plugins(self._world.scenario.run.time_limit_s, "run.time_limit_s", is_over=self._is_over):
                return self._run(desk)
        except PluginError as error:
            raise PartyError(self._tell_failure(str(error)), self.queue.count) from error
        finally:
            gc.enable()
            self._tools.close()
            self._journals.close()

    def _is_over(self) -> bool:
        return self._setup.interruption.signum is not None

    def _run(self, desk: Desk | None) -> EngineResult:
        self._build_parties(desk)
        self._schedule_start()
        while not self._take_actions():
            self._tick(f"simulated {self.now():.3f} s, {self.queue.count:,} events")
            if self._is_over():
                self._ending.stop("interrupted")
            elif self._setup.is_stuck():
                self._ending.stop("standstill")
        self._tick("at the end")  # a short run has had no look yet
        if self._ending.reason is None:
            raise PartyError("nothing is left to happen, and nobody has ended the run", self.queue.count)
        finals = {label: party.finish() for label, party in self._parties.items()}
        chains = {label: chain for label, chain in finals.items() if self._parties[label].is_up}
        if self._counts is not None:
            self._counts.write(partial(self._record, who="run"))
        if desk is not None:
            desk.save_model(self._parties[EMPLOYER].core, self._setup.model_path)
        self.queue.close()
        return EngineResult(self._ending.reason, chains, events=self.queue.count)

    def _take_actions(self) -> bool:
        """Let some things happen; return whether the run has ended.

        Raises:
            PartyError: A party's own code failed.
        """
        try:
            for _ in range(TICK_ACTIONS // LOOK_ACTIONS):
                if self.queue.run(LOOK_ACTIONS):
                    return True
                if self._is_over():
                    return False
        except OSError as error:
            if blame_plugin(error) is None:
                raise  # a full disk is nobody's code
            raise PartyError(self._explain(error), self.queue.count) from error
        except SystemExit as error:
            if blame_plugin(error) is None:
                raise  # the user's own wish
            raise PartyError(self._explain(error), self.queue.count) from error
        except Exception as error:
            raise PartyError(self._explain(error), self.queue.count) from error
        return False

    def _tick(self, phase: str) -> None:
        self._setup.sample(())
        self._setup.on_tick(phase)

    # ---- setting up ----

    def _build_parties(self, desk: Desk | None) -> None:
        world = self._world
        peers: dict[str, list[str]] = {node.label: [] for node in world.nodes}
        peers[EMPLOYER] = list(world.network.employer_links)
        for first, second in world.network.edges:
            peers[first].append(second)
            peers[second].append(first)
        for node in world.network.employer_links:
            peers[node].append(EMPLOYER)
        places = {label: place for place, label in enumerate(peers)}
        downs = {outage.node for outage in world.scenario.network.outages if outage.down_s == 0}
        specs = {spec.label: spec for spec in world.nodes}
        build_host = partial(self._build_host, desk)
        for label, place in places.items():
            spec = specs.get(label)
            self._parties[label] = VirtualParty(
                self._clockwork,
                label,
                place,
                neighbours={peer: places[peer] for peer in peers[label]},
                spec=spec,
                worker=self._tools.build_worker(spec) if spec is not None else None,
                build_host=build_host,
                sink=partial(self._record, who=label),
                is_up=label not in downs,
            )

    def _build_host(self, desk: Desk | None, party: VirtualParty) -> Host:
        core: Participant
        if party.spec is None:
            core = LightClient(self._rules, CountingKeys(make_keys(self._world.employer_seed)))
            behaviour: Behaviour = Honest()
        else:
            is_relaying = self._world.network.is_relaying
            core, behaviour = build_node(party.spec, self._rules, is_relaying=is_relaying)
        return Host(
            core,
            behaviour,
            party,
            partial(self._record, who=party.label),
            self._build_recorder(party),
            journal=self._journals.open(party.label),
            on_block=partial(self._on_block, party, desk if party.spec is None else None),
        )

    def _build_recorder(self, party: VirtualParty) -> Recorder:
        sink = partial(self._record, who=party.label)
        if self._counts is None:
            return Recorder(sink, self._labels, self._rules)
        role = party.spec.role if party.spec is not None else EMPLOYER
        return CountingRecorder(sink, self._labels, self._rules, self._counts, role)

    def _schedule_start(self) -> None:
        self._record(GenesisMade(short_hash(self._rules.chain_id)), "run")
        for party in self._parties.values():
            if party.is_up:
                self.queue.schedule(0, partial(self._start, party))
            else:
                self._record(WentDown(), party.label)
                self._ending.note_down(party.label)
        outages = Outages(
            self.queue, self._parties, self._ending, self._journals, record=self._record, start=self._start
        )
        for outage in self._world.scenario.network.outages:
            outages.schedule(outage)
        self._schedule_users()
        self._ending.schedule_limit(self._world.scenario.run.time_limit_s)

    def _start(self, party: VirtualParty) -> None:
        if self._counts is None:
            self._record(PartyStarted(None), party.label)
        party.start()

    def _schedule_users(self) -> None:
        transport = self._clockwork.transport
        sender = transport.register(USERS, None)
        links = [self._parties[label].place for label in self._world.network.user_links]

        def broadcast(frame: bytes) -> int:
            transport.send(sender, links, frame)
            return len(links)

        chain_id = self._rules.chain_id
        transfers = draw_transfers(plan_transfers(self._world), chain_id)
        issue_transfers(transfers, chain_id, call_at=self.queue.schedule, broadcast=broadcast, record=self._record)

    # ---- what happens ----

    def _on_block(self, party: VirtualParty, desk: Desk | None, action: BlockAppended | HeadMoved) -> None:
        if desk is not None:
            desk.measure(action)
        head = party.core.tree.head
        self._ending.note_head(party.label, head.height, head.hash)
        if party.spec is None and self._setup.on_holdings is not None:
            self._setup.on_holdings(list_holdings(head.height, head.state, self._owners))

    def _record(self, fact: Fact, who: str) -> None:
        self._setup.sink(Record(self.queue.now / NANOSECONDS, fact.level, who, fact))

    def _explain(self, error: BaseException) -> str:
        return self._tell_failure(blame_plugin(error) or f"{type(error).__name__}: {error}")

    def _tell_failure(self, why: str) -> str:
        return (
            f"{self._clockwork.acting} failed at event {self.queue.count} ({self.queue.now} ns, seed "
            f"{self._world.scenario.seed}): {why}"
        )
