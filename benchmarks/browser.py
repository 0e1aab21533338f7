"""The explorer in a real browser: its command in a process of its own, and Chromium without a screen."""

import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from simulation.foundation import ROOT

CHROMIUM: Final = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
"""Where it is; None where there is none."""

WAIT_MS: Final = 60_000
"""How long a page waits for what is to appear."""


Page = Any
"""A page as Playwright has it, which is not installed everywhere."""


@dataclass(frozen=True, slots=True)
class Explorer:
    """An explorer that is open."""

    address: str
    pid: int


@contextmanager
def open_explorer(folder: Path, options: Sequence[str] = ()) -> Iterator[Explorer]:
    """Open an explorer whose working folder is this one, and end it in order.

    Raises:
        RuntimeError: It did not open, or did not end in order; the text has what it said.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    command = [sys.executable, str(ROOT / "main.py"), "explore", "--port", str(port), *options]
    told = folder / "told"
    with told.open("w") as errors:
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=errors, text=True)
    line = process.stdout.readline() if process.stdout is not None else ""
    if not line.startswith(f"explorer: http://127.0.0.1:{port}"):
        raise RuntimeError(f"the explorer did not open: {line}{told.read_text('utf-8')}")
    try:
        yield Explorer(line.split()[1], process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=WAIT_MS / 1000)
    if process.returncode:
        raise RuntimeError(f"the explorer ended with {process.returncode}: {told.read_text('utf-8')}")


@contextmanager
def open_page(explorer: Explorer) -> Iterator[Page]:
    """Open the explorer's page in a browser of its own."""
    from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 - not installed everywhere

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(WAIT_MS)
        for _ in range(100):
            try:
                page.goto(explorer.address)
                break
            except Error:
                page.wait_for_timeout(100)  # the server says where it is before it listens
        yield page
        browser.close()


def turn_to(page: Page, name: str) -> None:
    """Choose a page in the sidebar, and wait until it is shown."""
    page.get_by_test_id("stSidebar").get_by_text(name, exact=True).click()
    page.get_by_role("heading", name=name, exact=True).wait_for()


def settle(page: Page) -> None:
    """Wait until the page has been made to its end."""
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
