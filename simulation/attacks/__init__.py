"""Behaviours that stand between a node's inputs and its core; they see only what such a node could see."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.attacks.behaviour import SAYINGS, Action, Behaviour, Core, Honest, SendBytes, SendFragment
    from simulation.attacks.catalogue import Catalogue, load_catalogue
    from simulation.attacks.coalition import Coalition
    from simulation.attacks.disruption import Forger
    from simulation.attacks.layers import Adversary, Layered, build_proposer_type, read_message
    from simulation.attacks.rewriting import DoubleSpender
    from simulation.attacks.traits import HONEST, Parameter, Parameters, Traits, list_parameters
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "behaviour": "SAYINGS Action Behaviour Core Honest SendBytes SendFragment",
            "catalogue": "Catalogue load_catalogue",
            "coalition": "Coalition",
            "disruption": "Forger",
            "layers": "Adversary Layered build_proposer_type read_message",
            "rewriting": "DoubleSpender",
            "traits": "HONEST Parameter Parameters Traits list_parameters",
        },
    )

__all__ = [
    "HONEST",
    "SAYINGS",
    "Action",
    "Adversary",
    "Behaviour",
    "Catalogue",
    "Coalition",
    "Core",
    "DoubleSpender",
    "Forger",
    "Honest",
    "Layered",
    "Parameter",
    "Parameters",
    "SendBytes",
    "SendFragment",
    "Traits",
    "build_proposer_type",
    "list_parameters",
    "load_catalogue",
    "read_message",
]
