"""From a node's specification to its core and behaviour; both engines and `replay` build nodes here."""

from protocol.node import PoTNode
from protocol.validation import Rules
from simulation.attacks.behaviour import Behaviour, Honest
from simulation.attacks.catalogue import CATALOGUE
from simulation.attacks.coalition import Coalition
from simulation.attacks.layers import Adversary, Layered, build_core_type
from simulation.foundation.randomness import derive_generator
from simulation.foundation.units import NANOSECONDS
from simulation.scenario.populations import BehaviourSection
from simulation.scenario.world.building import NodeSpec, make_keys


def build_node(spec: NodeSpec, rules: Rules) -> tuple[PoTNode, Behaviour]:
    """Return a node's core and what stands in front of it."""
    adversaries = [
        _build(section, index, spec.behaviour_seed, spec.coalition) for index, section in enumerate(spec.behaviours)
    ]
    core = build_core_type(adversaries)(rules, make_keys(spec.key_seed))
    return core, Layered(adversaries) if adversaries else Honest()


def _build(section: BehaviourSection, index: int, seed: int, coalition: Coalition) -> Adversary:
    generator = derive_generator(seed, "behaviour", index)
    parameters = {
        "what": section.what,
        "rate": section.rate,
        "release_ns": round(section.release_s * NANOSECONDS) if section.release_s is not None else None,
    }
    given = {name: value for name, value in parameters.items() if value is not None}
    adversary: Adversary = CATALOGUE[section.kind](generator, coalition, **given)
    return adversary
