"""A page in a real browser, without a network: nothing is asked for, and every picture is shown."""

import json
import re
import subprocess
from html import escape
from pathlib import Path

import pytest

from benchmarks.browser import CHROMIUM
from simulation.commands.report.page import POLICY
from simulation.commands.report.sources import read_source
from simulation.commands.report.writing import write_report
from tests.support.reports import forked_run, write_log, write_run, write_sweep

pytestmark = [
    pytest.mark.drawing,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium"),
]

TIMEOUT_S = 100


def open_page(page: Path, folder: Path) -> tuple[str, list[str]]:
    """Open a page where no name resolves and the proxy refuses everything; return its DOM and what it asked for.

    Without a sandbox, because tests in containers run as root; the page is our own.
    """
    log = folder / "netlog.json"
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--dump-dom"]
    command += ["--disable-background-networking", "--disable-component-update", "--no-first-run", "--disable-sync"]
    command += ["--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=http://127.0.0.1:9"]
    command += [f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}", "--net-log-capture-mode=Everything"]
    command += ["--virtual-time-budget=3000", page.resolve().as_uri()]
    done = subprocess.run(command, timeout=TIMEOUT_S, check=True, capture_output=True, text=True)
    asked = [
        event["params"]["url"]
        for event in json.loads(log.read_text("utf-8"))["events"]
        if isinstance(event.get("params"), dict) and "url" in event["params"]
    ]
    return done.stdout, asked


MAKERS = re.compile(r"https?://[\w.-]*(google|gstatic|googleapis|gvt1)[\w.-]*/")
"""The browser asks its maker for things of its own, which nothing here answers."""

COUNT = "document.title = [...document.images].filter(image => image.complete && image.naturalWidth > 100).length"


def test_a_page_shows_every_picture_and_asks_nobody(tmp_path: Path) -> None:
    sources = [write_log(tmp_path / "one"), write_run(tmp_path / "two", forked_run()), write_sweep(tmp_path / "sweep")]
    page = write_report([read_source(source) for source in sources], tmp_path / "report")
    # The page itself has no script and allows none; this copy of it counts what it shows.
    text = page.read_text("utf-8").replace(escape(POLICY), escape(f"{POLICY}; script-src 'unsafe-inline'"))
    page.write_text(text.replace("</body>", f"<script>onload = () => {{ {COUNT} }}</script></body>"), "utf-8")
    dom, asked = open_page(page, tmp_path)
    assert "<title>9</title>" in dom
    assert text.count("<img ") == 9
    assert [url for url in asked if not url.startswith(("data:", "file:", "chrome")) and not MAKERS.match(url)] == []


def test_the_check_sees_a_page_that_does_ask(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<!DOCTYPE html><p>x<img src="http://elsewhere.invalid/y.png">', "utf-8")
    _, asked = open_page(page, tmp_path)
    assert "http://elsewhere.invalid/y.png" in asked


def test_a_page_is_shown_without_what_its_policy_forbids(tmp_path: Path) -> None:
    """Even if something slipped through the escaping, the browser would not run it or load it."""
    page = write_report([read_source(write_sweep(tmp_path / "sweep"))], tmp_path / "report")
    slipped = '<script>document.title = "ran"</script><img src="http://elsewhere.invalid/y.png"></body>'
    page.write_text(page.read_text("utf-8").replace("</body>", slipped), "utf-8")
    dom, asked = open_page(page, tmp_path)
    assert "<title>ran</title>" not in dom
    assert "<title>Report: sweep</title>" in dom
    assert "http://elsewhere.invalid/y.png" not in asked
