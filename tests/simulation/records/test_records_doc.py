"""The page about records says what the facts say. To write it anew, run this module with ``--write``."""

import ast
import inspect
import sys
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import pytest
from msgspec import Meta, structs

from simulation.records import activity_facts, bft_facts, facts, message_facts, stake_facts, training_facts, work_facts
from simulation.records.fact import Fact, Part, list_facts, list_parts
from tests.support.scenarios import ROOT

PATH: Final = ROOT / "docs" / "records.md"
COMMAND: Final = "python -m tests.simulation.records.test_records_doc --write"

HEAD: Final = f"""# Records

What stands in `events.jsonl` and `pot_sim.log`. This page is made from the facts themselves:
`{COMMAND}`.

A run tells what happens in records. A record is one line of each file and says the same in both.

| field | type | unit | meaning |
|---|---|---|---|
| `time` | number | s | time since the run began, to the microsecond; simulated with the virtual engine |
| `level` | text | | `INFO`: any participant could see it; `DEBUG`: a party's own business; `WARNING` |
| `who` | text | | label of the party it is about; `run` for the run as a whole |
| `event` | text | | what happened; one of the events below |

The event's own fields follow, in the order of its table. In `events.jsonl` a record is one JSON object. In
`pot_sim.log` it is `time level who event`, then ` field=value` for each field: as JSON, but for text of one word, which
stands as it is. Optional fields are left out where there is nothing to say. A short hash is `0x` and the first 12 hex
digits.

Commands that read a log leave out lines that are no records, say how many there are, and name the first: it has no such
event, or a field is missing, unknown, not of its type, or out of bounds. Whole numbers are not negative; all numbers
are smaller than 2^63, and shares are from 0 to 1.
"""

SECTIONS: Final = (
    ("The run and its parties", facts),
    ("Messages and blocks", message_facts),
    ("Proof of training", training_facts),
    ("Proof of work", work_facts),
    ("Chain-based proof of stake", stake_facts),
    ("Votes of stake", bft_facts),
    ("Proof of activity", activity_facts),
)
TABLE: Final = "| field | type | unit | meaning |\n|---|---|---|---|"
WORDS: Final[dict[Any, str]] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    type(None): "null",
}


def build() -> str:
    """Return the page."""
    parts = [HEAD]
    for title, module in SECTIONS:
        parts.append(f"\n## {title}\n")
        parts += [describe_fact(kind) for kind in list_facts() if kind.__module__ == module.__name__]
    return "".join(parts)


def describe_fact(kind: type[Fact]) -> str:
    levels = dict.fromkeys([kind.level, getattr(kind, "undelivered", kind.level)])
    lines = [f"\n### `{kind.event}`\n", f"{read_summary(kind)} {' or '.join(levels)}; `who` is {kind.subject}."]
    if kind.__struct_fields__:
        lines += ["", TABLE, *list_rows(kind)]
    modules = [module.__name__ for _, module in SECTIONS]
    parts = sorted(list_parts(kind), key=lambda part: modules.index(part.__module__))  # whatever was imported first
    for part in (part for part in parts if part.__struct_fields__):
        config = part.__struct_config__
        owner = next(lower(title) for title, module in SECTIONS if module.__name__ == part.__module__)
        case = f"`{config.tag_field}={config.tag}`" if config.tag else owner
        lines += ["", f"For {case}: {lower(read_summary(part))}", "", TABLE, *list_rows(part)]
    return "\n".join(lines) + "\n"


def list_rows(kind: type[Fact | Part]) -> Iterator[str]:
    """Yield the rows of a table of fields, in the order of a record."""
    meanings, hints = read_docstrings(kind), get_type_hints(kind, include_extras=True)
    config = kind.__struct_config__
    if config.tag_field is not None:
        yield f"| `{config.tag_field}` | text | | `{config.tag}` |"
    for field in structs.fields(kind):
        hint, meaning = hints[field.name], meanings[field.name]
        if isinstance(hint, type) and issubclass(hint, Part):
            yield f"| ... | | | {meaning[:-1]}: see below |"
        else:
            optional = "" if field.required else ", optional"
            kinds = " or ".join(list_types(hint, is_optional=not field.required))
            unit = f" {', '.join(dict.fromkeys(find_units(hint)))} ".replace("  ", " ")
            yield f"| `{field.name}` | {kinds}{optional} |{unit}| {meaning} |"


def list_types(hint: Any, *, is_optional: bool = False) -> list[str]:
    """Return the words for a field's type; that an optional field may be None is nothing a record shows."""
    if get_origin(hint) is Annotated:
        return list_types(get_args(hint)[0])
    if get_origin(hint) in (UnionType, Union):
        kinds = [kind for kind in get_args(hint) if not (is_optional and kind is type(None))]
        return [word for kind in kinds for word in list_types(kind)]
    return [WORDS[hint]]


def find_units(hint: Any) -> Iterator[str]:
    if get_origin(hint) is Annotated:
        yield from (item.extra["unit"] for item in get_args(hint)[1:] if isinstance(item, Meta) and item.extra)
    for part in get_args(hint):
        yield from find_units(part)


def read_summary(kind: type[Fact | Part]) -> str:
    """Return a type's docstring in one line."""
    return clean(kind.__doc__ or "")


def read_docstrings(kind: type[Fact | Part]) -> dict[str, str]:
    """Return the docstring below each field, in one line."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if not issubclass(base, Fact | Part) or base in (Fact, Part):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, below in pairwise(body.body):
            text = below.value if isinstance(below, ast.Expr) else None
            if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Constant):
                assert isinstance(field.target, ast.Name)
                found[field.target.id] = clean(str(text.value))
    return found


def clean(text: str) -> str:
    """Return a docstring in one line of Markdown."""
    return " ".join(text.split()).replace("``", "`")


def lower(text: str) -> str:
    return text[0].lower() + text[1:]


# ---- tests ----


def test_the_page_is_up_to_date() -> None:
    assert PATH.read_text("utf-8") == build(), f"write it anew: {COMMAND}"


@pytest.mark.parametrize("kind", [*list_facts(), *(part for kind in list_facts() for part in list_parts(kind))])
def test_every_fact_and_field_says_what_it_is(kind: type[Fact | Part]) -> None:
    assert read_summary(kind).endswith(".")
    said = read_docstrings(kind)
    assert set(kind.__struct_fields__) <= set(said)
    assert all(said[name].endswith(".") for name in kind.__struct_fields__)


def test_every_fact_stands_on_the_page_once() -> None:
    headings = [line for line in build().splitlines() if line.startswith("### ")]
    assert sorted(headings) == sorted(f"### `{kind.event}`" for kind in list_facts())


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    PATH.write_text(build(), "utf-8")
