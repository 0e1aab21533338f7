"""What a node has collected for one parent: one entry for each signer, never a count of messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from protocol.cosigning import SignatureBook
from protocol.mechanisms.proof_of_training.job import Confidence
from protocol.mechanisms.proof_of_training.messages import BlockHeader, StakeholderSignature, TrainingDeclaration
from protocol.messages import Message
from protocol.stakes import StakeTable
from protocol.types import PARTS_PER_MILLION, AccountId, Hash32

MAX_DECLARATIONS: Final = 1_500
"""Declarations a header may hold, so that a whole block of some hundred stakeholders still fits into a frame."""


def has_confidence(rule: Confidence, stakes: StakeTable, authors: frozenset[AccountId]) -> bool:
    """Return whether declarations of these distinct authors are enough for a header."""
    if rule.rule == "count":
        return len(authors) >= rule.value
    held = sum(stakes.get_stake(author) for author in authors)
    return held * PARTS_PER_MILLION > rule.value * stakes.total


@dataclass(slots=True)
class Proposal:
    """A header that was found valid, and what became of it."""

    header: BlockHeader
    book: SignatureBook[StakeholderSignature]
    has_signed: bool = False
    """This node was chosen and has sent its signature."""
    has_wrapped: bool = False
    """This node was the last chosen and has wrapped the block."""


@dataclass(slots=True)
class Round:
    """Everything collected for blocks on one parent."""

    has_declared: bool = False
    """This node has sent its own declaration."""
    declared_stake: int = 0
    """Stake of all whose declaration is here."""
    is_revealed: bool = False
    """A valid header was seen: the secret is public and no declaration counts any more."""
    _declarations: dict[AccountId, TrainingDeclaration] = field(default_factory=dict)
    _proposals: dict[Hash32, Proposal] = field(default_factory=dict)
    _header_slots: dict[tuple[AccountId, int], Hash32] = field(default_factory=dict)

    @property
    def declarations(self) -> Mapping[AccountId, TrainingDeclaration]:
        """First declaration of each author."""
        return MappingProxyType(self._declarations)

    @property
    def proposals(self) -> Mapping[Hash32, Proposal]:
        """Valid headers by hash."""
        return MappingProxyType(self._proposals)

    def add_declaration(self, declaration: TrainingDeclaration) -> None:
        """Keep a judged declaration."""
        self._declarations.setdefault(declaration.author, declaration)

    def add_proposal(self, header_hash: Hash32, proposal: Proposal) -> None:
        """Keep a judged header; it ends the time for declarations."""
        self._proposals[header_hash] = proposal
        self._header_slots[proposal.header.author, proposal.header.slot] = header_hash
        self.is_revealed = True

    def get_header_in_slot(self, author: AccountId, slot: int) -> Hash32 | None:
        """Return the header an author has sent in a slot."""
        return self._header_slots.get((author, slot))

    def choose_declarations(
        self, stakes: StakeTable, last_slot: int, weights_digest: Hash32
    ) -> tuple[TrainingDeclaration, ...]:
        """Return what a header in slot ``last_slot`` carries: by ascending author, those of most stake if too many.

        Only declarations of the header's own weights belong into it: those of near ones commit to other secrets.
        """
        declarations = self._declarations.values()
        timely = [item for item in declarations if item.slot <= last_slot and item.weights_digest == weights_digest]
        timely.sort(key=lambda item: (-stakes.get_stake(item.author), item.author))
        return tuple(sorted(timely[:MAX_DECLARATIONS], key=lambda item: item.author))

    def list_messages(self) -> list[Message]:
        """Return all that was collected: headers with their signatures, the latest first, then declarations."""
        found: list[Message] = []
        for proposal in reversed(self._proposals.values()):
            found += (proposal.header, *proposal.book.get_signatures())
        return [*found, *self._declarations.values()]

    def snapshot(self) -> tuple[object, ...]:
        """Return all of it as plain values."""
        return (
            self.has_declared,
            self.is_revealed,
            tuple(sorted((author, item.signature) for author, item in self._declarations.items())),
            tuple(
                (key, item.has_signed, item.has_wrapped, tuple(one.author for one in item.book.get_signatures()))
                for key, item in sorted(self._proposals.items())
            ),
        )
