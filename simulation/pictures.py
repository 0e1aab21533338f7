"""x."""

from pathlib import Path


def draw_run(folder: Path) -> None: ...
