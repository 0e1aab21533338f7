"""Adversaries that use what the rules leave to them to choose until the draws are theirs."""

from collections.abc import Iterator
from typing import Annotated, Final

import numpy as np
from msgspec import Meta

from protocol.events import ChainRecord, Timer
from protocol.mechanism import MessageT, NodeView
from protocol.mechanisms.proof_of_training.judging import TrainingJudge
from protocol.mechanisms.proof_of_training.messages import (
    BlockHeader,
    StakeholderSignature,
    TrainingDeclaration,
    WrappedBlock,
)
from protocol.mechanisms.proof_of_training.phases import Phase
from protocol.mechanisms.proof_of_training.proposer import TrainingProposer
from protocol.mechanisms.proof_of_training.reasons import Right
from protocol.messages import Message
from protocol.slots import compute_slot
from protocol.turn import Turn
from protocol.types import AccountId, Hash32
from simulation.attacks import Adversary, Coalition, Parameters, Traits
from simulation.mechanisms.proof_of_training.behaviours.colluding import Band
from simulation.mechanisms.proof_of_training.behaviours.members import Effort, Place, say

GRIND_TRIES: Final = 6_000
"""Hashes of headers that a grinder computes for a block, unless a scenario says otherwise."""

BLOCK_SHARE: Final = 10
"""For so many headers one hash of a block is computed."""

WINDOW: Final = 5
"""Slots in which a grinder wants the right to propose the next block."""


class _Leading(TrainingProposer):
    """The one of the members that declares and proposes for all, and wraps where all stakeholders are members."""

    coalition: Coalition
    tries: int

    def __init__(self, judge: TrainingJudge, node: NodeView) -> None:
        """Begin with nothing said."""
        super().__init__(judge, node)
        self._band: Final = Band(self.coalition, node.rules)
        self._is_leading: Final = self.coalition.leads(node.keys.public)
        self._tick = 0
        """First slot that the clock has not been set for."""
        self._efforts: dict[tuple[Hash32, Hash32], Effort] = {}
        """For headers and for blocks, by parent and by the block to beat."""
        self._captured: set[Hash32] = set()
        """Parents of blocks that needed nobody else."""
        self._declared: set[tuple[Hash32, AccountId]] = set()
        self._round_slots = WINDOW
        """Slots between two blocks, the last time."""

    # ---- when it acts: each slot, and when something has come that it can use ----

    def begin(self, turn: Turn) -> None:
        """Begin work on the head, and look whether the head can be replaced."""
        super().begin(turn)
        below = self.node.tree.get(self.head.parent)
        if below is not None:
            self._round_slots = max(1, self.head.slot - below.slot)
        self._tick = 0
        self._wake(turn)

    def draw(self, turn: Turn, right: Right, first: int) -> None:
        """Set the clock for a slot, whoever may speak in it; members draw nothing by themselves."""
        if right is Right.PROPOSE:
            self._set_clock(turn, first)

    def use_passed_rights(self, turn: Turn, first: int) -> None:
        """Leave it to the clock, which is set for each declaration."""

    def apply(self, turn: Turn, message: Message) -> None:
        """Collect an accepted message, and look what it makes possible."""
        super().apply(turn, message)
        if isinstance(message, TrainingDeclaration | BlockHeader) and message.parent == self.head.hash:
            self._wake(turn)

    def _wake(self, turn: Turn) -> None:
        self._set_clock(turn, self._find_slot(turn))

    def _set_clock(self, turn: Turn, slot: int) -> None:
        if self._is_leading:
            self.node.set_timer(turn, Right.PROPOSE, slot, self.head.hash)

    def _find_slot(self, turn: Turn) -> int:
        return compute_slot(turn.now, self.node.rules.chain.slot_ns)

    def ring(self, turn: Turn, timer: Timer) -> None:
        """Do what can be done now, and set the clock for the next slot."""
        if not self._is_leading or timer.parent != self.head.hash or timer.kind is not Right.PROPOSE:
            return
        self._act(turn, self._find_slot(turn))
        if self.phase is not Phase.FINISHED and timer.slot >= self._tick:
            self._tick = timer.slot + 1
            self._set_clock(turn, timer.slot + 1)

    # ---- what it does ----

    def _act(self, turn: Turn, slot: int) -> None:
        for place in self._list_places():
            block = self._capture(place, slot)
            if block is not None:
                self._captured.add(place.parent.hash)
                self._band.use(place.parent, (block.slot, block.header.author))
                say(self.node.rules, turn, block)
                return
        open_place = self._find_place(self.head) if self.phase in (Phase.DECLARING, Phase.SIGNING) else None
        if open_place is not None:
            self._declare_openly(turn, open_place, slot)
            self._propose_openly(turn, open_place, slot)

    def _list_places(self) -> Iterator[Place]:
        """Yield where members may build: on the head, and beside it if it is not theirs."""
        head, below = self.head, self.node.tree.get(self.head.parent)
        is_ours = isinstance(head.block, WrappedBlock) and head.block.header.author in self._band.keys
        places = [self._find_place(head) if self.phase in (Phase.DECLARING, Phase.SIGNING) else None]
        if below is not None and not is_ours:
            places.append(self._find_place(below, head))
        yield from (place for place in places if place is not None and place.parent.hash not in self._captured)

    def _find_place(self, parent: ChainRecord, rival: ChainRecord | None = None) -> Place | None:
        """Return what members can build on a block with; None where the stage is not trained."""
        if not self.work.has_trained(self.work.get_task(parent)):
            return None
        own = self.work.get_own(parent)
        heard = self.read_round(parent.hash).declarations.values()
        others = [item for item in heard if item.author not in self._band.keys]
        return Place(parent, own, [item for item in others if item.weights_digest == own.weights_digest], rival)

    def _capture(self, place: Place, slot: int) -> WrappedBlock | None:
        key = place.parent.hash, place.rival.hash if place.rival is not None else b""
        effort = self._efforts.setdefault(key, Effort(self.tries, self.tries // BLOCK_SHARE))
        carried = self.choose_transactions() if place.rival is None else ()
        return self._band.build(place, slot, effort, transactions=carried, score=self._count_rights_ahead)

    def _count_rights_ahead(self, block: ChainRecord) -> int:
        """Return how often members could propose on a block when that will be possible; 0 for once a slot."""
        first = block.slot + self._round_slots
        return len(self._band.list_won(Right.PROPOSE, block, range(first, first + WINDOW))) - WINDOW

    def _declare_openly(self, turn: Turn, place: Place, slot: int) -> None:
        """Declare, to be paid, once others can propose without the members."""
        parent = place.parent
        if not self._band.is_enough(parent, [item.author for item in place.others]):
            return
        for author, declaration in self._band.declare(parent, place.own, slot).items():
            if (parent.hash, author) not in self._declared:
                self._declared.add((parent.hash, author))
                say(self.node.rules, turn, declaration)

    def _propose_openly(self, turn: Turn, place: Place, slot: int) -> None:
        """Propose what honest stakeholders will sign, with the right that has most members among them."""
        parent, options = place.parent, []
        for right in self._band.list_rights(Right.PROPOSE, parent, slot):
            if not self._band.is_used(parent, right):
                chosen = self._band.choose(place, right[0], self._band.declare(parent, place.own, right[0]))
                if chosen is not None:
                    options.append((-self._band.count_captured(place, right, chosen), right, chosen))
        if options:
            _, right, chosen = min(options, key=lambda item: item[:2])
            self._band.use(parent, right)
            say(self.node.rules, turn, self._band.make_header(place, right, chosen))


class _Serving(TrainingProposer):
    """A node that signs and wraps nobody else's header while there is one of a member."""

    coalition: Coalition

    def publish(self, turn: Turn, message: MessageT) -> MessageT:
        """Keep to itself what would help a rival."""
        return message if self._helps_rival(message) else super().publish(turn, message)

    def _helps_rival(self, message: Message) -> bool:
        if not isinstance(message, WrappedBlock | StakeholderSignature):
            return False
        proposals, members = self.read_round(message.parent).proposals, self.coalition.accounts
        header = message.header if isinstance(message, WrappedBlock) else proposals[message.header].header
        return header.author not in members and any(item.header.author in members for item in proposals.values())


class GrinderParameters(Parameters, frozen=True, kw_only=True):
    """What a grinder is told."""

    tries: Annotated[
        int,
        Meta(ge=1, le=1_000_000, description="computed for a block, at most", extra={"unit": "hashes"}),
    ] = GRIND_TRIES


class Grinder(Adversary):
    """Goal: propose, sign and wrap more blocks than its stake is worth.

    It knows what any node knows, and its coalition's keys: the first member speaks for all, who train and follow. It
    keeps their declarations until others could propose without them, and dates them into the first slots they have won.
    Under version 1 of the rules it searches its own signatures, the choice of declarations and its rights until the
    hash of a header draws members alone as stakeholders; then the block's hash, until members win the slots it will
    need next, or a tie with a block that is out already. It computes at most so many hashes of headers a block as it is
    told, and a tenth of that of blocks; simulated time does not count them. Under version 2 there is nothing
    to search: it uses each right as soon as there are declarations enough, the one first whose stakeholders are members
    most, needs nobody where all of them are, and signs for nobody else while a header of a member is out. Expected:
    under version 1 a small part of the stake has most of the blocks and coins; under version 2 about its part, but for
    the slots in which honest nodes still wait for the declarations that it keeps.
    """

    kind = "grinder"
    mechanism = "proof_of_training"
    does = "with its coalition, chooses declarations, signatures, slots and transfers until the draws are its own"
    expected = (
        "version 1 of the rules: most blocks and coins; version 2: more than its share only by hiding declarations"
    )
    traits = Traits(passes_on=True, does_its_part=False, is_strategic=True)
    parameters = GrinderParameters
    drawn = (GrinderParameters(tries=500),)

    def __init__(self, generator: np.random.Generator, coalition: Coalition, *, tries: int) -> None:
        """Take how much it computes."""
        super().__init__(generator, coalition)
        shared = {"coalition": coalition, "tries": tries}
        self.proposer = type("GrindingProposer", (_Leading, _Serving), shared)
