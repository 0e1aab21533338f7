"""What of proof of activity stands beside other runs, and in a report: templates, and who made blocks of them."""

from typing import Final

from simulation.analysis import measured, show_share, show_shares
from simulation.mechanisms.proof_of_work import list_power

COMPARED: Final = (
    *list_power(),
    measured("blocks closed, by population", "closed", show_shares),
    measured("templates to a block", "templates.each"),
    measured("dead templates", "templates.dead"),
    measured("hashes of dead templates", "templates.hashes_dead"),
    measured("templates that became blocks", "templates.through", show_share),
)
