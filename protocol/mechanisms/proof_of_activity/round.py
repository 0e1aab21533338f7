"""What a node has collected on one parent: templates, and the signatures of each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from protocol.cosigning import SignatureBook
from protocol.mechanisms.proof_of_activity.group import Group
from protocol.mechanisms.proof_of_activity.messages import Cosignature, Template
from protocol.types import AccountId, Hash32

MAX_TEMPLATES: Final = 32
"""Templates of one miner on one parent that are kept: for a new one its oldest goes, which is most likely dead. Nobody
takes the room of another miner, and each costs the work of a block."""


@dataclass(slots=True)
class Draft:
    """A template that was found valid, and what became of it."""

    template: Template
    group: Group
    book: SignatureBook[Cosignature]
    due_slot: int
    """Slot from which on its closer no longer waits for signatures that are not needed."""
    has_signed: bool = False
    """This node was drawn and has sent its signature."""
    has_closed: bool = False
    """This node was to close the block, and has."""


@dataclass(slots=True)
class Round:
    """Everything collected for blocks on one parent."""

    found: int = 0
    """Templates that this node has found itself."""
    _drafts: dict[Hash32, Draft] = field(default_factory=dict)
    _by_miner: dict[AccountId, dict[Hash32, Draft]] = field(default_factory=dict)
    """The same once more, of each miner."""
    _gone: set[Hash32] = field(default_factory=set)
    """Templates that had to go: their miner can sign each anew without end, and it would be passed on each time."""

    @property
    def drafts(self) -> Mapping[Hash32, Draft]:
        """Templates by hash, in order of arrival."""
        return MappingProxyType(self._drafts)

    def has_had(self, template_hash: Hash32) -> bool:
        """Return whether a template was found valid before, be it kept or not."""
        return template_hash in self._drafts or template_hash in self._gone

    def add(self, template_hash: Hash32, draft: Draft) -> None:
        """Keep a judged template, in the place of its miner's oldest if that has too many."""
        own = self._by_miner.setdefault(draft.template.author, {})
        if len(own) >= MAX_TEMPLATES:
            oldest = next(iter(own))
            del own[oldest], self._drafts[oldest]
            self._gone.add(oldest)
        own[template_hash] = self._drafts[template_hash] = draft

    def get_drafts_of(self, miner: AccountId) -> Mapping[Hash32, Draft]:
        """Return a miner's templates by hash, in order of arrival."""
        return MappingProxyType(self._by_miner.get(miner, {}))

    def snapshot(self) -> tuple[object, ...]:
        """Return all of it as plain values."""
        return (self.found, tuple(self._list_drafts()))

    def _list_drafts(self) -> Iterator[tuple[object, ...]]:
        for key, draft in sorted(self._drafts.items()):
            signers = tuple(signature.author for signature in draft.book.get_signatures())
            yield (key, draft.has_signed, draft.has_closed, signers)
