"""A node: a participant that keeps transfers and takes part in making blocks."""

from collections.abc import Callable

from protocol.crypto import KeyPair
from protocol.mechanism import NodeView, Proposer
from protocol.mempool import Mempool
from protocol.messages import Transaction
from protocol.participant import Participant
from protocol.rules import Rules

Choice = Callable[[tuple[Transaction, ...]], tuple[Transaction, ...]]
"""Returns what a node takes of some transfers, in their order."""


class Node(Participant):
    """A participant with a proposer."""

    proposer: Proposer
    mempool: Mempool

    def __init__(
        self,
        rules: Rules,
        keys: KeyPair,
        *,
        is_relaying: bool = False,
        make_proposer: Callable[[NodeView], Proposer] | None = None,
        choose: Choice | None = None,
    ) -> None:
        """Start at the genesis.

        Args:
            rules: The chain's rules; participants of one process may share them.
            keys: This node's own key.
            is_relaying: Whether accepted messages are passed on, as they must be where the network is no full mesh.
            make_proposer: Makes its proposer; None for the mechanism's own.
            choose: What it takes of the transfers that a block may carry, in their order; None for all.
        """
        super().__init__(rules, keys, is_relaying=is_relaying)
        self.mempool = Mempool(rules.chain.opening_deposit, rules.mechanism.bonding)
        self._choose = choose
        self.proposer = (make_proposer or rules.mechanism.make_proposer)(self)

    def select_transactions(self) -> tuple[Transaction, ...]:
        """Return the transfers that a block on the head may carry, as far as this node would put them into one."""
        selected = self.mempool.select(self.tree.head.state, self.rules.chain.max_transactions)
        return selected if self._choose is None else self._choose(selected)

    def restore(self, before: "Node") -> None:
        """Take over what this node had on its disk when it went down: blocks, and what its proposer had there."""
        self.tree = before.tree
        self.proposer.restore(before.proposer)
