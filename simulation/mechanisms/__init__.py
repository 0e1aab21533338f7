"""What each consensus mechanism adds outside the core."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.mechanisms.registry import find_part, register
else:
    __getattr__, __dir__ = open_door(__name__, {"registry": "find_part register"})

__all__ = ["find_part", "register"]
