"""docs/stake_bft.md names every reason and every bound that only votes of stake have, and no other reason."""

import re
from pathlib import Path

from protocol.mechanisms.stake_bft.ballots import MAX_AHEAD, MAX_BEHIND
from protocol.mechanisms.stake_bft.reasons import BftReason

TEXT = (Path(__file__).resolve().parents[4] / "docs" / "stake_bft.md").read_text("utf-8")


def test_the_table_of_verdicts_names_each_reason_once_and_in_order() -> None:
    table = TEXT.partition("| reason | when |\n|---|---|\n")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([^`]+)`", table, re.MULTILINE) == [reason.value for reason in BftReason]


def test_the_table_of_bounds_has_the_numbers_of_the_code() -> None:
    assert f"| rounds to come | the first {MAX_AHEAD} that an author votes in" in TEXT
    assert f"| rounds gone by | proposals of the last {MAX_BEHIND};" in TEXT
