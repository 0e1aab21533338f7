"""What a plug-in imports: functions that register its own parts."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.plugins.behaviours import SAYINGS, Action, Adversary, Core, Parameters, Traits, register_behaviour
    from simulation.plugins.measures import register_measure, register_picture
    from simulation.plugins.mechanisms import register_mechanism
    from simulation.plugins.networks import register_latency, register_topology
    from simulation.plugins.poisons import Images, Labels, Rows, register_poison
    from simulation.plugins.training import register_data_set, register_model, register_optimizer
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "behaviours": "SAYINGS Action Adversary Core Parameters Traits register_behaviour",
            "measures": "register_measure register_picture",
            "mechanisms": "register_mechanism",
            "networks": "register_latency register_topology",
            "poisons": "Images Labels Rows register_poison",
            "training": "register_data_set register_model register_optimizer",
        },
    )

__all__ = [
    "SAYINGS",
    "Action",
    "Adversary",
    "Core",
    "Images",
    "Labels",
    "Parameters",
    "Rows",
    "Traits",
    "register_behaviour",
    "register_data_set",
    "register_latency",
    "register_measure",
    "register_mechanism",
    "register_model",
    "register_optimizer",
    "register_picture",
    "register_poison",
    "register_topology",
]
