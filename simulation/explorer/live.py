"""A run that goes on, on the page: how far it is several times a second, and pictures of it every few seconds."""

import os
import time
from functools import partial
from typing import Final, NamedTuple

import streamlit as st

from simulation.explorer.block_tree import list_lines, list_points, make_live_tally
from simulation.explorer.charts import (
    BLUE,
    LIVE_LOOKS,
    ORANGE,
    draw_bars,
    draw_heights,
    draw_links,
    draw_network,
    draw_tree,
)
from simulation.explorer.following import list_coins, list_live_nodes
from simulation.explorer.going import GoingRun
from simulation.explorer.heights import cut_windows, list_height_rows
from simulation.explorer.network import list_edges, place_parties
from simulation.explorer.progress import ENDED, write_progress
from simulation.explorer.widgets import complain, escape, show_table

DRAW_EVERY_S: Final = max(1.0, 6 / (os.cpu_count() or 1))
"""How often pictures and tables of a run are made anew: that takes a browser a seventh of a second of a processor."""

LONG_S: Final = 20.0
"""A run that was started longer ago changes less from one picture to the next: it has them half as often."""

LOOK_EVERY_S: Final = 0.4
"""How often where simulated time is held up, so that nothing waits for a processor, or has not begun."""

PACE: Final = "Simulated seconds a second"
PACES: Final[dict[str, float | None]] = {
    "halted": 0.0,
    "0.1": 0.1,
    "0.3": 0.3,
    "1": 1.0,
    "3": 3.0,
    "10": 10.0,
    "as fast as it can": None,
}
FULL: Final = "as fast as it can"

_SLIDER: Final = "pace slider"


class _Slider(NamedTuple):
    """The slider of the pace that a page has: each has its own number."""

    number: int
    begun: str
    """Its value when it appeared."""
    at: str
    """Its value now."""

    @property
    def key(self) -> str:
        """Under which its value is kept."""
        return f"pace {self.number}"


class _State(NamedTuple):
    """What the page is made for; when it changes, the page is made anew."""

    is_running: bool
    has_begun: bool
    pace: float | None
    """In force."""
    draw_every_s: float
    """How often pictures and tables are made anew."""


def show_going(going: GoingRun) -> None:
    """Show a run that goes on, or has just ended."""
    state = _find_state(going)
    st.subheader(escape(f"{going.scenario.name}, seed {going.scenario.seed}, engine {going.scenario.engine}"))
    if state.is_running:
        st.caption("It goes on if this browser is closed; it ends, in order, with the explorer.")
        if st.button("Stop", key="stop"):
            going.stop()
        if going.scenario.keys.traits.is_simulated:
            st.fragment(_show_pace)(going, state)
    if going.error is not None:
        complain(going.error)
    if going.folder is not None:
        st.success(f"The run has ended; its folder is {escape(str(going.folder))}, which the page Runs opens.")
    if state.is_running or state.has_begun:
        st.html(write_progress(going), unsafe_allow_javascript=True)  # all that is not ours in it is escaped
        if state.is_running:
            st.button("It has ended", key=ENDED)
    else:
        st.info("There is nothing to show.")
    st.fragment(_draw, run_every=state.draw_every_s if state.is_running else None)(going, state)


def _find_state(going: GoingRun) -> _State:
    has_begun, pace = going.snapshot is not None, going.pace
    if pace is not None or not has_begun:
        draw_every_s = LOOK_EVERY_S
    else:
        draw_every_s = DRAW_EVERY_S * (2 if time.monotonic() > going.started + LONG_S else 1)
    return _State(going.is_running, has_begun, pace, draw_every_s)


def _show_pace(going: GoingRun, state: _State) -> None:
    """Let the user slow simulated time down, halt it, and go on by single steps.

    A slider only ever has the value that was in force when it appeared, or what its user gave it; for another one the
    page has another slider.
    """
    if _find_state(going) != state:
        st.rerun()
    slider, event, block = st.columns([4, 1, 1], vertical_alignment="bottom")
    in_force = next((name for name, pace in PACES.items() if pace == going.pace), FULL)
    shown: _Slider = st.session_state.get(_SLIDER) or _Slider(0, in_force, in_force)
    if st.session_state.get(shown.key) != in_force:  # set by another page, or by a step
        shown = st.session_state[_SLIDER] = _Slider(shown.number + 1, in_force, in_force)
    change = partial(_change_pace, going, shown.number)
    slider.select_slider(PACE, list(PACES), shown.begun, key=shown.key, on_change=change)
    event.button("Next event", key="next event", on_click=partial(going.step, is_to_block=False), width="stretch")
    block.button("Next block", key="next block", on_click=partial(going.step, is_to_block=True), width="stretch")


def _change_pace(going: GoingRun, number: int) -> None:
    """Do what the user of a slider wants.

    A browser sends what it shows whenever it asks for anything, which may be late: only a value of the slider that is
    shown, other than the one it had, is its user's.
    """
    shown: _Slider = st.session_state[_SLIDER]
    value = st.session_state.get(shown.key)
    if shown.number == number and value not in (None, shown.at):
        st.session_state[_SLIDER] = shown._replace(at=value)
        going.set_pace(PACES[value])


def _draw(going: GoingRun, state: _State) -> None:
    """Show pictures and tables of how far a run is."""
    if _find_state(going) != state:
        st.rerun()
    snapshot = going.snapshot
    if snapshot is None:
        return
    left, right = st.columns([3, 2])
    with left:
        tally = make_live_tally(snapshot)
        points = list_points(tally, is_live=True)
        st.vega_lite_chart(draw_tree(points, list_lines(tally, points), looks=LIVE_LOOKS), key="live tree")
        if snapshot.heights:
            rows = list_height_rows(snapshot.heights, snapshot.seconds)
            windows = cut_windows(snapshot.windows, snapshot.seconds)
            st.vega_lite_chart(draw_heights(rows, windows), key="live heights")
        if snapshot.holdings is not None:
            st.caption(f"By the employer's chain, at height {snapshot.holdings.height}:")
            st.vega_lite_chart(draw_bars(list_coins(snapshot.holdings), "coins", colour=BLUE), key="live coins")
    with right:
        if snapshot.refused:
            st.vega_lite_chart(draw_bars(snapshot.refused, "refused, by reason", colour=ORANGE), key="live reasons")
        parties = place_parties({node.label: node.role for node in snapshot.nodes}, snapshot.heard)
        if parties:
            edges = list_edges(parties, snapshot.heard, snapshot.links)
            st.vega_lite_chart(draw_network(parties, edges), key="live network")
        elif snapshot.links:
            st.vega_lite_chart(draw_links(snapshot.links), key="live links")
    show_table(list_live_nodes(snapshot), "live nodes")
    if snapshot.news:
        st.code("\n".join(snapshot.news), language=None, height=220)
