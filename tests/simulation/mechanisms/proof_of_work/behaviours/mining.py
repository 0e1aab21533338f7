"""A miner that misbehaves, driven by hand: it finds blocks when it is told to, and hears those of others."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
import numpy as np

from protocol.codec import encode_frame
from protocol.events import (
    Broadcast,
    ChainRecord,
    Event,
    MessageReceived,
    Relay,
    Send,
    Started,
    StartWork,
    WorkFinished,
)
from protocol.mechanisms.proof_of_work import ProofOfWork
from protocol.mechanisms.proof_of_work.messages import WorkedBlock
from protocol.mechanisms.proof_of_work.work import Searched, SearchNonce, compute_header_digest, compute_stand_in
from protocol.messages import Message, Transaction
from protocol.node import Node
from protocol.rules import Rules
from simulation.attacks.behaviour import Action
from simulation.attacks.coalition import Coalition
from simulation.attacks.layers import Adversary, build_proposer_type
from simulation.attacks.traits import Parameters
from tests.protocol.mechanisms.proof_of_work.chains import make_work
from tests.support.core import SLOT_NS, keys

OWN, MEMBER, OTHER = 0, 1, 2
"""Whose keys are whose."""
COALITION = Coalition("pool", (("own", keys(OWN).public), ("member", keys(MEMBER).public)))


class Scene:
    """One miner, its behaviour, and what it has said to whom."""

    def __init__(
        self, behaviour: type[Adversary], parameters: Parameters, *, length: int = 30, bits: int = 0, **changes: Any
    ) -> None:
        """Let a miner begin on a chain of stand-ins; changes are those of its genesis, bits those of its stamps."""
        self.rules = Rules(make_work(length=length, window=0, proof="stand_in", **changes).ask_stamps(bits))
        self.behaviour = behaviour.build(np.random.default_rng(1), COALITION, parameters)
        proposer: Any = build_proposer_type([self.behaviour])
        self.node = Node(self.rules, keys(OWN), make_proposer=partial(proposer, self.rules.mechanism))
        self.actions: list[Action] = []
        """What it did about the last event."""
        self._now = SLOT_NS
        self._task: SearchNonce | None = None
        self.feed(Started())

    def feed(self, event: Event) -> None:
        self._now += SLOT_NS
        self.actions = list(self.behaviour.react(self.node, event, self._now))
        for action in self.actions:
            if isinstance(action, StartWork):
                assert isinstance(action.task, SearchNonce)
                self._task = action.task

    def find(self) -> ChainRecord:
        """Let it find the block that it looks for; return that."""
        known = {record.hash for record in self.node.tree.get_records()}
        assert self._task is not None
        self.feed(WorkFinished(self._task, Searched(compute_stand_in(self._task.digest), 1)))
        (found,) = [record for record in self.node.tree.get_records() if record.hash not in known]
        return found

    def hear(self, parent: ChainRecord, *transactions: Transaction, by: int = OTHER) -> ChainRecord:
        """Let it hear a block of somebody else; return that."""
        mechanism, pair = self.rules.mechanism, keys(by)
        assert isinstance(mechanism, ProofOfWork)
        template = mechanism.build_template(parent, pair.public, parent.slot, transactions)
        nonce = compute_stand_in(compute_header_digest(self.rules.chain_id, template))
        block = pair.sign(self.rules.chain_id, msgspec.structs.replace(template, nonce=nonce))
        self.tell(block, "member" if by == MEMBER else "peer")
        return self.node.tree.require(self.rules.hash_message(block))

    def tell(self, message: Message, peer: str = "peer") -> None:
        self.feed(MessageReceived(peer, encode_frame(self.rules.chain_id, message)))

    @property
    def mined_on(self) -> int:
        """Height of the block that it looks for."""
        block: WorkedBlock | None = self.node.proposer._template  # type: ignore[attr-defined]
        assert block is not None
        return block.height

    def list_shown(self) -> list[int]:
        """Return the heights of the blocks that it has just shown to everybody."""
        return [block.height for block in self._list_sent() if isinstance(block, WorkedBlock)]

    def list_payments(self) -> list[Transaction]:
        return [message for message in self._list_sent() if isinstance(message, Transaction)]

    def list_told(self, kind: type[Any]) -> list[tuple[str, Any]]:
        """Return what it has just told single neighbours."""
        sent = [(action.peer, action.message) for action in self.actions if isinstance(action, Send)]
        return [(peer, message) for peer, message in sent if isinstance(message, kind)]

    def _list_sent(self) -> Iterator[Message]:
        for action in self.actions:
            if isinstance(action, Broadcast):
                yield action.message
            elif isinstance(action, Relay):
                yield self.rules.decode(action.frame)
