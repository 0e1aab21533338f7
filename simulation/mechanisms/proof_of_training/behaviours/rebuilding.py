"""Adversaries that make a block once more, for themselves: from what it shows they need nothing else."""

from typing import Annotated, Final

import numpy as np
from msgspec import Meta

from protocol.events import ChainRecord, SetTimer, Timer
from protocol.mechanism import MessageT, NodeView
from protocol.mechanisms.proof_of_training.judging import OwnTraining, TrainingJudge
from protocol.mechanisms.proof_of_training.messages import BlockHeader, WrappedBlock
from protocol.mechanisms.proof_of_training.proposer import TrainingProposer
from protocol.mechanisms.proof_of_training.reasons import Right
from protocol.messages import Message
from protocol.slots import compute_slot
from protocol.turn import Turn
from protocol.types import Hash32, Nanoseconds
from simulation.attacks import Adversary, Coalition, Parameters, Traits
from simulation.mechanisms.proof_of_training.behaviours.colluding import Band
from simulation.mechanisms.proof_of_training.behaviours.free_riding import Trusting
from simulation.mechanisms.proof_of_training.behaviours.members import Effort, Place, say

REBUILD_TRIES: Final = 6_000
"""Hashes of headers that are computed for a block, unless a scenario says otherwise."""

PATIENCE_SLOTS: Final = 40
"""Slots for which a rider tries to make the same block once more."""

BLOCK_SHARE: Final = 10
"""For so many headers one hash of a block is computed."""

LATER: Final = b"later/"
"""Stands before the hash of a block in the timer for making it once more."""

WINDOW: Final = 7
"""Slots in which members want the right to propose the next block."""


def read_result(header: BlockHeader) -> OwnTraining:
    """Return what a header shows of the training of its author."""
    return OwnTraining(weights_digest=header.weights_digest, secret=header.training_secret)


class _Rebuilding(TrainingProposer):
    """A node that leads the members, and makes blocks once more."""

    coalition: Coalition
    tries: int

    def __init__(self, judge: TrainingJudge, node: NodeView) -> None:
        """Begin with nothing made."""
        super().__init__(judge, node)
        self._band: Final = Band(self.coalition, node.rules)
        self._is_leading: Final = self.coalition.leads(node.keys.public)
        self._efforts: dict[Hash32, Effort] = {}
        """By the hash of what is made once more."""
        self._made: set[Hash32] = set()
        """What has been made once more."""

    def rebuild(self, turn: Turn, header: BlockHeader, own: OwnTraining, rival: ChainRecord | None) -> None:
        """Make the block of a header once more with stakeholders of the coalition alone, if that can be done.

        The members' own declarations in it are left out: they make new ones, dated into the first slots they have won.
        """
        rules = self.node.rules
        parent = self.node.tree.get(header.parent)
        name = rival.hash if rival is not None else rules.hash_message(header)
        if parent is None or name in self._made or header.author in self._band.keys:
            return
        others = [item for item in header.declarations if item.author not in self._band.keys]
        effort = self._efforts.setdefault(name, Effort(self.tries, self.tries // BLOCK_SHARE))
        slot = compute_slot(turn.now, rules.chain.slot_ns)
        place = Place(parent, own, others, rival)
        block = self._band.build(place, slot, effort, score=self.count_rights_ahead)
        if block is not None:
            self._made.add(name)
            self._band.use(parent, (block.slot, block.header.author))
            say(rules, turn, block)

    def count_rights_ahead(self, block: ChainRecord) -> int:
        """Return how often members could propose on a block about when that will be possible; 0 for once a slot."""
        first = block.slot + WINDOW
        return len(self._band.list_won(Right.PROPOSE, block, range(first, first + WINDOW))) - WINDOW


# ---- late ----


class _Late(_Rebuilding):
    """A node that does its part, and later makes blocks once more that others hold for settled."""

    after_ns: Nanoseconds

    def begin(self, turn: Turn) -> None:
        """Begin work on the head, and set the clock for when it will be replaced."""
        super().begin(turn)
        if self._is_leading and self.head.block is not None:
            at = turn.now + self.after_ns
            slot = compute_slot(at, self.node.rules.chain.slot_ns)
            turn.add(SetTimer(Timer(Right.PROPOSE, slot, LATER + self.head.hash), at))

    def ring(self, turn: Turn, timer: Timer) -> None:
        """Replace a block, or do what an honest node does."""
        if not timer.parent.startswith(LATER):
            super().ring(turn, timer)
            return
        block = self.node.tree.require(timer.parent.removeprefix(LATER))
        if block.hash == self.head.hash and isinstance(block.block, WrappedBlock):
            self.rebuild(turn, block.block.header, self._find_result(block.block.header), block)

    def _find_result(self, header: BlockHeader) -> OwnTraining:
        """Return what a header shows or, where that is of no use to others, what was trained here."""
        parent = self.node.tree.require(header.parent)
        if self.judging.has_own_secrets and self.work.has_trained(self.work.get_task(parent)):
            return self.work.get_own(parent)
        return read_result(header)


class LateReplacerParameters(Parameters, frozen=True, kw_only=True):
    """What a late replacer is told."""

    after_s: Annotated[
        float,
        Meta(ge=0, le=1e8, description="after which it makes a block once more", extra={"unit": "seconds"}),
    ] = 60.0


class LateReplacer(Adversary):
    """Goal: be paid for a block that others were paid for, long after it was settled.

    It knows what any node knows, and its coalition's keys: the first member speaks for all. It does its part until a
    block of others has been its head for a time. Then it makes the block once more from what the block itself shows:
    the secret, the honest declarations, the members' own dated back, with the first right that any of them has won
    since the parent, and stakeholders that are all members. Under version 1 of the rules it searches its signatures for
    those stakeholders and for a lower hash than the block's, in at most 6,000 hashes of headers and 600 of blocks; no
    simulated time counts them. Under version 2 it has its own secrets only if it has trained, and no choice but among
    its rights. In the middle of a job the longer branch stays; the last block has nothing on top. Expected: under
    version 1 everybody, the employer too, gives up the last block for its own; under version 2 nobody does.
    """

    kind = "late_replacer"
    mechanism = "proof_of_training"
    does = "makes a settled block once more, the last one too, with its coalition alone"
    expected = "under version 1 of the rules everybody gives up the last block, long after delivery; version 2: nobody"
    traits = Traits(passes_on=True, does_its_part=True, is_strategic=True)
    parameters = LateReplacerParameters
    drawn = (LateReplacerParameters(after_s=30.0),)

    def __init__(self, generator: np.random.Generator, coalition: Coalition, *, after_s: float) -> None:
        """Take how long it waits."""
        super().__init__(generator, coalition)
        shared = {"coalition": coalition, "tries": REBUILD_TRIES, "after_ns": round(after_s * 1e9)}
        self.proposer = type("LateProposer", (_Late,), shared)


# ---- without a training ----


class _Riding(_Rebuilding, Trusting):
    """A node that trains nothing, signs for nobody, and makes others' blocks once more as soon as it can."""

    def begin(self, turn: Turn) -> None:
        """Begin the round on the head, and make the head once more."""
        super().begin(turn)
        self._head_since = self._get_slot(turn)
        self._try_head(turn)

    def apply(self, turn: Turn, message: Message) -> None:
        """Collect an accepted message, and use what a header shows."""
        super().apply(turn, message)
        if self._is_leading and isinstance(message, BlockHeader) and message.parent == self.head.hash:
            self.rebuild(turn, message, read_result(message), None)

    def ring(self, turn: Turn, timer: Timer) -> None:
        """Try again in the next slot, as long as the head is the same and not old."""
        if timer.parent == self.head.hash and timer.kind is Right.PROPOSE:
            self._try_head(turn)

    def _try_head(self, turn: Turn) -> None:
        block, slot = self.head.block, self._get_slot(turn)
        if not self._is_leading or not isinstance(block, WrappedBlock) or slot > self._head_since + PATIENCE_SLOTS:
            return
        self.rebuild(turn, block.header, read_result(block.header), self.head)
        self.node.set_timer(turn, Right.PROPOSE, slot + 1, self.head.hash)

    def _get_slot(self, turn: Turn) -> int:
        return compute_slot(turn.now, self.node.rules.chain.slot_ns)

    def publish(self, turn: Turn, message: MessageT) -> MessageT:
        """Say nothing that helps others' headers."""
        return message


class SiblingRider(Adversary):
    """Goal: be paid for blocks without training.

    It knows what any node knows, and its coalition's keys: the first member speaks for all, the others say nothing.
    None of them trains. From a header of others, and again from its block, it reads the secret, the weights and the
    honest declarations, dates the members' own into the first slots they have won, and makes a block of it whose
    stakeholders are all members; where the other block is out already, one that wins the tie. Under version 1 of the
    rules it searches its signatures for that, in at most 6,000 hashes of headers and 600 of blocks for each; no
    simulated time counts them. Under version 2 the secret that is shown is its author's alone, and nothing can be
    searched, so that only the employer, who has not trained either, may take such a block, where all stakeholders of an
    earlier slot happen to be members. Expected: under version 1 most blocks and coins; under version 2 none.
    """

    kind = "sibling_rider"
    mechanism = "proof_of_training"
    does = "trains nothing; makes others' blocks once more with the secret they show and its coalition alone"
    expected = "most blocks and coins under version 1 of the rules, none under version 2"
    traits = Traits(passes_on=True, does_its_part=False, is_strategic=True)

    def __init__(self, generator: np.random.Generator, coalition: Coalition) -> None:
        """Take whom it makes blocks with."""
        super().__init__(generator, coalition)
        self.proposer = type("RidingProposer", (_Riding,), {"coalition": coalition, "tries": REBUILD_TRIES})
