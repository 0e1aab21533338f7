from collections.abc import Iterator

import pytest

from simulation.commands.report.style import styled


@pytest.fixture(autouse=True)
def _styled() -> Iterator[None]:
    """Pictures are drawn as a report draws them."""
    with styled():
        yield
