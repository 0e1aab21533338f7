"""Adversaries that want the reward of training without the training."""

from collections.abc import Iterable
from typing import Final

import msgspec
import numpy as np

from protocol.events import Broadcast, ChainRecord, Event
from protocol.mechanisms.proof_of_training.judging import OwnTraining
from protocol.mechanisms.proof_of_training.mechanism import get_training
from protocol.mechanisms.proof_of_training.messages import BlockHeader, TrainingDeclaration
from protocol.mechanisms.proof_of_training.phases import Trigger
from protocol.mechanisms.proof_of_training.proposer import TrainingProposer
from protocol.mechanisms.proof_of_training.reasons import Right
from protocol.mechanisms.proof_of_training.secret import commit
from protocol.messages import Message
from protocol.slots import compute_slot
from protocol.turn import Turn
from protocol.types import Hash32, Nanoseconds
from protocol.verdicts import Wait
from simulation.attacks import Action, Adversary, Coalition, Core, Traits, read_message

MAX_SLOTS_BACK: Final = 1_000
"""Slots that are searched for one that was won."""


class Trusting(TrainingProposer):
    """A proposer without a training of its own: it checks everything else, as the employer does."""

    def find_own(self, parent: ChainRecord, message: Message) -> OwnTraining | Wait | None:
        """Know nothing, and so take others' word for it."""
        return None

    def show_secret(self, header: BlockHeader) -> Hash32:
        """Show the proposer's secret, for want of its own."""
        return header.training_secret

    def enter_round(self, turn: Turn) -> None:
        """Begin the round on the head at once: there is nothing to train."""
        if self.head.height == self.node.rules.chain.length:
            self.advance(turn, Trigger.JOB_COMPLETE)
            return
        self.advance(turn, Trigger.HEAD_MOVED)
        self.advance(turn, Trigger.TRAINED)
        round_ = self.open_round(self.head.hash)
        if round_.is_revealed:
            self.advance(turn, Trigger.SECRET_REVEALED)
        self.serve_proposals(turn, round_)

    def use_passed_rights(self, turn: Turn, first: int) -> None:
        """Propose nothing."""


class LazyVerifier(Adversary):
    """Goal: save the cost of training, and be paid as a stakeholder all the same (the verifier's dilemma).

    It knows what any node knows. It never trains, so it never declares or proposes; what others declare and propose it
    takes for right, signs and wraps. Expected: while those who train are honest it costs nobody anything; with
    attackers it lends them its stake: a poisoned header needs K stakeholders that are lazy or poisoned.
    """

    kind = "lazy_verifier"
    mechanism = "proof_of_training"
    does = "trains nothing; takes for right, signs and wraps what others propose"
    expected = "lends its stake to whoever proposes"
    traits = Traits(passes_on=True, does_its_part=False)

    proposer = Trusting


class FreeRider(LazyVerifier):
    """Goal: be paid as a declarer without training.

    It knows what any node knows. It copies the first declaration of others in each round under its own name and, when a
    header shows the secret, declares with that. Expected: a copied commitment is no signature of its own
    (`bad-commitment`); for whoever has seen the header the window is closed (`window-closed`). Only where its
    declaration overtakes the header at a later proposer, and that header dies, is it among the declarers that are paid.
    As a stakeholder it is paid like a lazy verifier.
    """

    kind = "free_rider"
    mechanism = "proof_of_training"
    does = "trains nothing; copies a commitment, and declares with the secret once a header shows it"
    expected = "`bad-commitment`, `window-closed`: paid as a declarer only where it overtakes a header that dies"
    traits = Traits(passes_on=True, does_its_part=False)

    def __init__(self, generator: np.random.Generator, coalition: Coalition) -> None:
        """Begin with nothing copied."""
        super().__init__(generator, coalition)
        self._copied: set[Hash32] = set()
        self._reused: set[Hash32] = set()

    def act(self, core: Core, event: Event, now: Nanoseconds) -> Iterable[Action]:
        """Copy a commitment, or use a secret that has been shown."""
        message = read_message(core, event)
        if isinstance(message, TrainingDeclaration) and message.parent not in self._copied:
            declaration = self._declare(core, message, message.commitment, now)
            if declaration is not None:
                self._copied.add(message.parent)
                yield Broadcast(declaration)
        elif isinstance(message, BlockHeader) and message.parent not in self._reused:
            chain, secret = core.rules.chain_id, message.training_secret
            commitment = commit(core.keys, chain, message.height, message.parent, secret)
            declaration = self._declare(core, message, commitment, now)
            if declaration is not None:
                self._reused.add(message.parent)
                yield Broadcast(declaration)

    def _declare(
        self, core: Core, source: TrainingDeclaration | BlockHeader, commitment: bytes, now: Nanoseconds
    ) -> TrainingDeclaration | None:
        """Return a declaration in a slot it has won, if there is one."""
        parent = core.tree.get(source.parent)
        if parent is None:
            return None
        last = compute_slot(now, core.rules.chain.slot_ns)
        pot = get_training(core.rules)
        for slot in range(last, max(parent.slot, last - MAX_SLOTS_BACK) - 1, -1):
            if pot.has_won(Right.DECLARE, parent, slot, core.keys.public):
                declaration = TrainingDeclaration(
                    height=source.height,
                    parent=source.parent,
                    slot=slot,
                    author=core.keys.public,
                    weights_digest=source.weights_digest,
                    profile=pot.genesis.job.profile,
                    commitment=commitment,
                )
                return core.keys.sign(core.rules.chain_id, declaration)
        return None


class DeclarationSpoiler(Adversary):
    """Goal: make honest headers invalid by having them carry a junk declaration.

    It knows what any node knows. It trains, and declares in slots it has won, with a commitment that is none. Expected:
    a proposer knows the secret and includes only what it has checked, so `bad-commitment` and no effect. A proposer
    that included what it was sent would never get a header accepted.
    """

    kind = "declaration_spoiler"
    mechanism = "proof_of_training"
    does = "declares with a commitment that is none"
    expected = "`bad-commitment`; honest headers leave it out"
    traits = Traits(passes_on=True, does_its_part=False)

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Spoil its own declarations."""
        if isinstance(action, Broadcast) and isinstance(action.message, TrainingDeclaration):
            spoiled = msgspec.structs.replace(action.message, commitment=self.rng.bytes(64))
            return (Broadcast(core.keys.sign(core.rules.chain_id, spoiled)),)
        return (action,)
