"""docs/stake_chain.md names every reason that only a chain by stake has, in the order they are checked, no other."""

import re
from pathlib import Path

from protocol.mechanisms.stake_chain.reasons import StakeReason

TEXT = (Path(__file__).resolve().parents[4] / "docs" / "stake_chain.md").read_text("utf-8")


def test_the_table_of_verdicts_names_each_reason_once_and_in_order() -> None:
    table = TEXT.partition("| reason | when |\n|---|---|\n")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([^`]+)`", table, re.MULTILINE) == [reason.value for reason in StakeReason]
