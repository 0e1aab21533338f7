"""docs/seed_coverage.md has a line for each row of the source documents, and the tests that it names are there."""

import re
from typing import Final

import pytest

from tests.support.imports import ROOT

TEXT: Final = (ROOT / "docs" / "seed_coverage.md").read_text("utf-8")
ROWS: Final = {match[1]: match[0] for match in re.finditer(r"^\| (\d{3}-\d{2}) \| .*$", TEXT, re.MULTILINE)}
NAMED: Final = sorted(set(re.findall(r"`([\w/]+\.py)::(\w+)`", TEXT)))


def test_each_row_has_one_line() -> None:
    wanted = [f"000-{number:02}" for number in range(1, 32)] + [f"001-{number:02}" for number in range(1, 27)]
    assert re.findall(r"^\| (\d{3}-\d{2}) \|", TEXT, re.MULTILINE) == wanted


@pytest.mark.parametrize("row", ROWS)
def test_a_row_names_a_test_or_says_why_there_is_none(row: str) -> None:
    _, _, asked, shown, remarks, _ = (cell.strip() for cell in ROWS[row].split("|"))
    assert asked
    assert re.fullmatch(r"`[\w/]+\.py::\w+`(<br>`[\w/]+\.py::\w+`)*", shown) if shown != "-" else remarks


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    assert re.search(rf"^ *def {name}\(", (ROOT / path).read_text("utf-8"), re.MULTILINE)
