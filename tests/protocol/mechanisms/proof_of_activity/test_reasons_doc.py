"""docs/proof_of_activity.md names every reason that only proof of activity has, and no other."""

import re
from pathlib import Path

from protocol.mechanisms.proof_of_activity.reasons import ActivityReason

TEXT = (Path(__file__).resolve().parents[4] / "docs" / "proof_of_activity.md").read_text("utf-8")


def test_the_table_of_verdicts_names_each_reason_once() -> None:
    table = TEXT.partition("| reason | when |\n|---|---|\n")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([^`]+)`", table, re.MULTILINE) == [reason.value for reason in ActivityReason]
