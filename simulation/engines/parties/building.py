"""From a node's specification to its core and behaviour; both engines and `replay` build nodes here."""

from functools import partial

from protocol.node import Node
from protocol.rules import Rules
from simulation.attacks import Behaviour, Honest, Layered, build_proposer_type
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
    core = Node(rules, make_keys(spec.key_seed), is_relaying=is_relaying, make_proposer=make_proposer)
    return core, Layered(adversaries) if adversaries else Honest()
