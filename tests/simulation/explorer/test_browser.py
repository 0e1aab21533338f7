"""The page in a real browser: a run is started, a block opened, a block broken."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import simulation as pot
from benchmarks.browser import CHROMIUM, WAIT_MS, open_explorer, open_page, turn_to
from simulation.explorer.progress import PATH

pytest.importorskip("streamlit", reason="Streamlit is not installed: make explore")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: make explore")

expect = playwright.expect

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Any]:
    """Return a page of a browser, which asked nobody but the explorer for anything; both end in order."""
    asked: list[str] = []
    expect.set_options(timeout=WAIT_MS)
    with open_explorer(tmp_path) as explorer, open_page(explorer) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.reload()
        yield page
    assert {url.split("/")[2] for url in asked if url.startswith("http")} == {explorer.address.split("/")[2]}


def test_pages_of_others_open_no_socket_and_no_frame(page: Any) -> None:
    assert "frame-ancestors 'self'" in page.reload().headers["content-security-policy"]
    page.get_by_role("heading", name="Runs", exact=True).wait_for()  # for the explorer's own page a socket is open
    client, exceptions = pytest.importorskip("websockets.sync.client"), pytest.importorskip("websockets.exceptions")
    place = page.url.removeprefix("http://").rstrip("/")
    for path, origin in product(("/_stcore/stream", PATH), ("http://example.org", "http://127.0.0.1:1", None)):
        with pytest.raises(exceptions.InvalidStatus, match="403"), client.connect(f"ws://{place}{path}", origin=origin):
            pass


def test_a_run_is_started_a_block_opened_and_a_block_broken(page: Any, tmp_path: Path) -> None:
    turn_to(page, "New run")
    box = page.get_by_role("combobox", name=re.compile("Scenario"))
    box.fill("bft_silent")
    box.press("Enter")
    page.get_by_text(pot.list_scenarios()["bft_silent"]).wait_for()
    with page.expect_websocket(lambda socket: socket.url.endswith(PATH)):  # which tells how far it is
        page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("The run has ended")).to_have_count(1)  # for a moment it may stand there twice
    (folder,) = (tmp_path / "runs").iterdir()
    run = pot.open_run(folder)
    assert run.is_delivered
    expect(page.locator(".progress-latest").filter(has_text=re.compile("^ended"))).to_have_count(1)

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
