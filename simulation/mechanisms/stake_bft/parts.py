"""What votes of stake contribute outside the core: where each part is. Naming them here loads none."""

from typing import Final

_HERE: Final = "simulation.mechanisms.stake_bft"

PARTS: Final = {
    "keys": f"{_HERE}.keys:BftKeys",
    "genesis": f"{_HERE}.genesis:build_mechanism",
    "closed_forms": f"{_HERE}.closed_forms:predict",
    "behaviours": f"{_HERE}.behaviours.catalogue:add_behaviours",
    "reporter": f"{_HERE}.reporter:BftReporter",
    "journal_words": f"{_HERE}.journal_words:BftWords",
    "chain_lines": f"{_HERE}.chain_lines:BftLines",
    "measures": f"{_HERE}.measures:measure_votes",
    "compared": f"{_HERE}.compared:COMPARED",
    "summary": f"{_HERE}.summary:summarise_votes",
    "view": f"{_HERE}.view:BftView",
    "promises": f"{_HERE}.promises:BftPromises",
    "verification": f"{_HERE}.verification:BftVerification",
    "fuzz": f"{_HERE}.fuzz:BftFuzz",
    "soak": f"{_HERE}.soak:BftDraws",
}
