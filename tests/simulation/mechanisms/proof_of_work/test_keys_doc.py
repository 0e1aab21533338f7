"""configs/README.md has a row for each key of proof of work, with the default it really has."""

import re

import pytest
import yaml

from simulation.mechanisms.proof_of_work.keys import WorkKeys
from simulation.scenario.loading import CONFIGS

TEXT = (CONFIGS / "README.md").read_text("utf-8")
SECTION = re.split(r"\n(?:With `name:|## )", TEXT.partition("\nWith `name: proof_of_work`")[2])[0]
ROWS = {
    match[1]: match[2] for match in re.finditer(r"^\| `mechanism\.(\w+)` \| [^|]+ \| ([^|]+) \|", SECTION, re.MULTILINE)
}
KEYS = [name for name in WorkKeys.model_fields if name != "name"]


@pytest.mark.parametrize("key", KEYS)
def test_a_key_has_a_row_with_its_default(key: str) -> None:
    default = WorkKeys.model_fields[key].get_default(call_default_factory=True, validated_data={})
    assert yaml.safe_load(ROWS[key].strip().strip("`")) == default


def test_there_are_no_other_rows() -> None:
    assert set(ROWS) == set(KEYS)
