"""The page in a real browser: a run is started, a block opened, a block broken."""

import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import simulation as pot
from simulation.foundation import ROOT

pytest.importorskip("streamlit", reason="Streamlit is not installed: make explore")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make explore")

expect = playwright.expect
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
WAIT_MS = 60_000

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Return where an explorer of an empty working folder is; it has ended in order after the test."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    command = [sys.executable, str(ROOT / "main.py"), "explore", "--port", str(port)]
    with (tmp_path / "told").open("w") as told:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=told, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith(f"explorer: http://127.0.0.1:{port}"), (tmp_path / "told").read_text()
    try:
        yield line.split()[1]
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.fixture
def page(address: str) -> Iterator[Any]:
    """Return a page of a browser, which asked nobody but the explorer for anything."""
    asked: list[str] = []
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(WAIT_MS)
        expect.set_options(timeout=WAIT_MS)
        page.on("request", lambda request: asked.append(request.url))
        for _ in range(100):
            try:
                page.goto(address)
                break
            except playwright.Error:
                page.wait_for_timeout(100)  # the server says where it is before it listens
        yield page
        browser.close()
    assert {url.split("/")[2] for url in asked if url.startswith("http")} == {address.split("/")[2]}


def turn_to(page: Any, name: str) -> None:
    page.get_by_test_id("stSidebar").get_by_text(name, exact=True).click()
    page.get_by_role("heading", name=name, exact=True).wait_for()


def test_a_run_is_started_a_block_opened_and_a_block_broken(page: Any, tmp_path: Path) -> None:
    turn_to(page, "New run")
    box = page.get_by_role("combobox", name=re.compile("Scenario"))
    box.fill("bft_silent")
    box.press("Enter")
    page.get_by_text(pot.list_scenarios()["bft_silent"]).wait_for()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("The run has ended")).to_have_count(1)  # for a moment it may stand there twice
    (folder,) = (tmp_path / "runs").iterdir()
    run = pot.open_run(folder)
    assert run.is_delivered

    turn_to(page, "Runs")
    page.get_by_text("Blocks", exact=True).click()
    page.get_by_text("Who did what for it").wait_for()
    second = f"0x{run.chain()['block'].iloc[2][:12]}"
    page.get_by_test_id("stVegaLiteChart").locator(f"[aria-label*='block: {second}']").click()
    chosen = page.get_by_role("combobox", name=re.compile("Block"))
    expect(chosen).to_have_value(re.compile(f"^2  {second}"))

    turn_to(page, "One node")
    for number in (1, 2, 3):
        page.get_by_role("button", name="Make the block").click()
        page.get_by_text(f"{number} blocks, not checked since the last change").wait_for()
    page.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_text("Edited: the blocks at height 1").wait_for()
    page.get_by_role("button", name="Check the chain").click()
    page.get_by_text("The chain is broken at height 1").wait_for()
