"""A scenario: all that one run is made from, complete and with a fingerprint."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final, Self

from pydantic import model_validator

from simulation.scenario.cross_checks import NEUTRAL_RULES, find_inconsistency
from simulation.scenario.keys import ScenarioKeys
from simulation.scenario.sections import ChainRules
from simulation.scenario.strict_yaml import write_text

FOREIGN_RULES: Final = frozenset(ChainRules.model_fields) - frozenset(NEUTRAL_RULES)
"""Rules of `protocol` that only training has."""


class Scenario(ScenarioKeys):
    """One run, completely: every key, and all of them fit together."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        found = find_inconsistency(self)
        if found:
            raise found.to_error()
        return self

    def to_yaml(self) -> str:
        """Return the resolved scenario, every key written out that its mechanism has."""
        return write_text(self._dump())

    def _dump(self) -> dict[str, Any]:
        foreign: dict[str, Any] = {"job": True, "dataset": True, "protocol": set(FOREIGN_RULES)}
        dumped = self.model_dump(mode="json", exclude={**({} if self.is_training else foreign), "plugins": True})
        return {**dumped, "plugins": [item.to_stored() for item in self.plugins]} if self.plugins else dumped

    def compute_fingerprint(self, code_version: str, digits: int = 12) -> str:
        """Return hex digits over every key and the version of the code."""
        return fingerprint_keys(self._dump(), code_version, digits)


def fingerprint_keys(raw: Mapping[str, Any], code_version: str, digits: int = 12) -> str:
    """Return hex digits over the keys of a resolved scenario, as its file has them, and a version of the code."""
    text = json.dumps([raw, code_version], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
