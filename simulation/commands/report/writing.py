"""From what the user names to a folder with pictures and a page."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from simulation.analysis import build_frame
from simulation.commands.report.headline import build_headline
from simulation.commands.report.page import build_page, build_section
from simulation.commands.report.picture import Missing, Picture, Table
from simulation.commands.report.run_pictures import draw_pictures
from simulation.commands.report.sources import Run, Source
from simulation.commands.report.style import render, styled
from simulation.commands.report.sweep_picture import draw_figures

PAGE_NAME: Final = "report.html"
MAX_FOLDERS: Final = 10_000


def write_report(sources: Sequence[Source], out: Path, figures: Sequence[str] = ()) -> Path:
    """Write pictures and page into a new folder; return the page.

    Args:
        sources: Runs and sweeps.
        out: The folder; one that is there already is left alone, and the new one is numbered.
        figures: Which figures of sweeps are drawn, by name; * stands for anything. All where there is none.

    Raises:
        SweepTableError: A sweep has no such figure.
        OSError: The folder cannot be made or written; nothing is left of it.
    """
    files = dict(build_files(sources, figures))
    folder = _make_folder(out)
    try:
        for name, content in files.items():
            (folder / name).write_bytes(content)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder / PAGE_NAME


def build_files(sources: Sequence[Source], figures: Sequence[str] = ()) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file of a report, the page last."""
    sections = []
    for number, source in enumerate(sources, start=1):
        pictures = draw_source(source, figures)
        facts = build_headline(source) if isinstance(source, Run) else source.build_facts()
        kind = "Run" if isinstance(source, Run) else "Sweep"
        section = build_section(f"{kind} {source.name}", source.warnings, facts, pictures)
        prefix = f"{number}-" if len(sources) > 1 else ""
        for picture in pictures:
            if isinstance(picture, Picture):
                yield f"{prefix}{picture.name}.svg", section.files[picture.name]
                yield f"{prefix}{picture.name}.png", render(picture.figure, "png")
        sections.append(section)
    runs = [source for source in sources if isinstance(source, Run)]
    title = f"Report: {sources[0].name}" if len(sources) == 1 else f"Report on {len(sources)} results"
    page = build_page(title, sections, compare_runs(runs) if len(runs) > 1 else None)
    yield PAGE_NAME, page.encode()


def draw_source(source: Source, figures: Sequence[str] = ()) -> list[Picture | Missing]:
    """Return the pictures of a run or a sweep."""
    with styled():
        if isinstance(source, Run):
            return draw_pictures(source)
        return draw_figures(source, figures)


def compare_runs(runs: Sequence[Run]) -> Table:
    """Return the runs side by side, as `compare` has them, but for what no log tells."""
    frame = build_frame([run.log for run in runs])
    rows = [(str(name), *(str(value) for value in row)) for name, row in frame.iterrows()]
    return Table(("figure", *map(str, frame.columns)), tuple(row for row in rows if set(row[1:]) != {"-"}))


def _make_folder(out: Path) -> Path:
    for number in range(1, MAX_FOLDERS):
        folder = out if number == 1 else out.with_name(f"{out.name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(0, "there are too many reports here already", str(out))
