"""configs/README.md has a row for each key that proof of activity adds to those of proof of work, with its default."""

import re

import pytest
import yaml

from simulation.mechanisms.proof_of_activity.keys import DECRED, DRAWN, ActivityKeys, ShareKeys
from simulation.mechanisms.proof_of_work.keys import WorkKeys
from simulation.scenario.loading import CONFIGS

TEXT = (CONFIGS / "README.md").read_text("utf-8")
SECTION = re.split(r"\n(?:With `name:|## )", TEXT.partition("\nWith `name: proof_of_activity`")[2])[0]
ROWS = {
    match[1]: match
    for match in re.finditer(r"^\| `mechanism\.(\w+)` \| [^|]+ \| ([^|]+) \| ([^|]+) \|", SECTION, re.MULTILINE)
}
KEYS = [name for name in ActivityKeys.model_fields if name not in WorkKeys.model_fields]


def test_each_key_has_a_row_and_there_are_no_others() -> None:
    assert list(ROWS) == KEYS


@pytest.mark.parametrize("key", KEYS)
def test_a_key_has_a_row_with_its_default(key: str) -> None:
    default = ActivityKeys.model_fields[key].get_default(call_default_factory=True, validated_data={})
    assert yaml.safe_load(ROWS[key][2].strip().strip("`")) == default


def test_what_null_stands_for_is_what_the_rows_say() -> None:
    drawn, needed, shares = DECRED
    assert f"{drawn} coins are drawn, {needed} votes are enough" in ROWS["preset"][3]
    assert f"{shares.miner:g}, {shares.signers:g} and {shares.closer:g}" in ROWS["preset"][3]
    own = ShareKeys()
    assert f"{own.miner:g}, {own.signers:g} and {own.closer:g}" in ROWS["shares"][3]
    assert f"null for {DRAWN}" in ROWS["drawn"][3]
