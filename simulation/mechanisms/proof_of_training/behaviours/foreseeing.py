"""What a coalition that invents results foresees, where everybody's rights are known for all time."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from protocol.events import ChainRecord
from protocol.mechanism import NodeView
from protocol.mechanisms.proof_of_training.judging import OwnTraining
from protocol.mechanisms.proof_of_training.reasons import Right
from protocol.types import Hash32
from simulation.attacks import Coalition
from simulation.mechanisms.proof_of_training.behaviours.colluding import Band
from simulation.mechanisms.proof_of_training.behaviours.members import Place
from simulation.mechanisms.proof_of_training.behaviours.outlooks import (
    WON,
    Outlook,
    SlotKind,
    is_enough,
    is_lost,
    look_on,
    see,
)

FORESEEN: Final = 2_000
"""Slots that are looked ahead at most."""

MOST_MISSING: Final = 12
"""Blocks that may be missing where members begin to help; looking further ahead would take long."""

_NOTHING: Final = OwnTraining(weights_digest=bytes(32), secret=bytes(32))


class Foresight:
    """Who has which rights, and whether helping honest nodes lets an invented end of the job come first."""

    def __init__(self, coalition: Coalition, band: Band, node: NodeView) -> None:
        """Take who colludes, what they have, and a node of theirs."""
        genesis = node.tree.genesis
        self._name: Final = coalition.name
        self._band: Final = band
        self._rules: Final = node.rules
        """The node's rules, which may remember what another member has looked up."""
        self._genesis: Final = genesis
        self._length: Final = band.rules.chain.length
        self._kinds: list[SlotKind] = []
        """What rights there are, from slot 0 on."""
        self._captured: list[int] = []
        """Slots with a captured right, among those looked at."""
        self._answers: dict[tuple[Hash32, int], bool] = {}

    def should_help(self, chain: Sequence[ChainRecord], slot: int) -> bool:
        """Return whether members should help with a block on an honest chain, made with a shared right of a slot.

        They help as soon as they can, and not where they need not.
        """
        key = chain[-1].hash, slot
        if key not in self._answers:
            self._answers[key] = self._is_worth_it(chain, slot)
        return self._answers[key]

    def _is_worth_it(self, chain: Sequence[ChainRecord], slot: int) -> bool:
        now = self._get_kind(slot)
        before = bisect_right(self._captured, slot - 1)
        since = tuple(before - bisect_right(self._captured, record.slot, hi=before) for record in chain)
        is_early = self._length - chain[-1].height > MOST_MISSING
        if slot <= chain[-1].slot or now.is_free or is_early or is_enough(since, self._length):
            return False
        if not self._has_rights_in_time(slot, self._length - chain[-1].height):
            return False
        outlook = see(self._length, since)
        if self._is_won(look_on(outlook, now._replace(is_shared=False)), slot + 1, is_helping=False):
            return False
        return self._is_won(look_on(outlook, now._replace(is_free=True)), slot + 1, is_helping=True)

    def _has_rights_in_time(self, first: int, missing: int) -> bool:
        """Return whether members capture a slot before honest nodes end the job without help: a quick first look."""
        for slot in range(first, first + FORESEEN):
            kind = self._get_kind(slot)
            missing -= kind.is_free
            if kind.is_captured or not missing:
                return kind.is_captured
        return False

    def _is_won(self, outlook: Outlook | None, first: int, *, is_helping: bool) -> bool:
        """Return whether members come first, if they help from a slot on whenever they like or never."""
        for slot in range(first, first + FORESEEN):
            if outlook is WON or is_lost(outlook):
                break
            kind = self._get_kind(slot)
            outlook = look_on(outlook, kind if is_helping else kind._replace(is_shared=False))
        return outlook is WON

    def _get_kind(self, slot: int) -> SlotKind:
        for number in range(len(self._kinds), slot + 1):
            key = ("kind of slot", self._name, number)
            self._kinds.append(self._rules.recall(key, self._find_kind, number))
            if self._kinds[-1].is_captured:
                self._captured.append(number)
        return self._kinds[slot]

    def _find_kind(self, slot: int) -> SlotKind:
        band, place = self._band, Place(self._genesis, _NOTHING, ())
        is_captured = is_free = is_shared = False
        for owner in self._genesis.state.stakes.owners:
            if band.judge.has_won(Right.PROPOSE, self._genesis, slot, owner):
                members = (owner in band.keys) + band.count_captured(place, (slot, owner))
                is_captured |= members == 1 + band.parameters.stakeholders
                is_free |= not members
                is_shared |= 0 < members <= band.parameters.stakeholders
        return SlotKind(is_captured, is_free, is_shared)
