"""What proof of work contributes outside the core: where each part is. Naming them here loads none."""

from typing import Final

_HERE: Final = "simulation.mechanisms.proof_of_work"

PARTS: Final = {
    "keys": f"{_HERE}.keys:WorkKeys",
    "genesis": f"{_HERE}.genesis:build_mechanism",
    "behaviours": f"{_HERE}.behaviours.catalogue:add_behaviours",
    "virtual_tools": f"{_HERE}.virtual_tools:WorkTools",
    "party_tools": f"{_HERE}.party_tools:WorkTools",
    "reporter": f"{_HERE}.reporter:WorkReporter",
    "journal_words": f"{_HERE}.journal_words:WorkWords",
    "chain_lines": f"{_HERE}.chain_lines:WorkLines",
    "closed_forms": f"{_HERE}.closed_forms:predict",
    "measures": f"{_HERE}.measures:measure_work",
    "compared": f"{_HERE}.compared:COMPARED",
    "summary": f"{_HERE}.summary:summarise_work",
    "view": f"{_HERE}.view:WorkView",
    "promises": f"{_HERE}.promises:WorkPromises",
    "fuzz": f"{_HERE}.fuzz:WorkFuzz",
    "soak": f"{_HERE}.soak:WorkDraws",
    "verification": f"{_HERE}.verification:WorkVerification",
}
