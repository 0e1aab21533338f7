"""Making the page of a run again and again without a browser, as often as a browser would ask for it."""

import time
from collections.abc import Iterator

from streamlit.testing.v1 import AppTest

from simulation.explorer.going import GoingRun
from simulation.explorer.page_new import LOOK_EVERY_S


def watch_page(going: GoingRun) -> Iterator[None]:
    """Yield each time that the page has been made, until the run has ended.

    Args:
        going: The run.
    """
    page = AppTest.from_function(_show)
    page.session_state["going"] = going
    while going.is_running:
        begun = time.monotonic()
        page.run(timeout=60)
        yield
        going.wait(max(0.0, begun + LOOK_EVERY_S - time.monotonic()))


def _show() -> None:
    """Show the run: Streamlit runs the text of this function as a script."""
    import streamlit as st  # noqa: PLC0415

    from simulation.explorer.page_new import show_snapshot  # noqa: PLC0415

    snapshot = st.session_state["going"].snapshot
    if snapshot is not None:
        show_snapshot(snapshot)
