"""Nodes under fire, ready to be fired at: generators, plans and networks as a seed draws them."""

from random import Random

from protocol.node import Node
from protocol.rules import Rules
from simulation.commands.checks.fuzzing.fuzz import draw_plan
from simulation.commands.checks.fuzzing.fuzzed_network import FuzzedNetwork, FuzzPlan
from simulation.commands.checks.fuzzing.mutator import Mutator
from simulation.foundation.randomness import derive_random

TRAINING = "proof_of_training"


def make_generator(seed: int) -> Random:
    return derive_random(seed, "fuzz")


def make_plan(seed: int, mechanism: str = TRAINING) -> FuzzPlan:
    """Return the plan that `run_seed` draws."""
    return draw_plan(make_generator(seed), seed, mechanism)


def make_network(seed: int, victim: type[Node] = Node, mechanism: str = TRAINING) -> FuzzedNetwork:
    """Return a network whose victim gets no frames yet."""
    plan = make_plan(seed, mechanism)
    mutator = Mutator(make_generator(seed), Rules(plan.world.mechanism), [], plan.kit)
    return FuzzedNetwork(plan, mutator, make_generator(seed), batch=0, frames=0, victim=victim)
