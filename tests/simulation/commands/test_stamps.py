"""The commands that mint and check stamps."""

from pathlib import Path

import pytest

from simulation.commands.cli import main
from tests.simulation.commands.test_hashcash import PUBLISHED


def test_a_minted_stamp_is_good_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stamp", "mint", "me@example.org", "--bits", "8"]) == 0
    told = capsys.readouterr()
    stamp = told.out.strip()
    assert "256 are expected" in told.err
    spent = tmp_path / "spent"
    check = ["stamp", "check", stamp, "--bits", "8", "--resource", "me@example.org", "--spent", str(spent)]
    assert main(check) == 0
    assert capsys.readouterr().out.startswith("good: ")
    assert main(check) == 1
    assert capsys.readouterr().out == "refused: spent: has been spent before\n"
    assert spent.read_text("ascii") == stamp + "\n"


@pytest.mark.parametrize(
    ("arguments", "code", "wanted"),
    [
        ([PUBLISHED], 1, "refused: expired"),
        ([PUBLISHED, "--days", "0"], 0, "good: 20 zero bits"),
        ([PUBLISHED.replace("adam", "anni"), "--days", "0"], 1, "refused: no-work"),
        ([PUBLISHED, "--days", "0", "--bits", "21"], 1, "refused: too-cheap"),
        (["nonsense"], 2, "no stamp; one looks like 1:20:"),
        ([PUBLISHED, "--days", "0", "--spent", "."], 2, "cannot be read as stamps"),
        ([PUBLISHED, "--days", "0", "--spent", "/proc/none/there"], 2, "write a file in a folder"),
    ],
)
def test_a_check_says_what_is_wrong(
    arguments: list[str], code: int, wanted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["stamp", "check", *arguments]) == code
    told = capsys.readouterr()
    assert wanted in told.out + told.err


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [(["a:b"], "without a colon"), (["x", "--bits", "99"], "write 32 or fewer"), (["x", "--bits", "-1"], "--bits")],
)
def test_what_cannot_be_minted_is_said(arguments: list[str], wanted: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["stamp", "mint", *arguments]) == 2
    assert wanted in capsys.readouterr().err
