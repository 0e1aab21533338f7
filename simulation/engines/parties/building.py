"""From a node's specification to its core and behaviour; both engines and `replay` build nodes here."""

from collections.abc import Sequence
from functools import partial

from protocol.messages import Transaction
from protocol.node import Node
from protocol.rules import Rules
from simulation.attacks import Adversary, Behaviour, Honest, Layered, build_proposer_type
from simulation.engines import CountingKeys
from simulation.foundation import derive_generator
from simulation.scenario.world import NodeSpec, make_keys


def build_node(spec: NodeSpec, rules: Rules, *, is_relaying: bool = False) -> tuple[Node, Behaviour]:
    """Return a node's core and what stands in front of it."""
    adversaries = [
        item.behaviour.build(derive_generator(spec.behaviour_seed, "behaviour", index), spec.coalition, item.parameters)
        for index, item in enumerate(spec.behaviours)
    ]
    proposer = build_proposer_type(adversaries)
    make_proposer = partial(proposer, rules.mechanism) if proposer is not None else None
    core = Node(
        rules,
        CountingKeys(make_keys(spec.key_seed)),
        is_relaying=is_relaying,
        make_proposer=make_proposer,
        choose=partial(_choose, adversaries) if adversaries else None,
    )
    return core, Layered(adversaries) if adversaries else Honest()


def _choose(adversaries: Sequence[Adversary], transactions: tuple[Transaction, ...]) -> tuple[Transaction, ...]:
    """Return what all of some behaviours would put into a block."""
    for adversary in adversaries:
        transactions = adversary.choose(transactions)
    return transactions
