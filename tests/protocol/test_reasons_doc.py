"""docs/protocol.md names every reason that the code can give, and its table of verdicts names no other."""

import re
from pathlib import Path
from typing import Final

import pytest

from protocol.mechanisms.proof_of_training.reasons import TrainingReason
from protocol.verdicts import ChainReason, FrameReason, LedgerReason, Reason

TEXT: Final = (Path(__file__).resolve().parents[2] / "docs" / "protocol.md").read_text("utf-8")
REASONS: Final[tuple[Reason, ...]] = (*FrameReason, *ChainReason, *LedgerReason, *TrainingReason)


def list_table() -> list[str]:
    """Return the right half of each row of the table of verdicts."""
    head = "| judged | reasons, in the order they are checked |\n|---|---|\n"
    rows = TEXT.partition(head)[2].partition("\n\n")[0].splitlines()
    return [row.split("|")[2] for row in rows]


def list_words(cells: list[str]) -> list[str]:
    return [word for cell in cells for word in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason.value)
def test_the_table_names_every_reason(reason: Reason) -> None:
    assert reason.value in list_words(list_table())


def test_the_table_names_nothing_but_reasons() -> None:
    words = list_words(list_table())
    assert len(words) > len(REASONS)
    assert set(words) <= {reason.value for reason in REASONS}


def test_no_reason_stands_without_its_marks() -> None:
    """One that is not in backticks would escape the other tests."""
    plain = " ".join(re.sub(r"`[^`]+`", "", cell) for cell in list_table())
    assert not set(re.findall(r"[a-z]+(?:-[a-z]+)+", plain)) & {reason.value for reason in REASONS}
