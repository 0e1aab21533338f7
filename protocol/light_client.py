"""A light client: it follows the chain without doing any work for it, and serves no blocks."""

from protocol.participant import Participant


class LightClient(Participant):
    """A participant without a proposer.

    The first chain it sees that is complete is the delivery: from then on the mechanism says which blocks it still
    follows, because what was delivered has been taken and paid for.
    """
