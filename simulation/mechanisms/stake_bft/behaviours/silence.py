"""Adversaries that do not vote."""

from collections.abc import Iterable

from protocol.events import Broadcast, Noted
from protocol.mechanisms.stake_bft.facts import Proposed
from protocol.mechanisms.stake_bft.messages import Proposal, Vote
from protocol.types import Nanoseconds
from simulation.attacks import Action, Adversary, Core, Traits


class BftSilent(Adversary):
    """Goal: have no block become final.

    It knows what any node knows. It passes on, answers and follows like an honest node, but neither proposes nor
    votes. Expected: with less than a third of the stake it costs the rounds in which it should have proposed; with a
    third or more nothing becomes final any more.
    """

    kind = "bft_silent"
    mechanism = "stake_bft"
    does = "neither proposes nor votes"
    expected = "below a third of the stake, rounds that time out; from a third on, a standstill that says so"
    traits = Traits(passes_on=True, does_its_part=False, may_jam=False, is_mute=True)

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Drop its own words, and the note that it has proposed."""
        is_word = isinstance(action, Broadcast) and isinstance(action.message, Proposal | Vote)
        is_note = isinstance(action, Noted) and isinstance(action.fact, Proposed)
        return () if is_word or is_note else (action,)
