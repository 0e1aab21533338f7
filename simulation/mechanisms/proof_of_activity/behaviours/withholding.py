"""Adversaries that hold back what a template needs of them."""

from typing import ClassVar, Final

import numpy as np

from protocol.mechanisms.proof_of_activity.messages import Template
from protocol.mechanisms.proof_of_activity.proposer import ActivityProposer
from protocol.types import AccountId
from simulation.attacks import Adversary, Coalition, Traits


class _Partial(ActivityProposer):
    """A proposer that signs and closes for its own side alone."""

    members: ClassVar[frozenset[AccountId]] = frozenset()

    def is_willing(self, template: Template) -> bool:
        """Return whether a member has found the template."""
        return template.author in self.members


class ActivityWithholder(Adversary):
    """Goal: more than its share of the blocks, by letting the work of others die.

    It knows what any node knows, and who its coalition is. It mines like an honest node. Where it is drawn it signs and
    closes only what a member has mined, which others sign for it. Expected: nobody is refused. With a share y of the
    stake an honest template becomes a block with (1 - y)^N, one of its own always; so with a share a of the work it
    makes a / (a + (1 - a) (1 - y)^N) of the blocks. Blocks take longer until the target has followed, and its members
    are not paid for the templates that they let die. Alone it makes blocks only of templates that draw no honest owner:
    to outrun others in private it would need ((1 - y) / y)^N times their hashes.
    """

    kind = "activity_withholder"
    mechanism = "proof_of_activity"
    does = "signs and closes templates of its coalition only"
    expected = (
        "others' templates that draw it die; more than its share of the blocks, by a closed form; nobody is refused"
    )
    traits = Traits(passes_on=True, does_its_part=False, is_strategic=True)

    def __init__(self, generator: np.random.Generator, coalition: Coalition) -> None:
        """Take whom it signs for."""
        super().__init__(generator, coalition)
        self._members: Final = frozenset(coalition.accounts)
        self.proposer = type("Partial", (_Partial,), {"members": self._members})
