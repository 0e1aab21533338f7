"""One live validator, and signed words of all the others for it: say one thing at a time and see what it does."""

from collections.abc import Iterable
from typing import TypeVar

from protocol.codec import encode_frame
from protocol.crypto import compute_signed_hash
from protocol.events import (
    BlockAppended,
    Broadcast,
    ChainRecord,
    Command,
    Judged,
    MessageReceived,
    Noted,
    SetTimer,
    Started,
    Timer,
    TimerFired,
)
from protocol.mechanisms.stake_bft import StakeBft
from protocol.mechanisms.stake_bft.messages import (
    NIL,
    NO_ROUND,
    Certificate,
    CertifiedBlock,
    Precommit,
    Prevote,
    Proposal,
    Vote,
    VoteSignature,
)
from protocol.messages import Message, Transaction
from protocol.node import Node
from protocol.rules import Rules
from protocol.types import Hash32
from protocol.verdicts import Ignore, Reject, Verdict, Wait
from tests.protocol.mechanisms.stake_bft.chains import make_bft
from tests.support.core import SLOT_NS, STRANGER, keys

M = TypeVar("M", bound=Message)


class Scene:
    """The node is owner 0; the others speak when the test says so."""

    def __init__(self, mechanism: StakeBft, *, is_relaying: bool = False) -> None:
        self.mechanism = mechanism
        self.rules = Rules(mechanism)
        self.node = Node(self.rules, keys(0), is_relaying=is_relaying)
        self.count = len(mechanism.genesis.accounts)
        self.pairs = {keys(index).public: keys(index) for index in (*range(self.count), STRANGER)}
        self.now = 0
        self.timers: list[tuple[int, Timer]] = []
        self.commands: list[Command] = []
        self._take(self.node.handle(Started(), 0))

    @property
    def head(self) -> ChainRecord:
        return self.node.tree.head

    def _take(self, commands: list[Command]) -> list[Command]:
        self.commands += commands
        self.timers += [(item.at, item.timer) for item in commands if isinstance(item, SetTimer)]
        return commands

    def wait(self, slots: int) -> list[Command]:
        """Let time pass; timers ring in their order."""
        until, done = self.now + slots * SLOT_NS, list[Command]()
        while due := sorted((item for item in self.timers if item[0] <= until), key=lambda item: item[0])[:1]:
            self.timers.remove(due[0])
            self.now = max(self.now, due[0][0])
            done += self._take(self.node.handle(TimerFired(due[0][1]), self.now))
        self.now = until
        return done

    def hear(self, message: Message | bytes, peer: str = "peer") -> list[Command]:
        frame = message if isinstance(message, bytes) else encode_frame(self.rules.chain_id, message)
        return self._take(self.node.handle(MessageReceived(peer, frame), self.now))

    def judge(self, message: Message) -> Verdict:
        """Return what the node thinks of a message; whatever is not accepted must leave no mark."""
        before = self.node.snapshot()
        (judged,) = [item for item in self.hear(message) if isinstance(item, Judged)]
        if isinstance(judged.verdict, Ignore | Reject | Wait):
            assert self.node.snapshot() == before, f"{judged} left a mark"
        return judged.verdict

    # ---- what the node has done ----

    def list_said(self, kind: type[M]) -> list[M]:
        """Return what the node has said of a kind."""
        said = [item.message for item in self.commands if isinstance(item, Broadcast)]
        return [message for message in said if isinstance(message, kind)]

    def list_votes(self, kind: type[Vote]) -> list[tuple[int, Hash32]]:
        """Return round and block of the node's votes."""
        return [(vote.round, vote.block) for vote in self.list_said(kind)]

    def list_noted(self, kind: type) -> list[object]:
        return [item.fact for item in self.commands if isinstance(item, Noted) and isinstance(item.fact, kind)]

    def list_appended(self) -> list[BlockAppended]:
        return [item for item in self.commands if isinstance(item, BlockAppended)]

    # ---- words of others ----

    def sign(self, message: M) -> M:
        return self.pairs[message.author].sign(self.rules.chain_id, message)

    def find_proposer(self, round_: int = 0) -> int:
        """Return the index of who may propose above the head."""
        account = self.mechanism.find_proposer(self.rules.chain_id, self.head, round_)
        return next(index for index in range(self.count) if keys(index).public == account)

    def block(
        self, round_: int = 0, *, slot: int | None = None, transactions: tuple[Transaction, ...] = ()
    ) -> CertifiedBlock:
        """Return a block of a round's proposer, signed."""
        author = keys(self.find_proposer(round_)).public
        first = self.head.slot + self.mechanism.genesis.pace.pause
        built = self.mechanism.build_block(
            self.head, author, slot=first if slot is None else slot, round_=round_, transactions=transactions
        )
        return self.sign(built)

    def proposal(self, block: CertifiedBlock, round_: int | None = None, *, valid_round: int = NO_ROUND) -> Proposal:
        """Return a block as a round's proposal; with a valid round, with the pre-votes of all others then."""
        number = block.round if round_ is None else round_
        prevotes = () if valid_round == NO_ROUND else self.certify(block, valid_round, kind=Prevote).signatures
        author = keys(self.find_proposer(number)).public
        return self.sign(Proposal(round=number, valid_round=valid_round, prevotes=prevotes, block=block, author=author))

    def vote(self, kind: type[Vote], author: int, block: CertifiedBlock | None, round_: int = 0) -> Vote:
        name = self.rules.hash_message(block) if block is not None else NIL
        height, parent = self.head.height + 1, self.head.hash
        return self.sign(kind(height=height, parent=parent, round=round_, block=name, author=keys(author).public))

    def poll(self, kind: type[Vote], block: CertifiedBlock | None, authors: Iterable[int], round_: int = 0) -> None:
        """Let some vote."""
        for author in authors:
            self.hear(self.vote(kind, author, block, round_))

    def certify(
        self,
        block: CertifiedBlock,
        round_: int = 0,
        authors: Iterable[int] | None = None,
        *,
        kind: type[Vote] = Precommit,
    ) -> Certificate:
        """Return votes of some for a block, those of all others by default."""
        chosen = range(1, self.count) if authors is None else authors
        name = self.rules.hash_message(block)
        found = []
        for author in sorted(chosen, key=lambda index: keys(index).public):
            account = keys(author).public
            vote = kind(height=block.height, parent=block.parent, round=round_, block=name, author=account)
            signature = self.pairs[account].sign_hash(compute_signed_hash(self.rules.chain_id, vote))
            found.append(VoteSignature(author=account, signature=signature))
        return Certificate(round=round_, signatures=tuple(found))


def find_scene(*, proposers: dict[int, int | range], is_relaying: bool = False, **changes: int) -> Scene:
    """Return a scene of 4 owners in whose first rounds certain ones propose."""
    for seed in range(1_000):
        scene = Scene(make_bft(4, seed=seed, **changes), is_relaying=is_relaying)
        allowed = {round_: (who,) if isinstance(who, int) else who for round_, who in proposers.items()}
        if all(scene.find_proposer(round_) in owners for round_, owners in allowed.items()):
            return scene
    raise LookupError("no such seed")
