"""docs/stake_chain.md has a row for each key of a chain by stake, with the default it really has."""

import re
from pathlib import Path

import pytest
import yaml

from simulation.mechanisms.stake_chain.keys import StakeKeys

TEXT = (Path(__file__).resolve().parents[4] / "docs" / "stake_chain.md").read_text("utf-8")
ROWS = {
    match[1]: match[2] for match in re.finditer(r"^\| `mechanism\.(\w+)` \| [^|]+ \| ([^|]+) \|", TEXT, re.MULTILINE)
}
KEYS = [name for name in StakeKeys.model_fields if name != "name"]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_has_a_row_with_its_default(key: str) -> None:
    default = StakeKeys.model_fields[key].get_default(call_default_factory=True, validated_data={})
    assert yaml.safe_load(ROWS[key].strip().strip("`")) == default


def test_there_are_no_other_rows() -> None:
    assert set(ROWS) == set(KEYS)
