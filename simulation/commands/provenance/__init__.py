"""Commands that look things up in a stored chain: who did what, one block, one transaction."""

from typing import TYPE_CHECKING

from simulation.foundation import open_door

if TYPE_CHECKING:
    from simulation.commands.provenance.events import ChainEvent, list_events
    from simulation.commands.provenance.finding import LookUpError
    from simulation.commands.provenance.opened_chain import ChainFolderError, OpenedChain, open_chain
    from simulation.commands.provenance.records import describe_block, describe_event, describe_transaction
    from simulation.commands.provenance.showing import show_audit, show_block, show_transaction
else:
    __getattr__, __dir__ = open_door(
        __name__,
        {
            "events": "ChainEvent list_events",
            "finding": "LookUpError",
            "opened_chain": "ChainFolderError OpenedChain open_chain",
            "records": "describe_block describe_event describe_transaction",
            "showing": "show_audit show_block show_transaction",
        },
    )

__all__ = [
    "ChainEvent",
    "ChainFolderError",
    "LookUpError",
    "OpenedChain",
    "describe_block",
    "describe_event",
    "describe_transaction",
    "list_events",
    "open_chain",
    "show_audit",
    "show_block",
    "show_transaction",
]
