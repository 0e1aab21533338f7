"""Proof of activity as a mechanism: what the core asks of it."""

from collections.abc import Hashable
from typing import ClassVar

from protocol.codec import encode
from protocol.events import ChainRecord
from protocol.mechanism import Mechanism, NodeView, RulesView
from protocol.mechanisms.proof_of_activity.genesis import ActivityGenesis
from protocol.mechanisms.proof_of_activity.judging import ActivityJudge
from protocol.mechanisms.proof_of_activity.messages import MESSAGES, ActivityBlock, Cosignature, Template
from protocol.mechanisms.proof_of_activity.proposer import ActivityProposer
from protocol.mechanisms.proof_of_activity.reasons import ActivityMissing, ActivityReason, ActivityTimer
from protocol.mechanisms.proof_of_work.difficulty import count_expected
from protocol.messages import Message
from protocol.types import Hash32


class ProofOfActivity(ActivityJudge):
    """An empty template is worked for; owners of coins that it draws sign it, and one of them closes the block.

    Bentov, Lee, Mizrahi and Rosenfeld, "Proof of Activity" (2014).
    """

    name: ClassVar = "proof_of_activity"
    summary: ClassVar = "work draws owners of stake by lot; a block is made when those drawn have signed what was mined"
    messages = MESSAGES
    block = ActivityBlock
    reasons: ClassVar = ActivityReason
    waits: ClassVar = ActivityMissing
    timers: ClassVar = ActivityTimer
    genesis_type: ClassVar = ActivityGenesis

    def encode_genesis(self) -> bytes:
        """Return the canonical bytes of the genesis, behind the mechanism's name."""
        return encode((self.name, self.genesis.agreed))

    @property
    def keeps_first(self) -> bool:
        """Whether a node works on the branch it had first of two of one weight."""
        return self.genesis.ties == "first_seen"

    def may_outweigh(self, height: int, head: ChainRecord) -> bool:
        """Return whether targets may have been so much harder on a branch that fewer blocks weigh more."""
        return self.genesis.difficulty.window > 0

    def weigh(self, parent: ChainRecord, block: ActivityBlock) -> int:
        """Return how many hashes a template of the block's target takes on average; those of dead ones do not count."""
        return count_expected(block.template.target)

    def rank(self, rules: RulesView, block: ActivityBlock) -> bytes:
        """Return the hash of the template: its closer can make many blocks of it, and none of them ranks better."""
        return rules.hash_message(block.template)

    def find_right(self, block: ActivityBlock) -> Hashable:
        """Return the template, which is good for one block.

        Its signature is left out, since a miner can give several to one template, and what follows from the parent.
        """
        template = block.template
        return (template.parent, template.author, template.slot, template.serial, template.nonce)

    def find_proposal(self, rules: RulesView, message: Message) -> Hash32 | None:
        """Return the hash of the template that a template, a signature or a block is about."""
        if isinstance(message, Cosignature):
            return message.template
        if isinstance(message, ActivityBlock):
            return rules.hash_message(message.template)
        return rules.hash_message(message) if isinstance(message, Template) else None

    def make_proposer(self, node: NodeView) -> ActivityProposer:
        """Return what a node does to earn blocks: it mines, signs and closes."""
        return ActivityProposer(self, node)


def as_activity(mechanism: Mechanism) -> ProofOfActivity:
    """Return a mechanism that must be proof of activity.

    Raises:
        TypeError: It is another one.
    """
    if not isinstance(mechanism, ProofOfActivity):
        raise TypeError(f"not by activity: {mechanism.name}")
    return mechanism
