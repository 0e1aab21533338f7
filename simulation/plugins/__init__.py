"""What a plug-in imports: functions that register its own parts."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.plugins.poisons import Images, Labels, Rows, register_poison
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "poisons": "Images Labels Rows register_poison",
        },
    )

__all__ = [
    "Images",
    "Labels",
    "Rows",
    "register_poison",
]
