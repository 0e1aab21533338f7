"""What a consensus mechanism is to the core: how it judges blocks, and its half of a node.

A `Mechanism` never changes and is pure: it belongs to one genesis, reads, and returns. A `Proposer` is what one node
does to earn blocks. Both see the chain through the two views here, and nothing else of the core needs to know them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import msgspec

from protocol.bonding import BondRules
from protocol.chain import BlockTree
from protocol.codec import encode
from protocol.crypto import KeyPair
from protocol.events import ChainRecord, Timer, TimerKind
from protocol.genesis import ChainRules, Genesis, compute_chain_id
from protocol.ledger import LedgerState
from protocol.messages import AnyBlock, Message, Payout, Transaction
from protocol.slots import compute_slot
from protocol.turn import Turn
from protocol.types import AccountId, Hash32, Nanoseconds, PeerId, Signature
from protocol.verdicts import ACCEPT, ChainMissing, ChainReason, Ignore, Missing, Reason, Reject, Verdict, Wait

OwnT = TypeVar("OwnT")
ResultT = TypeVar("ResultT")
MessageT = TypeVar("MessageT", bound=Message)


class RulesView(Protocol):
    """What a mechanism may ask of its chain's rules: pure functions of their arguments and the genesis."""

    @property
    def chain_id(self) -> Hash32:
        """Hash of the genesis."""

    @property
    def chain(self) -> ChainRules:
        """The rules that every chain has."""

    @property
    def mechanism(self) -> "Mechanism":
        """How its blocks are agreed on."""

    def hash_message(self, message: Message) -> Hash32:
        """Return a message's content hash."""

    def verify(self, public_key: AccountId, digest: Hash32, signature: Signature) -> bool:
        """Return whether a signature is right."""

    def is_signed(self, message: Message) -> bool:
        """Return whether a message carries its author's own signature."""

    def sign(self, keys: KeyPair, message: MessageT) -> MessageT:
        """Return a message as its author sends it: signed, and a transfer stamped where the chain asks for that."""

    def judge_author(self, ledger: LedgerState, message: Message) -> Verdict:
        """Judge whether a message is its author's own, and whether its author may speak at all."""

    def judge_position(self, context: "Context[Any]", height: int, slot: int) -> Verdict:
        """Judge whether a height and slot can follow the parent."""

    def judge_transfers(self, parent: ChainRecord, transactions: tuple[Transaction, ...]) -> Verdict:
        """Judge whether a block on a parent may carry these transfers, in this order."""

    def judge_once(
        self, judge: "Callable[[Context[Any], MessageT], Verdict]", context: "Context[Any]", message: MessageT
    ) -> Verdict:
        """Return what a judge says of a message; where answers are remembered, it is asked once in equal contexts."""

    def recall(self, key: Hashable, compute: Callable[..., ResultT], *arguments: Any) -> ResultT:
        """Return ``compute(*arguments)``; where answers are remembered, it is computed once for a key."""


class Context(msgspec.Struct, Generic[OwnT], frozen=True, kw_only=True):
    """Where a message claims to belong, and what its judge knows."""

    rules: RulesView
    parent: ChainRecord
    """Block that the message builds on."""
    now: Nanoseconds
    own: OwnT | None
    """What the judge knows by its own work; None for a light client, which has done none."""

    @property
    def slot(self) -> int:
        """The slot it is now."""
        return compute_slot(self.now, self.rules.chain.slot_ns)


class Mechanism(ABC):
    """How blocks are agreed on. A function that takes a block may count on its being of the mechanism's own type."""

    name: ClassVar[str]
    """What scenarios and logs call it."""
    summary: ClassVar[str]
    """What is proved, in one line."""
    messages: tuple[Any, ...]
    """Types of all messages of its chains, those of the core among them."""
    block: type[AnyBlock]
    """Type of its block."""
    reasons: ClassVar[type[Reason]] = ChainReason
    """Its own reasons for refusal, if it has any."""
    waits: ClassVar[type[Missing]] = ChainMissing
    """What its messages may wait for besides blocks, if they do."""
    timers: ClassVar[type[TimerKind]]
    """Its own kinds of timers."""
    detached_reasons: frozenset[Reason] = frozenset()
    """Refusals of a block for what its hash leaves out: another block with that hash may be right."""
    final_depth: int | None = None
    """Blocks under so many others are final, and a party never leaves them: 0: at once; None: never by decree."""

    genesis_type: ClassVar[type[Any]]
    """Type of what all parties of a chain agree on."""
    genesis: Genesis
    """What they agreed on, of that type."""

    def __init__(self, genesis: Any) -> None:
        """Take what all parties agreed on."""
        self.genesis = genesis

    bonding: BondRules | None = None
    """How the chain takes deposits; None where the bonds of the genesis stay as they are."""
    stamp_bits: int = 0
    """What they agreed on besides, whatever the mechanism: zero bits that the stamp of each transfer must show."""

    def encode_genesis(self) -> bytes:
        """Return the canonical bytes of the genesis behind the mechanism's name; no two mechanisms give the same."""
        return encode((self.name, self.genesis))

    @classmethod
    def decode_genesis(cls, agreed: bytes) -> Self:
        """Return the mechanism of the chain whose genesis has these canonical bytes.

        Raises:
            msgspec.MsgspecError: They are not those of a genesis of this mechanism.
        """
        name, genesis = msgspec.msgpack.decode(agreed, type=tuple[str, cls.genesis_type])  # type: ignore[name-defined]
        if name != cls.name:
            raise msgspec.ValidationError(f"the genesis is one of {name!r}, not of {cls.name!r}")
        return cls(genesis)

    def ask_stamps(self, bits: int) -> "Mechanism":
        """Return the mechanism of the chain that differs in this alone: it asks for stamps of so many bits."""
        asking = self.decode_genesis(self.encode_genesis())
        asking.stamp_bits = bits
        return asking

    def compute_chain_id(self) -> Hash32:
        """Return the name of the chain."""
        return compute_chain_id(self.encode_genesis(), self.stamp_bits)

    # ---- judging: reads only ----

    def may_speak(self, ledger: LedgerState, account: AccountId) -> bool:
        """Return whether an account may send messages of consensus at all: whether it has a bond."""
        return ledger.stakes.get_stake(account) > 0

    @abstractmethod
    def judge_proof(self, context: Context[Any], block: Any) -> Verdict:
        """Judge what makes a block valid besides its author, its position and its money."""

    @abstractmethod
    def compute_coinbase(self, rules: RulesView, parent: ChainRecord, block: Any) -> tuple[Payout, ...]:
        """Return the only coinbase that is right for a block whose proof is."""

    def conclude(self, rules: RulesView, parent: ChainRecord, block: Any, state: LedgerState) -> LedgerState:
        """Return the ledger after a judged block, from that after its transfers and payouts.

        Here a mechanism takes coins that are at stake, and keeps what it needs from block to block.
        """
        return state

    def weigh(self, parent: ChainRecord, block: Any) -> int:
        """Return what a block adds to the weight of its branch: 1, so that most blocks win."""
        return 1

    def may_outweigh(self, height: int, head: ChainRecord) -> bool:
        """Return whether an unknown branch of fewer blocks than a head's may weigh more; where most blocks win, no."""
        return False

    @property
    def keeps_first(self) -> bool:
        """Whether of two branches of one weight a node keeps the one it had first, while either may be built on."""
        return False

    def is_whole(self, block: Any) -> bool:
        """Return whether what a block's hash leaves out is what the block commits to."""
        return True

    def rank(self, rules: RulesView, block: Any) -> bytes:
        """Return what decides between branches of one weight by their last blocks: the lower one wins."""
        return rules.hash_message(block)

    def find_right(self, block: Any) -> Hashable:
        """Return the right a block was made with, if a right is good for one block; None if for any number."""
        return None

    def find_double_user(self, first: Any, second: Any) -> AccountId:
        """Return who has signed two different blocks of one right."""
        author: AccountId = second.author
        return author

    def find_proposal(self, rules: RulesView, message: Message) -> Hash32 | None:
        """Return the hash of the proposal that a message is about; None where there is no such thing."""
        return None

    def shows_majority(self, rules: RulesView, block: Any) -> bool:
        """Return whether a block that need not be valid proves that most stake works on its parent."""
        return False

    def judge_after_last(self, last: AnyBlock, block: Any) -> Verdict:
        """Judge for a light client whose chain is complete whether a block may still be followed."""
        return ACCEPT

    # ---- acting ----

    @abstractmethod
    def make_proposer(self, node: "NodeView") -> "Proposer":
        """Return the mechanism's half of a node."""


class NodeView(Protocol):
    """What a proposer may ask of its node."""

    @property
    def keys(self) -> KeyPair:
        """The node's own keys."""

    @property
    def rules(self) -> RulesView:
        """The chain's rules."""

    @property
    def is_relaying(self) -> bool:
        """Whether it passes on what it accepts."""

    @property
    def tree(self) -> BlockTree[AnyBlock, LedgerState]:
        """The blocks it knows."""

    def find_context(self, turn: Turn, message: Message, height: int, parent: Hash32) -> Context[Any] | Verdict:
        """Return what a message on a parent is judged against, or why it cannot be judged."""

    def is_refused(self, block: Hash32) -> bool:
        """Return whether a block was refused."""

    def back(self, turn: Turn, block: Hash32) -> None:
        """Take a block for one that owners of more than half of all stake work on."""

    def publish(self, turn: Turn, message: MessageT) -> MessageT:
        """Sign a message, send it to everyone and judge it like anyone else's."""

    def deliver(self, turn: Turn, message: Message) -> None:
        """Judge a signed message, this node's or others', like one that came in; tell nobody of it."""

    def set_timer(self, turn: Turn, kind: TimerKind, slot: int, parent: Hash32 = b"") -> None:
        """Ring at the start of a slot."""

    def judge_again(self, turn: Turn, wait: Wait) -> None:
        """Judge in this turn what has waited for something."""

    def select_transactions(self) -> tuple[Transaction, ...]:
        """Return the transfers that a block on the head may carry."""


def find_open_parent(node: NodeView, parent: Hash32) -> ChainRecord | Verdict:
    """Return the parent that a signature of a proposal is about, or why it is not to be looked at (now).

    Args:
        node: Who judges.
        parent: What the proposal builds on, as the signature has it.
    """
    if node.is_refused(parent):
        return Reject(ChainReason.REFUSED_PARENT)
    record = node.tree.get(parent)
    if record is None:
        return Wait(ChainMissing.BLOCK, parent)
    return Ignore(ChainReason.STALE) if record.height < node.tree.head.height else record


class Proposer(ABC):
    """The mechanism's half of one node. It adds commands to the turn, and writes only what has been judged."""

    # ---- acting ----

    @abstractmethod
    def begin(self, turn: Turn) -> None:
        """Start on the head: the clock runs, or the head has moved."""

    @abstractmethod
    def ring(self, turn: Turn, timer: Timer) -> None:
        """Act on one of the mechanism's timers."""

    def finish(self, turn: Turn, task: Hashable, result: object) -> None:
        """Take the result of slow work, if it asks for any."""
        raise TypeError(f"nobody asked for {task!r}")

    def remind(self, turn: Turn) -> None:
        """Say once more what may have been lost: the head has stood still for a while."""

    def argue(self, turn: Turn, peer: PeerId) -> None:
        """Show a neighbour that has another head of the same height who works on this one."""

    # ---- judging: reads only ----

    def find_own(self, parent: ChainRecord, message: Message) -> object | Wait | None:
        """Return what this node knows by its own work about a message on a parent, or what it has to wait for."""
        return None

    def judge(self, turn: Turn, message: Message) -> Verdict:
        """Judge one of the mechanism's messages, whose author has been judged: its place, its rights, duplicates."""
        raise TypeError(f"there is no message but blocks: {message!r}")

    # ---- writing: only after the verdict ----

    def apply(self, turn: Turn, message: Message) -> None:
        """Store an accepted message of the mechanism, and act on it."""

    def remember_refusal(self, turn: Turn, message: Message, reason: Reason) -> None:
        """Keep in mind what can never become valid."""

    def fetch(self, turn: Turn, wait: Wait, message: Message) -> None:
        """Start what a message that was put aside waits for; called again now and then while it waits."""

    def end(self, turn: Turn) -> None:
        """Act when all messages of a turn are judged."""

    # ---- its state ----

    def snapshot(self) -> tuple[object, ...]:
        """Return everything a refused message must leave unchanged, as plain values."""
        return ()

    def restore(self, before: Any) -> None:
        """Take over what a node that was down had on its disk; ``before`` is its proposer of then."""
