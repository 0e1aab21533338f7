"""Two final blocks of one height are said plainly on the screen, in the log and in the summary; `verify` holds them."""

import contextlib
import io
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulation.analysis.finality import describe_finality
from simulation.commands.cli import main
from simulation.records.reading import read_log
from tests.simulation.mechanisms.stake_bft.scenarios import make_raw
from tests.support.scenarios import save
from tests.support.stored_runs import edit_text, read_summary, write_summary


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder of a run in which half of the stake has parted the other half, and what was printed of it."""
    out = tmp_path_factory.mktemp("split")
    limits: dict[str, Any] = {"run": {"time_limit_s": 60.0, "linger_s": 1.0}}
    scenario = save(out, make_raw(2, 2, kind="bft_equivocator", seed=3, **limits))
    with contextlib.chdir(out), contextlib.redirect_stdout(io.StringIO()) as shown:
        main(["run", str(scenario), "--out", str(out)])
    (folder,) = out.glob("by-votes-*")
    return folder, shown.getvalue()


def test_the_screen_the_log_and_the_summary_say_at_which_height(split: tuple[Path, str]) -> None:
    folder, shown = split
    summary, log = read_summary(folder), read_log(folder)
    told = summary["chain"]["final_twice"]
    assert told["heights"] == summary["measures"]["votes"]["conflicts"] >= 1
    first, second = told["blocks"]
    assert {log.tally.blocks[block].height for block in (first, second)} == {told["height"]}
    assert f"two final blocks at height {told['height']}: {first} and {second}" in " ".join(shown.split())
    assert re.search(r"invariants +all hold that this scenario promises", shown)
    record = f'run final_twice height={told["height"]} blocks="{first} {second}" heights={told["heights"]}'
    assert f"WARNING {record}" in (folder / "pot_sim.log").read_text("utf-8")
    assert main(["verify", str(folder)]) == 0


def test_where_no_block_is_ever_final_two_of_one_height_break_no_word(split: tuple[Path, str]) -> None:
    tally = read_log(split[0]).tally
    assert describe_finality(tally, None) is None
    assert describe_finality(tally, 0) is not None
    assert describe_finality(tally, 100) is None, "no block has so many above it"


def _say_nothing(folder: Path) -> None:
    for name, line in (("pot_sim.log", r".* final_twice .*\n"), ("events.jsonl", r'.*"final_twice".*\n')):
        edit_text(folder, name, lambda text, line=line: re.sub(line, "", text))  # type: ignore[misc]


def _name_another_height(folder: Path) -> None:
    for name, old in (
        ("pot_sim.log", r"(final_twice height=)\d"),
        ("events.jsonl", r'("final_twice", *"height": *)\d'),
    ):
        edit_text(folder, name, lambda text, old=old: re.sub(old, r"\g<1>9", text))  # type: ignore[misc]


def _clear_the_summary(folder: Path) -> None:
    summary = read_summary(folder)
    del summary["chain"]["final_twice"]
    write_summary(folder, summary)


@pytest.mark.parametrize("edit", [_say_nothing, _name_another_height, _clear_the_summary])
def test_verify_finds_who_hides_it(
    edit: Callable[[Path], None], split: tuple[Path, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / split[0].name
    shutil.copytree(split[0], folder)
    edit(folder)
    assert main(["verify", str(folder)]) == 1
    assert "final_twice" in capsys.readouterr().err
