"""What colluders have: one another's keys, the rights these have won, and declarations in the name of any of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from protocol.codec import encode_frame
from protocol.crypto import KeyPair
from protocol.events import Broadcast, ChainRecord
from protocol.inbox import Delivery
from protocol.mechanism import RulesView
from protocol.mechanisms.proof_of_training.job import ProtocolParameters
from protocol.mechanisms.proof_of_training.judging import OwnTraining
from protocol.mechanisms.proof_of_training.mechanism import ProofOfTraining, get_training
from protocol.mechanisms.proof_of_training.messages import TrainingDeclaration
from protocol.mechanisms.proof_of_training.reasons import Right
from protocol.mechanisms.proof_of_training.round import MAX_DECLARATIONS, has_confidence
from protocol.mechanisms.proof_of_training.secret import commit
from protocol.messages import Message
from protocol.rules import Rules
from protocol.turn import SELF, Turn
from protocol.types import AccountId, Hash32
from simulation.attacks import Coalition
from simulation.mechanisms.proof_of_training.behaviours.nonces import NonceSigner

Declarations = Mapping[AccountId, TrainingDeclaration]

MAX_SLOTS_BACK: Final = 5_000
"""Slots after a parent's that are searched for rights."""


@dataclass(frozen=True, slots=True)
class Place:
    """What colluders build on, and with."""

    parent: ChainRecord
    own: OwnTraining
    """What they say they have trained on it."""
    others: Sequence[TrainingDeclaration]
    """Declarations of everybody else with the same weights."""
    rival: ChainRecord | None = None
    """A block on the same parent that theirs has to beat in a tie."""


@dataclass(slots=True)
class Effort:
    """How many hashes may still be computed."""

    headers: int
    blocks: int

    def take_headers(self, wanted: int) -> int:
        """Return how many of so many headers may be hashed, and count them."""
        granted = max(0, min(wanted, self.headers))
        self.headers -= granted
        return granted

    def take_block(self) -> bool:
        """Return whether one more block may be hashed, and count it."""
        self.blocks -= 1
        return self.blocks >= 0


class Members:
    """The members of a coalition on one chain: their rights, and what they declare."""

    def __init__(self, coalition: Coalition, rules: RulesView) -> None:
        """Take who they are, and the chain."""
        self.judge: Final[ProofOfTraining] = get_training(rules)
        self.rules: Final = Rules(self.judge)
        """The same rules, which remember nothing of all that is only tried."""
        self.keys: Final[Mapping[AccountId, KeyPair]] = coalition.keys
        self._signers = {signer.public: signer for signer in map(NonceSigner, coalition.key_seeds)}
        self._rights: dict[tuple[Right, Hash32], tuple[int, list[tuple[int, AccountId]]]] = {}
        """Rights won on a parent, and the first slot that has not been searched."""
        self._declared: dict[tuple[Hash32, Hash32], dict[AccountId, TrainingDeclaration]] = {}
        """The members' declarations, by parent and secret."""
        self._used: set[tuple[Hash32, int, AccountId]] = set()

    @property
    def parameters(self) -> ProtocolParameters:
        """The rules' numbers."""
        return self.judge.genesis.parameters

    # ---- rights ----

    def list_won(self, right: Right, parent: ChainRecord, slots: Iterable[int]) -> list[tuple[int, AccountId]]:
        """Return in which of some slots members have won a right on a parent."""
        return [(slot, member) for slot in slots for member in self.keys if self._has_won(right, parent, slot, member)]

    def _has_won(self, right: Right, parent: ChainRecord, slot: int, member: AccountId) -> bool:
        return self.judge.has_won(right, parent, slot, member)

    def list_rights(self, right: Right, parent: ChainRecord, last: int) -> list[tuple[int, AccountId]]:
        """Return the slots up to one in which members have won a right that may still be used, the earliest first."""
        first = parent.slot + (right is Right.PROPOSE and self.judge.has_single_rights)
        after, won = self._rights.setdefault((right, parent.hash), (first, []))
        until = min(last, first + MAX_SLOTS_BACK) + 1
        if until > after:
            won += self.list_won(right, parent, range(after, until))
            self._rights[right, parent.hash] = until, won
        is_single = right is Right.PROPOSE and self.judge.has_single_rights
        return [item for item in won if item[0] <= last and not (is_single and self.is_used(parent, item))]

    def use(self, parent: ChainRecord, right: tuple[int, AccountId]) -> None:
        """Note that a right to propose has been used."""
        self._used.add(self._name(parent, right))

    def is_used(self, parent: ChainRecord, right: tuple[int, AccountId]) -> bool:
        """Return whether a right to propose has been used, on this parent or, if it is good for one block, on any."""
        return self._name(parent, right) in self._used

    def _name(self, parent: ChainRecord, right: tuple[int, AccountId]) -> tuple[Hash32, int, AccountId]:
        return (b"" if self.judge.has_single_rights else parent.hash, *right)

    # ---- declarations ----

    def declare(self, parent: ChainRecord, own: OwnTraining, last: int) -> dict[AccountId, TrainingDeclaration]:
        """Return the members' declarations, each in the first slot it has won since the parent's."""
        known = self._declared.setdefault((parent.hash, own.secret), {})
        for slot, member in self.list_rights(Right.DECLARE, parent, last):
            if member not in known:
                known[member] = self._declare(parent, own, slot, self.keys[member])
        return {member: item for member, item in known.items() if item.slot <= last}

    def _declare(self, parent: ChainRecord, own: OwnTraining, slot: int, keys: KeyPair) -> TrainingDeclaration:
        chain_id, height = self.rules.chain_id, parent.height + 1
        secret = self.judge.find_secret(own, keys.public)
        declaration = TrainingDeclaration(
            height=height,
            parent=parent.hash,
            slot=slot,
            author=keys.public,
            weights_digest=own.weights_digest,
            profile=self.judge.genesis.job.profile,
            commitment=commit(keys, chain_id, height, parent.hash, secret),
        )
        return keys.sign(chain_id, declaration)

    def is_enough(self, parent: ChainRecord, authors: Iterable[AccountId]) -> bool:
        """Return whether declarations of some authors are enough for a header."""
        return has_confidence(self.parameters.confidence, parent.state.stakes, frozenset(authors))

    def choose(
        self, place: Place, slot: int, mine: Declarations, turn: int = 0
    ) -> tuple[TrainingDeclaration, ...] | None:
        """Return the declarations of a header: the members' own, and as few of others as it needs.

        Args:
            place: What the header builds on, and others' declarations.
            slot: Its slot; what is declared later does not count.
            mine: The members' declarations.
            turn: Which others come first.

        Returns:
            By ascending author; None where they are not enough.
        """
        parent = place.parent
        chosen = {author: item for author, item in mine.items() if item.slot <= slot}
        timely = [item for item in place.others if item.slot <= slot]
        for index in range(len(timely)):
            if self.is_enough(parent, chosen):
                break
            item = timely[(index + turn) % len(timely)]
            chosen[item.author] = item
        if not self.is_enough(parent, chosen) or len(chosen) > MAX_DECLARATIONS:
            return None
        return tuple(chosen[author] for author in sorted(chosen))

    def can_end(self, parent: ChainRecord) -> bool:
        """Return whether members can do all that a block on a parent needs, if they have the rights."""
        return len(self.keys) >= self.parameters.stakeholders and self.is_enough(parent, self.keys)


def say(rules: RulesView, turn: Turn, message: Message) -> None:
    """Send a message that is signed already, whoever its author is, and judge it like anyone else's."""
    turn.add(Broadcast(message))
    frame = encode_frame(rules.chain_id, message)
    turn.pending.append(Delivery(SELF, message, frame, sha256(frame).digest(), len(frame)))
