"""From a node's specification to its core and behaviour; both engines and `replay` build nodes here."""

from protocol.node import PoTNode
from protocol.validation import Rules
from simulation.attacks.behaviour import Behaviour, Honest
from simulation.attacks.layers import Layered, build_core_type
from simulation.foundation.randomness import derive_generator
from simulation.scenario.world.key_pairs import make_keys
from simulation.scenario.world.world import NodeSpec


def build_node(spec: NodeSpec, rules: Rules) -> tuple[PoTNode, Behaviour]:
    """Return a node's core and what stands in front of it."""
    adversaries = [
        item.behaviour.build(derive_generator(spec.behaviour_seed, "behaviour", index), spec.coalition, item.parameters)
        for index, item in enumerate(spec.behaviours)
    ]
    core = build_core_type(adversaries)(rules, make_keys(spec.key_seed))
    return core, Layered(adversaries) if adversaries else Honest()
