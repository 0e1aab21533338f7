"""Commands that look things up in a stored chain: who did what, one block, one transaction."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.commands.provenance.finding import LookUpError
    from simulation.commands.provenance.opened_chain import ChainFolderError, OpenedChain, open_chain
    from simulation.commands.provenance.showing import show_audit, show_block, show_transaction
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "finding": "LookUpError",
            "opened_chain": "ChainFolderError OpenedChain open_chain",
            "showing": "show_audit show_block show_transaction",
        },
    )

__all__ = [
    "ChainFolderError",
    "LookUpError",
    "OpenedChain",
    "open_chain",
    "show_audit",
    "show_block",
    "show_transaction",
]
