"""What to call the figures and keys of a sweep, and which figures are shares."""

import re
from typing import Final

_STEM_LENGTH: Final = 80
_NOT_IN_FILES: Final = re.compile(r"[^A-Za-z0-9._-]")

_NAMES: Final = {
    "delivered": "employer has its model",
    "invariants_hold": "invariants hold",
    "attack.employer_deceived": "employer deceived",
    "attack.poisoned_stages_employer": "poisoned stages in the employer's chain",
    "attack.poisoned_stages_honest": "poisoned stages in honest chains",
    "attack.trigger_success": "backdoor's trigger succeeds",
    "chain.forks": "forks",
    "chain.height": "height of the honest chain",
    "chain.honest_agreement": "agreement of honest nodes",
    "chain.reorg_depth_max": "deepest reorganisation",
    "employer.height": "height of the employer's chain",
    "measures.blocks.declarations_each": "declarations to a block",
    "measures.blocks.declarations_repeated_each": "declarations sent again, to a block",
    "measures.blocks.headers_each": "headers to a block",
    "measures.blocks.messages_each": "messages to a block",
    "measures.blocks.seconds_each": "seconds to a block",
    "measures.detection.false_rejection": "honest work rejected",
    "measures.detection.precision": "rejected work that is attackers'",
    "measures.detection.recall": "attackers' work rejected",
    "messages.bytes": "bytes sent",
    "training.coverage": "data set covered by clean stages",
    "training.not_finite_since_stage": "stage since which the model is not finite",
    "training.test_accuracy": "test accuracy",
}

_SHARES: Final = (
    "accuracy",
    "coverage",
    "false_rejection",
    "honest_agreement",
    "precision",
    "recall",
    "trigger_success",
)
"""Last parts of the names of figures that are shares."""

_SHARES_OF_POPULATIONS: Final = ("measures.proposed.", "training.shares.")
"""First parts of the names of figures that are shares, whatever population's name follows."""

_PREFIXES: Final = ("measures.", "attack.", "training.", "detection.", "blocks.", "chain.")


def name_figure(figure: str) -> str:
    """Return what to call a figure: words for those most asked for, the parts of its name for the others."""
    known = _NAMES.get(figure)
    if known is not None:
        return known
    name = figure
    for prefix in _PREFIXES:
        name = name.removeprefix(prefix)
    return name.replace("_", " ").replace(".", ", ")


def is_share(figure: str) -> bool:
    """Return whether a figure is a share, from 0 to 1, in every cell."""
    if figure.startswith(_SHARES_OF_POPULATIONS):
        return True
    return figure.rsplit(".", 1)[-1].removeprefix("test_") in _SHARES or ".recalls." in f".{figure}."


def name_file(figure: str, number: int) -> str:
    """Return what to call the file of a picture: its number on the page and its figure, in letters for any disk."""
    return f"{number:02}-{_NOT_IN_FILES.sub('_', figure)[:_STEM_LENGTH]}"


def shorten_key(key: str) -> str:
    """Return what tells a key from its neighbours: its last two parts."""
    return ".".join(key.split(".")[-2:])
