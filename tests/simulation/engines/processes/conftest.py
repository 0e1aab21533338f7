"""What tests of processes share."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Give a folder for temporary files whose path is short: the names of sockets in it may have 107 characters."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)
