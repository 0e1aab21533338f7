"""What all tests of plug-ins share."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs keep their logs apart from those of other tests."""
    monkeypatch.chdir(tmp_path)
