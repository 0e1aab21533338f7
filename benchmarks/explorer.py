"""What it costs a run of eleven nodes to be watched on the explorer's page, and how often the page has news.

Pairs of runs, one alone and one watched, in turn, so that what else the machine does falls on both. The page is that of
the command `explore`, in a real browser on this machine: what the browser takes is part of what watching costs. The
page has news when its clock shows other seconds than before.
"""

import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil

import simulation as pot
from benchmarks.browser import CHROMIUM, Explorer, Page, open_explorer, open_page, settle, turn_to
from simulation.explorer import list_fields
from simulation.foundation import ROOT

SCENARIOS: Final = {
    "11 nodes, virtual": {"engine": "virtual", "virtual.trainer": "fake", "job.stages": "3000"},
    "11 nodes, processes": {"engine": "processes", "job.stages": "110"},
}
"""What is changed of the shipped scenario `honest`: runs of about a minute."""

ALWAYS: Final = {"dataset.name": "digits", "output.pictures": "false", "run.time_limit_s": "100000"}

UNFOLD_MS: Final = 1_000
"""How long a section of the form unfolds; a list that is opened meanwhile closes again."""

RUN_S: Final = 600.0
"""How long a watched run may take."""

ASK_S: Final = 0.5
"""How often it is looked at whether the run has ended: in its folder, since the browser would take time to answer."""

_COUNT = """() => {
    window.changes = [];
    let last = "";
    const look = () => {
        const clock = document.querySelector(".progress-seconds");
        if (clock && clock.textContent !== last) {
            last = clock.textContent;
            window.changes.push(performance.now() / 1000);
        }
    };
    new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true});
}"""
"""Notes when the clock of the page changes, without asking for a layout."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A run that was watched."""

    cost: dict[str, Any]
    news: float
    """News of the page a second."""
    page: float
    """Share of the machine's processors that the explorer took, without the run."""
    browser: float
    """Share of them that the browser took."""


def print_explorer_figures(repeats: int) -> None:
    """Print how much longer watched runs take, and how often their page has news."""
    if CHROMIUM is None:
        print("\nexplorer: not measured; there is no Chromium on this machine")
        return
    print("\nexplorer: run alone; watched: the run's own seconds and CPU-seconds, ratio of each pair; shares of the")
    print("processors that its page and the browser took; news a second")
    for what, changes in SCENARIOS.items():
        pairs = [(_run_alone({**changes, **ALWAYS}), _run_watched({**changes, **ALWAYS})) for _ in range(repeats)]
        alone_s = statistics.median(alone["wall_s"] for alone, _ in pairs)
        print(
            f"{what}: {alone_s:.1f} s alone; "
            f"time {_describe([watched.cost['wall_s'] / alone['wall_s'] for alone, watched in pairs])}, "
            f"CPU {_describe([watched.cost['cpu_s'] / alone['cpu_s'] for alone, watched in pairs])}; "
            f"page {statistics.median(watched.page for _, watched in pairs):.1%}, "
            f"browser {statistics.median(watched.browser for _, watched in pairs):.1%}; "
            f"news {_describe([watched.news for _, watched in pairs])}"
        )


def _describe(values: list[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.3f}-{max(values):.3f})"


def _run_alone(changes: dict[str, str]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        told = [word for key, value in changes.items() for word in ("--set", f"{key}={value}")]
        command = [sys.executable, str(ROOT / "main.py"), "run", "honest", *told, "--out", folder, "--quiet"]
        ended = subprocess.run(command, check=True, capture_output=True, text=True)
        return _read_cost(Path(ended.stdout.strip()))


def _run_watched(changes: dict[str, str]) -> Watched:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open_explorer(folder) as explorer, open_page(explorer) as page:
            _prepare(page, changes)
            page.evaluate(_COUNT)
            page.get_by_role("button", name="Run", exact=True).click()
            page.get_by_text("Employer's chain").first.wait_for()
            began, before = time.monotonic(), _read_processors(explorer)
            while not any(folder.glob("runs/*/summary.json")):
                time.sleep(ASK_S)
                if time.monotonic() > began + RUN_S:
                    raise RuntimeError(f"the watched run has not ended after {RUN_S:.0f} s")
            span, after = time.monotonic() - began, _read_processors(explorer)
            page.get_by_text("The run has ended").first.wait_for()
            changes_s = page.evaluate("window.changes")
        (run,) = (folder / "runs").iterdir()
        whole = span * (psutil.cpu_count() or 1)
        shares = [(now - then) / whole for then, now in zip(before, after, strict=True)]
        return Watched(_read_cost(run), (len(changes_s) - 1) / (changes_s[-1] - changes_s[0]), *shares)


def _prepare(page: Page, changes: dict[str, str]) -> None:
    """Write the changes into the form, as a user would."""
    turn_to(page, "New run")
    box = page.get_by_role("combobox", name=re.compile("Scenario"))
    box.fill("honest")
    box.press("Enter")
    page.get_by_text(pot.list_scenarios()["honest"]).wait_for()
    settle(page)
    fields = {field.key: field for field in list_fields(pot.load("honest"))}
    for key, value in changes.items():
        field = fields[key]
        if field.value == value:
            continue
        title = page.get_by_text(field.section, exact=True)
        section = page.get_by_test_id("stExpander").filter(has=title)
        if section.locator("details[open]").count() == 0:
            section.locator("summary").click()
            page.wait_for_timeout(UNFOLD_MS)
        label = key.rpartition(".")[2]
        if field.kind == "switch":
            section.get_by_text(label, exact=True).click()
        elif field.kind == "choice":
            section.get_by_role("combobox", name=re.compile(rf"\b{label}\b")).click()
            page.get_by_role("option", name=value, exact=True).click()
        else:
            entry = section.get_by_role("textbox", name=re.compile(rf"^{label}\b"))
            entry.fill(value)
            entry.press("Enter")
        page.get_by_text(f"{key}={value}").first.wait_for()
        settle(page)


def _read_processors(explorer: Explorer) -> tuple[float, float]:
    """Return the CPU-seconds of the explorer, and of the browser, so far."""
    browsers = [each for each in psutil.Process().children(recursive=True) if "chrom" in each.name()]
    return sum(psutil.Process(explorer.pid).cpu_times()[:2]), sum(sum(each.cpu_times()[:2]) for each in browsers)


def _read_cost(folder: Path) -> dict[str, Any]:
    cost: dict[str, Any] = pot.open_run(folder).summary["cost"]
    return cost
