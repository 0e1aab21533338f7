"""An adversary that invents results, and with them a whole chain for those who cannot check results."""

from collections import Counter
from collections.abc import Iterable
from hashlib import sha256
from typing import Final

import numpy as np

from protocol.events import Broadcast, ChainRecord, Event, MessageReceived, Timer
from protocol.mechanism import MessageT, NodeView
from protocol.mechanisms.proof_of_training.judging import OwnTraining, TrainingJudge
from protocol.mechanisms.proof_of_training.messages import BlockHeader, StakeholderSignature, WrappedBlock
from protocol.mechanisms.proof_of_training.phases import Phase
from protocol.mechanisms.proof_of_training.reasons import Right
from protocol.messages import Message
from protocol.slots import compute_slot
from protocol.turn import Turn
from protocol.types import AccountId, Hash32, Nanoseconds
from protocol.verdicts import Wait
from simulation.attacks import Action, Adversary, Coalition, Core, Traits, read_message
from simulation.mechanisms.proof_of_training.behaviours.colluding import Band
from simulation.mechanisms.proof_of_training.behaviours.foreseeing import Foresight
from simulation.mechanisms.proof_of_training.behaviours.free_riding import Trusting
from simulation.mechanisms.proof_of_training.behaviours.members import Effort, Place

FABRICATE_TRIES: Final = 6_000
"""Hashes of headers computed for a block of an invented chain, the first time."""

BLOCK_SHARE: Final = 10
"""For so many headers one hash of a block is computed."""

SPAN: Final = 8
"""Slots after a parent's in which an invented block has to be proposed, where the parent's hash can be chosen."""

MOST_ATTEMPTS: Final = 3
"""Attempts to invent a chain on one block, each with more hashes than the one before."""


def invent_result(parent: ChainRecord) -> OwnTraining:
    """Return what nobody has trained."""
    return OwnTraining(
        weights_digest=sha256(b"invented weights" + parent.hash).digest(),
        secret=sha256(b"invented secret" + parent.hash).digest(),
    )


class _Inventing(Trusting):
    """A node that follows the chain, and looks for the rights to end it with blocks of its coalition's own.

    Where all rights are known in advance it trains as well, and takes its part in such honest blocks as its coalition
    needs to begin at; else it helps nobody.
    """

    coalition: Coalition

    def __init__(self, judge: TrainingJudge, node: NodeView) -> None:
        """Begin with nothing invented."""
        super().__init__(judge, node)
        self._band: Final = Band(self.coalition, node.rules)
        self._can_end: Final = self._band.can_end(node.tree.genesis)
        self._leads: Final = self.coalition.leads(node.keys.public)
        foresees = judge.has_seeded_draws and self._can_end
        self._foresight: Final = Foresight(self.coalition, self._band, node) if foresees else None
        self._next_look = 0
        """First slot that the clock has not been set for."""
        self._attempts: Counter[Hash32] = Counter()
        """By the block that they begin at."""
        self._rights: dict[Hash32, int] = {}
        """How many rights there were at the last attempt, by the block that it began at."""
        self._is_all_ours: dict[tuple[int, AccountId], bool] = {}
        self._ending: list[WrappedBlock] = []
        """Blocks that end the chain, the last of them perhaps in a slot to come."""
        self._is_shown = False

    def begin(self, turn: Turn) -> None:
        """Begin the round on the head, and look what can be built on it."""
        super().begin(turn)
        if self._can_end:
            self._look(turn)

    def ring(self, turn: Turn, timer: Timer) -> None:
        """Look again in each slot."""
        if timer.kind is Right.PROPOSE:
            self._look(turn)
            self._propose_to_help(turn, timer.slot)

    # ---- helping honest nodes ----

    def enter_round(self, turn: Turn) -> None:
        """Train where that is of use; else begin the round at once."""
        if self._foresight is None:
            super().enter_round(turn)
        else:
            super(Trusting, self).enter_round(turn)

    def find_own(self, parent: ChainRecord, message: Message) -> OwnTraining | Wait | None:
        """Return the node's own result, if it trains."""
        if self._foresight is None:
            return super().find_own(parent, message)
        return super(Trusting, self).find_own(parent, message)

    def show_secret(self, header: BlockHeader) -> Hash32:
        """Show the node's own secret, if it trains."""
        return super().show_secret(header) if self._foresight is None else super(Trusting, self).show_secret(header)

    def draw(self, turn: Turn, right: Right, first: int) -> None:
        """Declare nothing, and propose by the clock that rings in each slot anyway."""
        if right is Right.PROPOSE:
            self._propose_to_help(turn, first)

    def publish(self, turn: Turn, message: MessageT) -> MessageT:
        """Say nothing that helps others' headers but where an invented end of the job needs their block."""
        return super().publish(turn, message) if self._helps_honest(self._find_slot_of(message)) else message

    def _propose_to_help(self, turn: Turn, slot: int) -> None:
        """Use the node's own right to propose an honest block; rights that are good for inventing are kept."""
        is_open = self.phase in (Phase.DECLARING, Phase.SIGNING) and self._helps_honest(slot)
        if is_open and self.wins_slot(Right.PROPOSE, slot) and not self._is_captured((slot, self.node.keys.public)):
            self.propose(turn, slot)

    def _helps_honest(self, slot: int) -> bool:
        """Return whether members take their part in an honest block of a slot."""
        if self._foresight is None or self._is_shown:
            return False
        return self._foresight.should_help(self.node.tree.get_chain(), slot)

    def _find_slot_of(self, message: Message) -> int:
        """Return the slot of the header that something is about; 0 for what is about none."""
        if isinstance(message, StakeholderSignature):
            return self.read_round(message.parent).proposals[message.header].header.slot
        header = message.header if isinstance(message, WrappedBlock) else message
        return header.slot if isinstance(header, BlockHeader) else 0

    # ---- inventing ----

    def _look(self, turn: Turn) -> None:
        rules = self.node.rules
        slot = compute_slot(turn.now, rules.chain.slot_ns)
        if self._is_shown or self.head.height == rules.chain.length:
            return
        if self._leads and not self._ending:
            endings = (self._invent(parent, slot) for parent in reversed(self.node.tree.get_chain()))
            self._ending = next(filter(None, endings), [])
        if self._ending and self._ending[-1].slot <= slot:
            self._is_shown = True
            for block in self._ending:
                turn.add(Broadcast(block))
        elif slot >= self._next_look and (self._leads or self._foresight is not None):
            self._next_look = slot + 1
            self.node.set_timer(turn, Right.PROPOSE, slot + 1)

    def _invent(self, parent: ChainRecord, slot: int) -> list[WrappedBlock]:
        """Return blocks from a parent to the end of the job; none where the rights are not there yet."""
        if not self._can_begin(parent, slot):
            return []
        self._attempts[parent.hash] += 1
        tries = FABRICATE_TRIES * self._attempts[parent.hash]
        blocks: list[WrappedBlock] = []
        last = slot
        while parent.height < self.node.rules.chain.length:
            is_last = parent.height + 1 == self.node.rules.chain.length
            effort = Effort(tries, tries // BLOCK_SHARE)
            score = None if is_last else self._rate_parent
            block = self._band.build(Place(parent, invent_result(parent), ()), last, effort, score=score)
            if block is None:
                return []
            blocks.append(block)
            parent = self._band.rules.build_record(parent, block)
            last = slot if self._band.judge.has_seeded_draws else parent.slot + SPAN
        return blocks

    def _can_begin(self, parent: ChainRecord, slot: int) -> bool:
        """Return whether an attempt may succeed: as far as rights are known, members have them."""
        if not self._band.judge.has_seeded_draws:
            rights = self._band.list_rights(Right.PROPOSE, parent, slot)
            declared = self._band.list_rights(Right.DECLARE, parent, slot)
            return (
                self._attempts[parent.hash] < MOST_ATTEMPTS and self._find_start(parent, declared, rights) is not None
            )
        rights = [right for right in self._band.list_rights(Right.PROPOSE, parent, slot) if self._is_captured(right)]
        before = self._rights.get(parent.hash, 0)
        self._rights[parent.hash] = len(rights)
        return len(rights) > before and len(rights) >= self.node.rules.chain.length - parent.height

    def _is_captured(self, right: tuple[int, AccountId]) -> bool:
        """Return whether all stakeholders of whatever is proposed with a right are members."""
        if right not in self._is_all_ours:
            origin = self.node.tree.genesis
            self._is_all_ours[right] = self._band.is_captured(Place(origin, invent_result(origin), ()), right)
        return self._is_all_ours[right]

    def _find_start(
        self, parent: ChainRecord, declared: list[tuple[int, AccountId]], rights: list[tuple[int, AccountId]]
    ) -> int | None:
        """Return the first slot of which members can use the right to propose, with their own declarations alone."""
        for slot, _ in rights:
            if self._band.is_enough(parent, [member for since, member in declared if since <= slot]):
                return slot
        return None

    def _rate_parent(self, parent: ChainRecord) -> int:
        """Return how good it would be to go on from a block: 0 if that could be done in its own slot."""
        slots = range(parent.slot, parent.slot + SPAN + 1)
        rights = self._band.list_won(Right.PROPOSE, parent, slots)
        declared = self._band.list_won(Right.DECLARE, parent, slots) if rights else []
        start = self._find_start(parent, declared, rights)
        return parent.slot - start if start is not None else -SPAN - 1


class Fabricator(Adversary):
    """Goal: have the employer pay for results that nobody has trained.

    It knows what any node knows, and its coalition's keys: the first member looks for all, the others pass on what it
    shows. From each block of the chain it looks for a way to end the job with invented results that members alone
    declare, propose, sign and wrap, and shows the first that it finds. Under version 1 of the rules none of them trains
    or helps others; it searches its signatures until all stakeholders are members and the next height can be proposed
    at once, in at most 6,000 hashes of headers and 600 of blocks a block (on a second and third attempt twice and three
    times as many; no simulated time counts them). Under version 2 it can only wait for rights whose stakeholders happen
    to be members, but knows when they come: so members train too, and propose, sign and wrap as many honest blocks as
    bring the block to begin at in time, and no more. Expected: whoever trains refuses it (`different-weights`). Where a
    count of declarations is enough that the coalition has, the employer is deceived nearly always under version 1;
    under version 2 as often as `formulas.deceive_employer_by_inventing` says. Below a majority of the stake, where that
    is the rule, never.
    """

    kind = "fabricator"
    mechanism = "proof_of_training"
    does = "ends the job for the employer with results that its coalition has invented"
    expected = "`different-weights` for whoever trains; with a count rule the employer may be deceived"
    traits = Traits(passes_on=True, does_its_part=False, is_strategic=True)

    def __init__(self, generator: np.random.Generator, coalition: Coalition) -> None:
        """Begin with nothing passed on."""
        super().__init__(generator, coalition)
        self._passed_on: set[bytes] = set()
        self.proposer = type("InventingProposer", (_Inventing,), {"coalition": coalition})

    def act(self, core: Core, event: Event, now: Nanoseconds) -> Iterable[Action]:
        """Pass on a member's block that another member has sent."""
        message = read_message(core, event)
        if not isinstance(message, WrappedBlock) or not isinstance(event, MessageReceived):
            return
        is_members = event.peer in self.coalition.list_others(core.keys.public)
        if is_members and message.header.author in self.coalition.accounts and message.signature not in self._passed_on:
            self._passed_on.add(message.signature)
            yield Broadcast(message)
