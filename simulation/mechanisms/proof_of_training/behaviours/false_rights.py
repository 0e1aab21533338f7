"""Adversaries that claim rights they do not have, or use one twice."""

from collections.abc import Iterable
from typing import Final

import msgspec
import numpy as np

from protocol.events import Broadcast, Event
from protocol.mechanisms.proof_of_training.mechanism import get_training
from protocol.mechanisms.proof_of_training.messages import BlockHeader, TrainingDeclaration
from protocol.mechanisms.proof_of_training.proposer import TrainingProposer
from protocol.mechanisms.proof_of_training.reasons import Right
from protocol.mechanisms.proof_of_training.round import has_confidence
from protocol.slots import compute_slot
from protocol.turn import Turn
from protocol.types import Nanoseconds
from simulation.attacks import Action, Adversary, Coalition, Core, Traits

MAX_SLOTS_AHEAD: Final = 1_000
"""Slots of the future that a grinder searches."""


class _EverWinning(TrainingProposer):
    """A proposer that holds every slot for won."""

    def wins_slot(self, right: Right, slot: int) -> bool:
        """Say yes, but for a right that it has used itself."""
        return right is Right.DECLARE or self.may_propose(slot)


class StakeLiar(Adversary):
    """Goal: speak more often than its stake allows.

    It knows what any node knows. It declares as soon as it has trained and proposes in every slot, as if it held all
    the stake. Expected: everybody works out the odds from the stake in the parent state, so `lottery-lost`; where its
    word was taken for its stake it would propose nearly every block.
    """

    kind = "stake_liar"
    mechanism = "proof_of_training"
    does = "declares at once, and proposes in every slot"
    expected = "`lottery-lost`"
    traits = Traits(passes_on=True, does_its_part=False)

    proposer = _EverWinning


class _Grinding(TrainingProposer):
    """A proposer that speaks at once in the name of the next slot it will have won."""

    def draw(self, turn: Turn, right: Right, first: int) -> None:
        """Speak at once in the name of the next slot won, however far ahead it is."""
        head = self.head
        if right is Right.PROPOSE and not self._has_enough_declarations():
            self.node.set_timer(turn, right, first + 1, head.hash)
            return
        first = max(first, head.slot)
        slot = next((slot for slot in range(first, first + MAX_SLOTS_AHEAD) if self.wins_slot(right, slot)), None)
        if slot is None:
            return
        if right is Right.DECLARE:
            self.declare(turn, slot)
        else:
            self.propose(turn, slot)

    def _has_enough_declarations(self) -> bool:
        head = self.head
        weights_digest = self.work.get_own(head).weights_digest
        declarations = self.read_round(head.hash).declarations
        authors = frozenset(author for author, item in declarations.items() if item.weights_digest == weights_digest)
        return has_confidence(self.judging.genesis.parameters.confidence, head.state.stakes, authors)


class TimestampGrinder(Adversary):
    """Goal: speak before its turn by dating its messages into a slot it will win.

    It knows what any node knows. As soon as it has trained it searches the coming slots for one it wins and declares in
    its name; so it proposes, once enough others have declared. Expected: `future-slot`, so the message is dropped, and
    it has spent its declaration; where slots were not held against the clock its header would come first far more often
    than its stake allows.
    """

    kind = "timestamp_grinder"
    mechanism = "proof_of_training"
    does = "speaks at once in the name of a coming slot it wins"
    expected = "`future-slot`; it has spent its declaration"
    traits = Traits(passes_on=True, does_its_part=False)

    proposer = _Grinding


class Equivocator(Adversary):
    """Goal: split the network by telling two stories.

    It knows what any node knows. After a declaration it sends another one of the same round, dated into another slot it
    has won; with a header it sends another one of the same slot that leaves a declaration out. Expected: whoever sees
    both refuses the second (`equivocation`), and counts no author twice; at worst some see the one first and some the
    other, and the stakeholders of one of them finish first.
    """

    kind = "equivocator"
    mechanism = "proof_of_training"
    does = "declares twice, and proposes twice in one slot"
    expected = "`equivocation` for whoever sees both"
    traits = Traits(passes_on=True, does_its_part=False)

    def __init__(self, generator: np.random.Generator, coalition: Coalition) -> None:
        """Begin with nothing said."""
        super().__init__(generator, coalition)
        self._declared: TrainingDeclaration | None = None
        self._next_slot = 0
        """First slot that has not been looked at for a second declaration."""

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Add a second header to each header, and remember declarations."""
        yield action
        message = action.message if isinstance(action, Broadcast) else None
        if isinstance(message, TrainingDeclaration):
            if self._declared is None or self._declared.parent != message.parent:
                self._next_slot = 0
            self._declared = message
        elif isinstance(message, BlockHeader):
            second = self._vary(core, message)
            if second is not None:
                yield Broadcast(second)

    def act(self, core: Core, event: Event, now: Nanoseconds) -> Iterable[Action]:
        """Declare a second time as soon as another slot is won."""
        first = self._declared
        parent = core.tree.get(first.parent) if first is not None else None
        if first is None or parent is None:
            return
        begin, end = (
            max(parent.slot, self._next_slot),
            compute_slot(now, core.rules.chain.slot_ns) + 1,
        )
        self._next_slot = end
        pot = get_training(core.rules)
        for slot in range(begin, end):
            is_won = pot.has_won(Right.DECLARE, parent, slot, core.keys.public)
            if is_won and slot != first.slot:
                self._declared = None
                second = msgspec.structs.replace(first, slot=slot)
                yield Broadcast(core.keys.sign(core.rules.chain_id, second))
                return

    def _vary(self, core: Core, header: BlockHeader) -> BlockHeader | None:
        """Return another valid header of the same slot, if one declaration can be spared."""
        parent = core.tree.get(header.parent)
        fewer = header.declarations[1:]
        authors = frozenset(item.author for item in fewer)
        rule = get_training(core.rules).genesis.parameters.confidence
        if parent is None or not has_confidence(rule, parent.state.stakes, authors):
            return None
        return core.keys.sign(core.rules.chain_id, msgspec.structs.replace(header, declarations=fewer))
