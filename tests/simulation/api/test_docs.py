"""Every example of docs/api.md runs, in its order, and prints what stands below it.

`python -m tests.simulation.api.test_docs --write` writes anew what stands below them.
"""

import contextlib
import io
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

import simulation
from simulation.api import execute
from simulation.foundation import Interruption
from tests.support.scenarios import ROOT

PAGE: Final = (ROOT / "docs" / "api.md").read_text("utf-8")
BLOCK: Final = re.compile(r"^```(python|python keras|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """A block of Python, and what it prints; None where the page does not say."""

    line: int
    kind: str
    code: str
    printed: str | None


def list_examples() -> Iterator[Example]:
    blocks = list(BLOCK.finditer(PAGE))
    for place, block in enumerate(blocks):
        if block[1] != "text":
            after = blocks[place + 1] if place + 1 < len(blocks) else None
            printed = after[2] if after is not None and after[1] == "text" else None
            yield Example(PAGE[: block.start()].count("\n") + 2, block[1], block[2], printed)


def run_example(example: Example, names: dict[str, Any]) -> str:
    """Return what an example prints."""
    told = io.StringIO()
    code = compile("\n" * (example.line - 1) + example.code, "docs/api.md", "exec")
    with contextlib.redirect_stdout(told):
        exec(code, names)  # noqa: S102 - the page's own examples
    return told.getvalue()


def check_example(example: Example, names: dict[str, Any]) -> None:
    printed = run_example(example, names)
    assert example.printed in (None, printed), f"docs/api.md:{example.line}"


@pytest.mark.drawing
@pytest.mark.processes
def test_every_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "example"}
    for example in list_examples():
        if example.kind == "python":
            check_example(example, names)


@pytest.mark.keras
@pytest.mark.processes
def test_the_example_with_a_model_runs_where_tensorflow_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has several threads there, and training must have one: the same bits come from a process of their own."""
    from simulation.training import keras_trainer  # noqa: PLC0415 - loads TensorFlow

    chosen = [example for example in list_examples() if example.kind == "python keras"]
    assert len(chosen) == 1
    names: dict[str, Any] = {"pot": simulation}
    check_example(chosen[0], names)
    here: simulation.Run = names["trained"]

    def refuse() -> None:
        raise RuntimeError("Intra op parallelism cannot be modified after initialization.")

    monkeypatch.setattr(keras_trainer, "use_one_thread", refuse)
    with pytest.raises(RuntimeError):
        execute(here.scenario, here.folder, interruption=Interruption(), is_drawn=False)
    told: list[simulation.Progress] = []
    elsewhere = simulation.run(here.scenario, on_progress=told.append)
    assert elsewhere.figures.training == here.figures.training
    assert told[-1].height == 2


def test_the_page_shows_everything_that_is_public() -> None:
    shown = " ".join([example.code for example in list_examples()])
    kinds = {
        "Figures",
        "Progress",
        "Replayed",
        "Run",
        "RunInProgress",
        "Scenario",
        "Sweep",
        "SweepProgress",
        "Verified",
    }
    for name in set(simulation.__all__) - kinds:
        assert f"pot.{name}" in (shown if name[0].islower() else PAGE), name


def write_page(folder: Path) -> None:
    """Write what the examples print below them."""
    page, names = PAGE, dict[str, Any](__name__="example")
    with contextlib.chdir(folder):
        for example in list_examples():
            printed = run_example(example, names)
            if example.printed is not None:
                before = f"{example.code}```\n\n```text\n"
                page = page.replace(f"{before}{example.printed}```", f"{before}{printed}```", 1)
    (ROOT / "docs" / "api.md").write_text(page, "utf-8")


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    with tempfile.TemporaryDirectory() as place:
        write_page(Path(place))
