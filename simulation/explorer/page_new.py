"""The page on which a scenario is chosen, changed key by key, run, and watched while it runs."""

import re
import shlex
import time
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import streamlit as st

import simulation as pot
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
from simulation.explorer.desk import DESK
from simulation.explorer.following import Snapshot, list_coins, list_live_nodes
from simulation.explorer.form import Applied, Field, apply, list_fields
from simulation.explorer.going import GoingRun
from simulation.explorer.heights import cut_windows, list_height_rows
from simulation.explorer.network import list_edges, place_parties
from simulation.explorer.widgets import choose, complain, escape, guarded, show_table

LOOK_EVERY_S: Final = 0.35
"""How often the page looks how far the run is."""

_PACE: Final = "Simulated seconds a second"
_PLUGINS_HELP: Final = (
    "They are executed as soon as they are chosen, and what they register can be named in the fields."
)
_PACES: Final[dict[str, float | None]] = {
    "halted": 0.0,
    "0.1": 0.1,
    "0.3": 0.3,
    "1": 1.0,
    "3": 3.0,
    "10": 10.0,
    "as fast as it can": None,
}
_FULL: Final = "as fast as it can"

_PLAIN: Final = re.compile("[a-z0-9]+(_[a-z0-9]+)*")
"""A name in which nothing is Markdown."""

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


def show() -> None:
    """Show the page."""
    with guarded():
        going = DESK.going
        with st.container():
            if going is not None:
                _show_going(going)
        if going is None or not going.is_running:
            with DESK.reading:
                _show_choice()


# ---- choosing ----


def _show_choice() -> None:
    shipped = pot.list_scenarios()
    name = choose("Scenario", list(shipped), "scenario")
    st.caption(escape(shipped[name]))
    plugins = _choose_plugins()
    scenario = pot.load(name, add_plugins=plugins)
    fields = list_fields(scenario)
    edits = {field.key: text for field in fields if (text := _read_edit(name, field)) is not None}
    applied = apply(scenario, edits)
    pace: str | None = None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        is_started = st.button("Run", type="primary", disabled=applied.scenario is None, key="start")
        if applied.scenario is not None and applied.scenario.keys.traits.is_simulated:
            pace = st.selectbox(_PACE, list(_PACES), len(_PACES) - 1, key="first pace", width=220)
    above = st.container()  # what comes and goes has its place, so that nothing below changes its own
    if edits or plugins:
        told = [f"--plugin {shlex.quote(_shorten(file))}" for file in plugins]
        told += [f"--set {shlex.quote(f'{key}={text}')}" for key, text in edits.items()]
        above.code(f"python main.py run {name} {' '.join(told)}", language=None, wrap_lines=True)
    if applied.in_general is not None:
        with above:
            complain(applied.in_general)
    if applied.at_keys:
        above.error(escape(f"Not valid yet: {', '.join(applied.at_keys)}"))
    for section in dict.fromkeys(field.section for field in fields):
        own = [field for field in fields if field.section == section]
        is_wrong = any(field.key in applied.at_keys for field in own)
        is_changed = any(field.key in edits for field in own)
        section_key = f"{name}: section {section}"
        was_wrong = f"{section_key} was wrong"
        if is_wrong:  # it opens, and stays so when it is mended: a browser closes what is not to be open any more
            st.session_state[was_wrong] = True
        is_opened = st.session_state.get(was_wrong, False)
        icon = ":material/edit:" if is_changed else None
        with st.expander(escape(section), expanded=is_opened, key=section_key, icon=icon):
            _show_fields(name, own, applied, is_open=bool(plugins))
    if is_started and applied.scenario is not None:
        DESK.start(applied.scenario, pace=_PACES[pace or _FULL])
        st.rerun()


def _choose_plugins() -> list[Path]:
    """Let the user choose among the files of code that the command named; a browser can name none."""
    if not DESK.plugins:
        st.caption(
            "Own parts, such as a poison: `python main.py explore --plugin my_lab.py`. No other code is executed."
        )
        return []
    chosen: list[Path] = st.multiselect(
        "Plug-ins", DESK.plugins, format_func=_shorten, key="plugins", help=_PLUGINS_HELP
    )
    return chosen


def _shorten(file: Path) -> str:
    """Return the path of a file as one would write it in the working folder."""
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)


def _name(field: Field) -> str:
    """Return the label of a field, which programs read aloud as it is written: a plain name needs no escapes."""
    last = field.key.rpartition(".")[2]
    return last if _PLAIN.fullmatch(last) else escape(last)


def _get_widget(name: str, field: Field) -> str:
    return f"{name}: {field.key}"


def _read_edit(name: str, field: Field) -> str | None:
    """Return what was written for a key; None where that is what the scenario has."""
    value = st.session_state.get(_get_widget(name, field))
    if value is None:
        return None
    text = str(value).lower() if isinstance(value, bool) else str(value).strip()
    return None if text == field.value else text


def _show_fields(name: str, fields: list[Field], applied: Applied, *, is_open: bool) -> None:
    """Show fields; where they are open, what plug-ins register may be written where there is something to choose."""
    columns = st.columns(3)
    for number, field in enumerate(fields):
        with columns[number % 3]:
            key, label = _get_widget(name, field), _name(field)
            if field.kind == "choice":
                place = field.choices.index(field.value)
                st.selectbox(label, field.choices, place, key=key, help=field.help, accept_new_options=is_open)
            elif field.kind == "switch":
                st.checkbox(label, value=field.value == "true", key=key, help=field.help)
            else:
                st.text_input(label, value=field.value, key=key, help=field.help)
            if field.key in applied.at_keys:
                complain(applied.at_keys[field.key])


# ---- watching ----


def _show_going(going: GoingRun) -> None:
    st.subheader(escape(f"{going.scenario.name}, seed {going.scenario.seed}, engine {going.scenario.engine}"))
    if going.is_running:
        st.caption("It goes on if this browser is closed; it ends, in order, with the explorer.")
        if st.button("Stop", key="stop"):
            going.stop()
    st.fragment(_watch, run_every=LOOK_EVERY_S if going.is_running else None)(going, was_running=going.is_running)


def _show_pace(going: GoingRun) -> None:
    """Let the user slow simulated time down, halt it, and go on by single steps.

    A slider only ever has the value that was in force when it appeared, or what its user gave it; for another one the
    page has another slider.
    """
    slider, event, block = st.columns([4, 1, 1], vertical_alignment="bottom")
    in_force = next((name for name, pace in _PACES.items() if pace == going.pace), _FULL)
    shown: _Slider = st.session_state.get(_SLIDER) or _Slider(0, in_force, in_force)
    if st.session_state.get(shown.key) != in_force:  # set by another page, or by a step
        shown = st.session_state[_SLIDER] = _Slider(shown.number + 1, in_force, in_force)
    change = partial(_change_pace, going, shown.number)
    slider.select_slider(_PACE, list(_PACES), shown.begun, key=shown.key, on_change=change)
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
        going.set_pace(_PACES[value])


def _watch(going: GoingRun, *, was_running: bool) -> None:
    """Show how far the run is, and how fast it may go; when it has ended, the whole page anew."""
    if was_running and not going.is_running:
        st.rerun()
    if going.is_running and going.scenario.keys.traits.is_simulated:
        _show_pace(going)
    if going.error is not None:
        complain(going.error)
    if going.folder is not None:
        st.success(f"The run has ended; its folder is {escape(str(going.folder))}, which the page Runs opens.")
    if going.snapshot is None:
        elapsed = time.monotonic() - going.started
        loading = f"The run starts: for {elapsed:.0f} s it has been loading what it needs."
        st.info(loading if going.is_running else "There is nothing to show.")
        return
    show_snapshot(going.snapshot)


def show_snapshot(snapshot: Snapshot) -> None:
    """Show how far a run is."""
    st.progress(min(1.0, snapshot.height / snapshot.length))
    figures = {
        "Employer's chain": f"{snapshot.height} of {snapshot.length}",
        "Seconds": f"{snapshot.seconds:,.2f}",
        "Refused": f"{sum(snapshot.refused.values()):,}",
    }
    for column, (label, value) in zip(st.columns(3), figures.items(), strict=True):
        column.metric(label, value)
    st.caption(escape(f"{snapshot.phase}; the latest: {snapshot.latest}" if snapshot.latest else snapshot.phase))
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
            title = f"coins by the employer's chain, at height {snapshot.holdings.height}"
            st.vega_lite_chart(draw_bars(list_coins(snapshot.holdings), title, colour=BLUE), key="live coins")
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
