"""Parts of a sweep for machines that know nothing of each other: every machine runs its own cells."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from simulation.commands.sweeps.cells import Cell
from simulation.commands.sweeps.errors import SweepError
from simulation.foundation import EXIT_BAD_INPUT


@dataclass(frozen=True, slots=True)
class Shard:
    """One of so many parts: every so many-th cell, so that all parts have some of each combination's neighbourhood."""

    number: int
    """From 1 on."""
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the part that a text such as ``2/8`` names.

        Raises:
            SweepError: It names none.
        """
        found = re.fullmatch(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})", text)
        if found is None or int(found[1]) > int(found[2]):
            raise SweepError(
                f"--shard {text}: write which part of how many, such as 1/8 for the first of eight", EXIT_BAD_INPUT
            )
        return cls(int(found[1]), int(found[2]))

    def choose(self, cells: Sequence[Cell]) -> list[Cell]:
        """Return the cells of this part."""
        return [cell for cell in cells if cell.index % self.count == self.number - 1]
