"""A page in the browser, on this machine alone, to open runs, start them, and build a chain by hand."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.explorer.going import GoingRun
    from simulation.explorer.serving import serve
    from simulation.explorer.watching import watch_page
else:
    __getattr__, __dir__ = open_door(__name__, {"going": "GoingRun", "serving": "serve", "watching": "watch_page"})

__all__ = ["GoingRun", "serve", "watch_page"]
