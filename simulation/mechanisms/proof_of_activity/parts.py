"""What proof of activity contributes outside the core: where each part is. Naming them here loads none.

Nonces are looked for as under proof of work, by the same tools.
"""

from typing import Final

_HERE: Final = "simulation.mechanisms.proof_of_activity"
_WORK: Final = "simulation.mechanisms.proof_of_work"

PARTS: Final = {
    "keys": f"{_HERE}.keys:ActivityKeys",
    "genesis": f"{_HERE}.genesis:build_mechanism",
    "behaviours": f"{_HERE}.behaviours.catalogue:add_behaviours",
    "virtual_tools": f"{_WORK}.virtual_tools:WorkTools",
    "party_tools": f"{_WORK}.party_tools:WorkTools",
    "reporter": f"{_HERE}.reporter:ActivityReporter",
    "journal_words": f"{_HERE}.journal_words:ActivityWords",
    "chain_lines": f"{_HERE}.chain_lines:ActivityLines",
    "measures": f"{_HERE}.measures:measure_activity",
    "compared": f"{_HERE}.compared:COMPARED",
    "summary": f"{_HERE}.summary:summarise_activity",
    "view": f"{_HERE}.view:ActivityView",
    "promises": f"{_HERE}.promises:ActivityPromises",
    "closed_forms": f"{_HERE}.closed_forms:predict",
    "verification": f"{_WORK}.verification:WorkVerification",
    "junk": f"{_HERE}.behaviours.junk:make_template",
    "fuzz": f"{_HERE}.fuzz:ActivityFuzz",
    "soak": f"{_HERE}.soak:ActivityDraws",
}
