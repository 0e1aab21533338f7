"""Executes the notebooks of docs/notebooks from top to bottom; a cell that raises ends it with its traceback.

`python -m tests.notebooks` looks whether each cell still shows what kind of things it shows in its file: text, tables,
pictures. Numbers are not compared, for training gives other ones on other processors. With `--write` the files have
the new outputs.
"""

import sys
from pathlib import Path
from typing import Any, Final

import nbformat
from nbclient import NotebookClient

from tests.support.scenarios import ROOT

FOLDER: Final = ROOT / "docs" / "notebooks"
TIMEOUT_S: Final = 300
"""Seconds that no cell takes on a busy machine."""


def execute(path: Path) -> tuple[Any, Any]:
    """Return a notebook as its file has it, and with new outputs.

    Raises:
        CellExecutionError: A cell has raised.
    """
    before, after = (nbformat.read(path, 4) for _ in range(2))  # type: ignore[no-untyped-call]
    NotebookClient(after, timeout=TIMEOUT_S, resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell in after.cells:
        cell.metadata.pop("execution", None)  # when it was run is nobody's business
    return before, after


def list_kinds(notebook: Any) -> list[list[str]]:
    """Return what each cell of code shows: printed text, or the formats of a value."""
    found = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            kinds = {kind for output in cell.outputs for kind in output.get("data", {"printed": ""})}
            found.append(sorted(kinds))
    return found


def main(arguments: list[str]) -> int:
    """Execute all notebooks; return the exit code."""
    different = 0
    for path in sorted(FOLDER.glob("*.ipynb")):
        before, after = execute(path)
        if arguments == ["--write"]:
            nbformat.write(after, path)  # type: ignore[no-untyped-call]
        elif list_kinds(before) != list_kinds(after):
            different += 1
            print(f"{path}: cells show other things than in the file: {list_kinds(after)}", file=sys.stderr)  # noqa: T201
        print(f"{path.relative_to(ROOT)}: executed")  # noqa: T201
    return different


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
