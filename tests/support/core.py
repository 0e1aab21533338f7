"""Small chains in memory for the tests of the core: valid by default, one thing changed at a time."""

import hashlib
import heapq
import itertools
import struct
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from protocol.codec import Codec, encode_frame
from protocol.crypto import KeyPair
from protocol.events import (
    BlockAppended,
    Broadcast,
    ChainRecord,
    Command,
    Event,
    Judged,
    MessageReceived,
    Relay,
    Send,
    SetTimer,
    Started,
    StartWork,
    TimerFired,
    WorkFinished,
)
from protocol.genesis import GenesisAccount
from protocol.light_client import LightClient
from protocol.mechanism import Mechanism
from protocol.mechanisms.proof_of_training.body import compute_body_digest
from protocol.mechanisms.proof_of_training.building import build_block, build_header, build_signature
from protocol.mechanisms.proof_of_training.job import (
    Confidence,
    ProtocolParameters,
    RewardShares,
    TrainingGenesis,
    TrainingJob,
)
from protocol.mechanisms.proof_of_training.judging import OwnTraining
from protocol.mechanisms.proof_of_training.mechanism import ProofOfTraining
from protocol.mechanisms.proof_of_training.messages import (
    MESSAGES,
    BlockHeader,
    StakeholderSignature,
    TrainedHeader,
    TrainingDeclaration,
    WrappedBlock,
)
from protocol.mechanisms.proof_of_training.proposer import TrainingProposer
from protocol.mechanisms.proof_of_training.reasons import Right
from protocol.mechanisms.proof_of_training.secret import commit, compute_training_secret
from protocol.mechanisms.proof_of_training.work import INCOMPARABLE, CompareWeights, TrainingResult, TrainStage
from protocol.mechanisms.proof_of_work.mechanism import get_work_genesis
from protocol.mechanisms.proof_of_work.work import Searched, SearchNonce, compute_stand_in, search
from protocol.messages import Message, Transaction
from protocol.node import Node
from protocol.participant import Participant
from protocol.rules import Rules
from protocol.types import AccountId, Hash32
from protocol.verdicts import Ignore, Reject, Verdict, Wait

SLOT_NS = 1_000_000_000
LINK_NS = 1_000_000
TRAINING_NS = 100_000_000
SLICE_NS, TRIES = 100_000_000, 8
"""How long a node looks for a nonce before it is asked again, and how many it tries in that time."""
STRANGER = 99
"""Index of a key that owns nothing on any test chain."""

M = TypeVar("M", bound=Message)


def keys(index: int) -> KeyPair:
    """Return the key pair of node ``index``."""
    return KeyPair(hashlib.sha256(f"test/{index}".encode()).digest())


def genesis(nodes: int = 4, *, stakes: Iterable[int] | None = None, **changes: object) -> TrainingGenesis:
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
    tolerance, repairs = changes.pop("tolerance", 0), changes.pop("repairs", ())
    assert isinstance(tolerance, int)
    assert isinstance(repairs, tuple)
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
    return TrainingGenesis(
        parameters=parameters, job=job, accounts=tuple(accounts), seed=7, tolerance=tolerance, repairs=repairs
    )


def train(stage: int, data: str = "clean", base: bytes = b"") -> TrainingResult:
    """Return a made-up training result: a pure function of the stage, the data and the base, as real training is."""
    losses = b"".join(struct.pack(">f", 1.0 / (1 + stage + step) + (data != "clean")) for step in range(3))
    digest = hashlib.sha256(f"{data}/{stage}".encode() + base).digest()
    return TrainingResult(stage=stage, weights_digest=digest, losses=losses)


def make_rules(start: TrainingGenesis) -> Rules:
    """Return the rules of a chain."""
    return Rules(ProofOfTraining(start))


def decode_frame(chain_id: Hash32, frame: bytes) -> Message:
    """Return the message in a frame of a chain that is agreed on by training."""
    return Codec(chain_id, MESSAGES).decode_frame(frame)


class Cluster:
    """Nodes in virtual time over lossless links; every call of ``handle`` is checked for marks of refusals."""

    def __init__(
        self, start: TrainingGenesis | Mechanism, *, data: dict[int, str] | None = None, employer: bool = False
    ) -> None:
        """Take a chain: a training genesis, or any mechanism that starts no work but training and hashing."""
        self.mechanism = start if isinstance(start, Mechanism) else ProofOfTraining(start)
        self.data = data or {}
        self.trained: dict[Hash32, tuple[str, int, bytes]] = {}
        """Data, stage and base of each result; those of "clean" and "near" data lie one part in a billion apart."""
        count = len(self.mechanism.genesis.accounts)
        rules = Rules(self.mechanism)
        self.parties: dict[str, Participant] = {str(i): Node(rules, keys(i)) for i in range(count)}
        if employer:
            self.parties["employer"] = LightClient(rules, keys(1000))
        self.now = 0
        self.log: list[tuple[int, str, Command]] = []
        self.down: set[str] = set()
        self.filters: list[Callable[[str, str, Command], bool]] = []
        self.journals: dict[str, list[tuple[int, Event, list[Command]]]] = {name: [] for name in self.parties}
        self._queue: list[tuple[int, int, str, Event]] = []
        self._order = itertools.count()
        for name in self.parties:
            self._push(0, name, Started())

    @property
    def genesis(self) -> TrainingGenesis:
        assert isinstance(self.mechanism, ProofOfTraining)
        return self.mechanism.genesis

    def node(self, index: int) -> Node:
        party = self.parties[str(index)]
        assert isinstance(party, Node)
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

    def wake(self, index: int) -> None:
        """Start a node that was down from the beginning."""
        self.down.discard(str(index))
        self._push(self.now, str(index), Started())

    def data_names(self) -> set[str]:
        return {str(i) for i in self.data}

    def handle(self, name: str, event: Event) -> list[Command]:
        party = self.parties[name]
        before = party.snapshot() if isinstance(event, MessageReceived | WorkFinished) else b""
        commands = party.handle(event, self.now)
        self.journals[name].append((self.now, event, commands))
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
            case StartWork(task):
                self._work(name, task)
            case _:
                pass

    def _work(self, name: str, task: object) -> None:
        match task:
            case TrainStage(stage, base):
                data = self.data.get(int(name), "clean")
                result = train(stage, data, base)
                self.trained[result.weights_digest] = (data, stage, base)
                self._push(self.now + TRAINING_NS, name, WorkFinished(task, result))
            case CompareWeights(own, other):
                self._push(self.now, name, WorkFinished(task, self.find_distance(own, other)))
            case SearchNonce():
                self._push(self.now + SLICE_NS, name, WorkFinished(task, self.search(task)))

    def search(self, task: SearchNonce) -> Searched:
        genesis = get_work_genesis(self.mechanism)
        found = search(genesis.hash_name, task, TRIES)
        is_shown = genesis.proof == "hashes" or found.nonce is None
        return found if is_shown else Searched(compute_stand_in(task.digest), found.tried)

    def find_distance(self, own: Hash32, other: Hash32) -> int | None:
        (mine, *my_task), (theirs, *their_task) = self.trained[own], self.trained.get(other, ("", -1, b""))
        if other not in self.trained:
            return None
        return 1 if my_task == their_task and {mine, theirs} <= {"clean", "near"} else INCOMPARABLE

    def judgements(self, name: str) -> list[Judged]:
        return [command for _, who, command in self.log if who == name and isinstance(command, Judged)]

    def appended(self, name: str) -> list[BlockAppended]:
        return [command for _, who, command in self.log if who == name and isinstance(command, BlockAppended)]


class Scene:
    """One live node (index 0), and valid messages of all the others for it: change one thing and see what it says."""

    def __init__(
        self, start: TrainingGenesis | None = None, *, party: type[Participant] = Node, is_relaying: bool = False
    ) -> None:
        self.genesis = start or genesis(5)
        self.pot = ProofOfTraining(self.genesis)
        self.node = party(Rules(self.pot), keys(0), is_relaying=is_relaying)
        self.chain_id = self.node.rules.chain_id
        self.keys = {keys(index).public: keys(index) for index in (*range(len(self.genesis.accounts)), STRANGER)}
        self.now = 400 * SLOT_NS
        self.handle(Started())
        self.finish(0)

    # ---- the node ----

    @property
    def head(self) -> ChainRecord:
        return self.node.tree.head

    def handle(self, event: Event) -> list[Command]:
        return self.node.handle(event, self.now)

    def finish(self, stage: int, data: str = "clean", *, base: bytes = b"") -> list[Command]:
        return self.handle(WorkFinished(TrainStage(stage, base), train(stage, data)))

    def send(self, message: Message | bytes, peer: str = "peer") -> list[Command]:
        frame = message if isinstance(message, bytes) else encode_frame(self.chain_id, message)
        return self.handle(MessageReceived(peer, frame))

    def deliver(self, message: Message | bytes, peer: str = "peer") -> list[Judged]:
        """Hand a message over and return what was judged; whatever is not accepted must leave no mark."""
        before = self.node.snapshot()
        judged = [command for command in self.send(message, peer) if isinstance(command, Judged)]
        if all(isinstance(item.verdict, Ignore | Reject | Wait) for item in judged):
            assert self.node.snapshot() == before, f"{judged} left a mark"
        return judged

    def judge(self, message: Message | bytes, peer: str = "peer") -> Verdict:
        return self.deliver(message, peer)[0].verdict

    # ---- valid messages ----

    def sign(self, message: M) -> M:
        return self.keys[message.author].sign(self.chain_id, message)

    def find_slot(self, right: Right, author: int, parent: ChainRecord, first: int, *, wins: bool = True) -> int:
        """Return the first slot from ``first`` on that the author wins, or loses."""
        owner = keys(author).public
        return next(slot for slot in itertools.count(first) if wins == self.pot.has_won(right, parent, slot, owner))

    def secret(self, parent: ChainRecord, data: str = "clean") -> Hash32:
        return compute_training_secret(self.chain_id, parent.height + 1, parent.hash, train(parent.height, data).losses)

    def secret_of(self, parent: ChainRecord, author: AccountId, data: str = "clean") -> Hash32:
        """Return what an author that has trained on some data knows."""
        own = OwnTraining(weights_digest=train(parent.height, data).weights_digest, secret=self.secret(parent, data))
        return self.pot.find_secret(own, author)

    def declaration(
        self, author: int = 1, *, parent: ChainRecord | None = None, slot: int | None = None, data: str = "clean"
    ) -> TrainingDeclaration:
        on = parent or self.head
        first = on.slot + 10 if slot is None else slot
        return self.sign(
            TrainingDeclaration(
                height=on.height + 1,
                parent=on.hash,
                slot=self.find_slot(Right.DECLARE, author, on, first),
                author=keys(author).public,
                weights_digest=train(on.height, data).weights_digest,
                profile=self.genesis.job.profile,
                commitment=commit(
                    keys(author), self.chain_id, on.height + 1, on.hash, self.secret_of(on, keys(author).public, data)
                ),
            )
        )

    def header(
        self,
        author: int = 1,
        declarers: Iterable[int] = (1, 2, 3),
        *,
        parent: ChainRecord | None = None,
        slot: int | None = None,
        data: str = "clean",
    ) -> BlockHeader:
        on = parent or self.head
        declarations = [self.declaration(index, parent=on, data=data) for index in declarers]
        first = on.slot + 40 if slot is None else slot
        return self.sign(
            build_header(
                self.pot,
                on,
                OwnTraining(weights_digest=train(on.height, data).weights_digest, secret=self.secret(on, data)),
                tuple(sorted(declarations, key=lambda item: item.author)),
                author=keys(author).public,
                slot=self.find_slot(Right.PROPOSE, author, on, first),
            )
        )

    def carry(self, header: BlockHeader, transactions: tuple[Transaction, ...]) -> BlockHeader:
        """Return a header of the same right with other transfers; under version 1 headers have none."""
        if not isinstance(header, TrainedHeader):
            return header
        body = compute_body_digest(transactions)
        return self.sign(msgspec.structs.replace(header, transactions=transactions, body=body))

    def stakeholders(self, header: BlockHeader) -> tuple[AccountId, ...]:
        on = self.node.tree.get(header.parent) or self.head
        return self.pot.draw_stakeholders(self.node.rules, on, header)

    def signature(self, header: BlockHeader, author: AccountId) -> StakeholderSignature:
        secret = self.secret_of(self.node.tree.get(header.parent) or self.head, author)
        return self.sign(build_signature(self.pot, self.node.rules, header, author, secret))

    def block(self, header: BlockHeader | None = None, transactions: tuple[Transaction, ...] = ()) -> WrappedBlock:
        header = header or self.header()
        if transactions:
            header = self.carry(header, transactions)
        chosen = self.stakeholders(header)
        signatures = [self.signature(header, signer) for signer in chosen[:-1]]
        parent = self.node.tree.get(header.parent) or self.head
        stakes, secret = parent.state.stakes, self.secret_of(parent, chosen[-1])
        return self.sign(build_block(self.pot, header, chosen, signatures, transactions, stakes=stakes, secret=secret))

    def transfer(
        self, author: int = 1, recipient: int = 2, *, nonce: int = 0, amount: int = 5_000, fee: int = 7
    ) -> Transaction:
        payer, payee = keys(author).public, keys(recipient).public
        return self.sign(Transaction(author=payer, nonce=nonce, recipient=payee, amount=amount, fee=fee))

    def grow(self, transactions: tuple[Transaction, ...] = (), author: int = 1) -> ChainRecord:
        """Append one honest block and train on it."""
        self.deliver(self.block(self.header(author), transactions))
        self.finish(self.head.height)
        return self.head


def get_node(scene: Scene) -> Node:
    """Return the party of a scene that is about a node."""
    assert isinstance(scene.node, Node)
    return scene.node


def get_proposer(node: Participant) -> TrainingProposer:
    """Return the training half of a node."""
    assert isinstance(node.proposer, TrainingProposer)
    return node.proposer


def get_header(record: ChainRecord) -> BlockHeader:
    """Return the header of a block that is not the genesis."""
    assert isinstance(record.block, WrappedBlock)
    return record.block.header
