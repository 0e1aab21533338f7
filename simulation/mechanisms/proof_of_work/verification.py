"""What can be said of a stored chain by work besides that it holds: whether its nonces show any work."""

from protocol.mechanisms.proof_of_work.mechanism import get_work_genesis
from simulation.commands.checks import Verification


class WorkVerification(Verification):
    """Says what was looked at: every nonce has been, with the chain."""

    def find_kept_fault(self) -> str | None:
        """Say what the nonces of the chain show, since nothing is kept beside it."""
        is_shown = get_work_genesis(self.mechanism).proof == "hashes"
        shown = "each nonce shows its work" if is_shown else "nonces are stand-ins of simulated time; none shows work"
        self.say(f"work: {shown}")
        return None
