"""A page in the browser, on this machine alone, to open runs, start them, and build a chain by hand."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.explorer.form import list_fields
    from simulation.explorer.serving import serve
else:
    __getattr__, __dir__ = open_door(__name__, {"form": "list_fields", "serving": "serve"})

__all__ = ["list_fields", "serve"]
