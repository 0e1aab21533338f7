"""The employer's view of the chain: everything is checked except the training itself."""

from protocol.messages import WrappedBlock
from protocol.participant import Participant, Turn
from protocol.verdicts import Ignore, Reason, Verdict


class LightClient(Participant):
    """Follows the heaviest chain.

    The first chain that holds every stage is the delivery: from then on no chain with other final weights is followed,
    because the model has been taken and paid for.
    """

    @property
    def is_delivered(self) -> bool:
        """Whether the chain holds every stage of the job."""
        return self.tree.head.height == self.rules.genesis.job.stages

    def _announce(self, turn: Turn) -> None:
        """Say nothing: a light client serves no blocks."""

    def _judge_block(self, turn: Turn, block: WrappedBlock) -> Verdict:
        delivered = self.tree.head.block if self.is_delivered else None
        if delivered is not None and block.header.weights_digest != delivered.header.weights_digest:
            return Ignore(Reason.JOB_DELIVERED)
        return super()._judge_block(turn, block)
