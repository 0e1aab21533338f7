"""What can be said of a stored chain by stake besides that it holds: how its leaders were drawn."""

from protocol.mechanisms.stake_chain.mechanism import as_stake_chain
from simulation.commands.checks import Verification


class StakeVerification(Verification):
    """Says what was looked at: every leader has been, with the chain."""

    def find_kept_fault(self) -> str | None:
        """Say what leaders were drawn by, since nothing is kept beside the chain."""
        is_seeded = as_stake_chain(self.mechanism).is_seeded
        drawn = "secrets that were committed to before" if is_seeded else "the block below, which its author chooses"
        self.say(f"stake: each block is its slot's leader's, drawn by {drawn}")
        return None
