"""One HTML page that needs nothing but itself: style and pictures are in it, and it names no other address."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

from simulation.commands.report.picture import Missing, Picture, Table
from simulation.commands.report.style import render

POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""What the browser is told: nothing from anywhere, but for what the page itself holds."""

MAX_TABLE_ROWS: Final = 400
"""A longer table is cut, and says so."""

_STYLE: Final = """
body { margin: 0 auto; max-width: 58rem; padding: 1.5rem 1rem 4rem; color: #1a1a1a; background: #fff;
  font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; } h2 { font-size: 1.35rem; margin: 2.8rem 0 .6rem; padding-top: 1rem;
  border-top: 2px solid #1a1a1a; } h3 { font-size: 1.1rem; margin: 2rem 0 .4rem; }
h1, h2, h3, p { overflow-wrap: anywhere; } td, th { overflow-wrap: break-word; }
table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid #d9d9d9;
  white-space: pre-line; }
thead th { border-bottom: 2px solid #1a1a1a; } tbody th { font-weight: 600; } td { min-width: 3rem; }
figure { margin: 0; } figure img { display: block; height: auto; }
figcaption, .quiet { color: #555; font-size: .88rem; }
.scroll { overflow-x: auto; } .warning { border-left: .3rem solid #D55E00; padding: .4rem .8rem; background: #fdf1e9; }
.warning p { margin: .2rem 0; }
details { margin: .4rem 0; } summary { cursor: pointer; font-size: .88rem; color: #0072B2; }
nav ul { padding-left: 1.2rem; }
@media print { details { display: none; } }
""".strip()


@dataclass(frozen=True, slots=True)
class Section:
    """What the page says of one run or sweep."""

    title: str
    warnings: Sequence[str]
    facts: Table | None
    pictures: Sequence[Picture | Missing]
    files: dict[str, bytes] = field(default_factory=dict)
    """SVG of each picture, by the picture's name."""


def build_section(
    title: str, warnings: Sequence[str], facts: Table | None, pictures: Sequence[Picture | Missing]
) -> Section:
    """Return a section with its pictures as files."""
    files = {picture.name: render(picture.figure, "svg") for picture in pictures if isinstance(picture, Picture)}
    return Section(title, warnings, facts, pictures, files)


def build_page(title: str, sections: Sequence[Section], comparison: Table | None = None) -> str:
    """Return the page.

    Args:
        title: What the page is about.
        sections: A section for each run or sweep.
        comparison: The runs side by side, where there are several.
    """
    body = [f"<h1>{_text(title)}</h1>"]
    if len(sections) > 1:
        links = "".join(f'<li><a href="#s{n}">{_text(part.title)}</a></li>' for n, part in enumerate(sections, start=1))
        body.append(f'<nav aria-label="Contents"><ul>{links}</ul></nav>')
    if comparison is not None:
        body += ["<h2>Comparison</h2>", _table(comparison, "Runs side by side", has_row_heads=True)]
    for number, section in enumerate(sections, start=1):
        body.append(f'<section id="s{number}" aria-labelledby="h{number}">')
        body.append(f'<h2 id="h{number}">{_text(section.title)}</h2>')
        body += _list_parts(section)
        body.append("</section>")
    return "\n".join(
        [_HEAD.format(title=_text(title), policy=escape(POLICY), style=_STYLE), *body, "</main></body></html>\n"]
    )


_HEAD: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<link rel="icon" href="data:,"><title>{title}</title>
<style>
{style}
</style></head><body><main>"""


def _list_parts(section: Section) -> Iterable[str]:
    if section.warnings:
        lines = "".join(f"<p>{_text(warning)}</p>" for warning in section.warnings)
        yield f'<div class="warning" role="note"><strong>Not everything could be used.</strong>{lines}</div>'
    if section.facts is not None:
        yield _table(section.facts, "Headline figures", has_row_heads=True)
    for picture in section.pictures:
        yield f"<h3>{_text(picture.title)}</h3>"
        if isinstance(picture, Missing):
            yield f'<p class="quiet">No picture. {_text(picture.why)}</p>'
            continue
        data = base64.b64encode(section.files[picture.name]).decode()
        yield (
            f'<figure><div class="scroll" tabindex="0" role="group" aria-label="{_text(picture.title)}">'
            f'<img alt="{_text(picture.alt)}" src="data:image/svg+xml;base64,{data}"></div>'
            f"<figcaption>{_text(picture.note)}</figcaption></figure>"
        )
        numbers = _table(picture.table, f"{picture.title}, as numbers")
        yield f"<details><summary>The numbers</summary>{numbers}</details>"


def _table(table: Table, caption: str, *, has_row_heads: bool = False) -> str:
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in table.head)
    rows = []
    for row in table.rows[:MAX_TABLE_ROWS]:
        first, *rest = (_text(cell) for cell in row)
        opening = f'<th scope="row">{first}</th>' if has_row_heads else f"<td>{first}</td>"
        rows.append(f"<tr>{opening}{''.join(f'<td>{cell}</td>' for cell in rest)}</tr>")
    more = len(table.rows) - MAX_TABLE_ROWS
    cut = f'<p class="quiet">{more:,} more rows are left out here.</p>' if more > 0 else ""
    body = f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"
    label = f'aria-label="{_text(caption)}"'
    return f'<div class="scroll" tabindex="0" role="group" {label}><table {label}>{body}</table></div>{cut}'


def _text(text: str) -> str:
    """Return text that is nothing but text, in an element or an attribute; what has no form is shown as a mark."""
    shown = "".join(
        letter if letter.isprintable() or letter in "\n\t" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )
    return escape(shown)
