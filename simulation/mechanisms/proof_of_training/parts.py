"""What proof of training contributes outside the core: where each part is. Naming them here loads none."""

from typing import Final

_HERE: Final = "simulation.mechanisms.proof_of_training"

PARTS: Final = {
    "genesis": f"{_HERE}.genesis:build_mechanism",
    "data": f"{_HERE}.data:load_data",
    "behaviours": f"{_HERE}.behaviours.catalogue:add_behaviours",
    "junk": f"{_HERE}.behaviours.junk:make_declaration",
    "virtual_tools": f"{_HERE}.virtual_tools:TrainingTools",
    "party_tools": f"{_HERE}.party_tools:TrainingTools",
    "reporter": f"{_HERE}.reporter:TrainingReporter",
    "journal_words": f"{_HERE}.journal_words:TrainingWords",
    "chain_lines": f"{_HERE}.chain_lines:TrainingLines",
    "measures": f"{_HERE}.measures:measure_training",
    "useful": f"{_HERE}.useful:find_useful_training",
    "pictures": f"{_HERE}.pictures:PICTURES",
    "compared": f"{_HERE}.compared:COMPARED",
    "summary": f"{_HERE}.summary:summarise_training",
    "view": f"{_HERE}.view:TrainingView",
    "promises": f"{_HERE}.promises:TrainingPromises",
    "closed_forms": f"{_HERE}.closed_forms:predict",
    "certificates": f"{_HERE}.certificates:TrainingCertificates",
    "fuzz": f"{_HERE}.fuzz:TrainingFuzz",
    "soak": f"{_HERE}.soak:TrainingDraws",
    "delivered": f"{_HERE}.delivery:load_delivered",
    "verification": f"{_HERE}.verification:TrainingVerification",
}
