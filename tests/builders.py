"""Small chains in memory for the tests of the core: valid by default, one thing changed at a time."""

import hashlib
import heapq
import itertools
import struct
from collections.abc import Callable, Iterable

import msgspec

from protocol.codec import encode_frame
from protocol.crypto import KeyPair
from protocol.events import (
    BlockAppended,
    Broadcast,
    Command,
    Event,
    Judged,
    MessageReceived,
    Relay,
    Send,
    SetTimer,
    Started,
    StartTraining,
    TimerFired,
    TrainingFinished,
)
from protocol.job import (
    Confidence,
    Genesis,
    GenesisAccount,
    ProtocolParameters,
    RewardShares,
    TrainingJob,
)
from protocol.light_client import LightClient
from protocol.node import PoTNode
from protocol.participant import Participant
from protocol.training import TrainingResult
from protocol.verdicts import Ignore, Reject

SLOT_NS = 1_000_000_000
LINK_NS = 1_000_000
TRAINING_NS = 100_000_000


def keys(index: int) -> KeyPair:
    """Return the key pair of node ``index``."""
    return KeyPair(hashlib.sha256(f"test/{index}".encode()).digest())


def genesis(nodes: int = 4, *, stakes: Iterable[int] | None = None, **changes: object) -> Genesis:
    """Return a genesis with equal stakes; ``changes`` replace fields of the parameters or the job."""
    parameters = ProtocolParameters(
        confidence=Confidence(rule="count", value=2),
        stakeholders=min(3, nodes),
        slot_ns=SLOT_NS,
        declarations_per_slot=nodes * 500_000,
        headers_per_slot=nodes * 250_000,
        max_transactions=100,
        rewards=RewardShares(proposer=400_000, declarers=300_000, stakeholders=300_000),
    )
    job = TrainingJob(
        layers=(128,),
        activation="relu",
        optimizer="adam",
        learning_rate=0.001,
        loss="sparse_categorical_crossentropy",
        dataset="mnist",
        dataset_digest=hashlib.sha256(b"data").digest(),
        weights_seed=1,
        order_seed=2,
        batch_size=32,
        steps_per_stage=3,
        stages=3,
        profile="test",
    )
    for name, value in changes.items():
        target = "job" if name in TrainingJob.__struct_fields__ else "parameters"
        if target == "job":
            job = msgspec.structs.replace(job, **{name: value})
        else:
            parameters = msgspec.structs.replace(parameters, **{name: value})
    bonds = list(stakes) if stakes is not None else [1_000_000] * nodes
    accounts = [
        GenesisAccount(account=keys(index).public, balance=50_000_000, stake=bond) for index, bond in enumerate(bonds)
    ]
    accounts.sort(key=lambda line: line.account)
    return Genesis(parameters=parameters, job=job, accounts=tuple(accounts), seed=7)


def train(stage: int, data: str = "clean") -> TrainingResult:
    """Return a made-up training result: a pure function of the stage and the data, as real training is."""
    losses = b"".join(struct.pack(">f", 1.0 / (1 + stage + step) + (data != "clean")) for step in range(3))
    return TrainingResult(
        stage=stage, weights_digest=hashlib.sha256(f"{data}/{stage}".encode()).digest(), losses=losses
    )


class Cluster:
    """Nodes in virtual time over lossless links; every call of ``handle`` is checked for marks of refusals."""

    def __init__(self, start: Genesis, *, data: dict[int, str] | None = None, employer: bool = False) -> None:
        self.genesis = start
        self.data = data or {}
        count = len(start.accounts)
        self.parties: dict[str, Participant] = {str(i): PoTNode(start, keys(i)) for i in range(count)}
        if employer:
            self.parties["employer"] = LightClient(start, keys(1000))
        self.now = 0
        self.log: list[tuple[int, str, Command]] = []
        self.down: set[str] = set()
        self.filters: list[Callable[[str, str, Command], bool]] = []
        self._queue: list[tuple[int, int, str, Event]] = []
        self._order = itertools.count()
        for name in self.parties:
            self._push(0, name, Started())

    def node(self, index: int) -> PoTNode:
        party = self.parties[str(index)]
        assert isinstance(party, PoTNode)
        return party

    def send(self, target: str, source: str, frame: bytes) -> None:
        self._push(self.now + LINK_NS, target, MessageReceived(source, frame))

    def run(self, until_height: int | None = None, seconds: float = 300) -> None:
        end = self.now + int(seconds * 1e9)
        while self._queue and self._queue[0][0] <= end:
            self.now, _, name, event = heapq.heappop(self._queue)
            if name in self.down:
                continue
            for command in self.handle(name, event):
                self._do(name, command)
            heads = [p.tree.head for n, p in self.parties.items() if n not in self.down and n not in self.data_names()]
            is_high = until_height is not None and all(head.height >= until_height for head in heads)
            if is_high and len({head.hash for head in heads}) == 1:
                return

    def data_names(self) -> set[str]:
        return {str(i) for i in self.data}

    def handle(self, name: str, event: Event) -> list[Command]:
        party = self.parties[name]
        before = party.snapshot() if isinstance(event, MessageReceived) else b""
        commands = party.handle(event, self.now)
        judged = [c.verdict for c in commands if isinstance(c, Judged)]
        if judged and all(isinstance(verdict, Ignore | Reject) for verdict in judged):
            assert party.snapshot() == before, f"{name}: {judged} left a mark"
        return commands

    def _push(self, at: int, name: str, event: Event) -> None:
        heapq.heappush(self._queue, (at, next(self._order), name, event))

    def _do(self, name: str, command: Command) -> None:
        self.log.append((self.now, name, command))
        others = [other for other in self.parties if other != name]
        chain_id = self.parties[name].rules.chain_id
        match command:
            case Broadcast(message):
                for other in others:
                    if all(keep(name, other, command) for keep in self.filters):
                        self.send(other, name, encode_frame(chain_id, message))
            case Send(peer, message):
                if peer in self.parties and all(keep(name, peer, command) for keep in self.filters):
                    self.send(peer, name, encode_frame(chain_id, message))
            case Relay(frame, source):
                for other in others:
                    if other != source:
                        self.send(other, name, frame)
            case SetTimer(timer, at):
                self._push(max(at, self.now), name, TimerFired(timer))
            case StartTraining(stage):
                result = train(stage, self.data.get(int(name), "clean"))
                self._push(self.now + TRAINING_NS, name, TrainingFinished(result))
            case _:
                pass

    def judgements(self, name: str) -> list[Judged]:
        return [command for _, who, command in self.log if who == name and isinstance(command, Judged)]

    def appended(self, name: str) -> list[BlockAppended]:
        return [command for _, who, command in self.log if who == name and isinstance(command, BlockAppended)]
