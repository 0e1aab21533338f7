"""The page on which a scenario is chosen, changed key by key, run, and watched while it runs."""

import re
import shlex
from pathlib import Path
from typing import Final

import streamlit as st

import simulation as pot
from simulation.explorer.desk import DESK
from simulation.explorer.form import Applied, Field, apply, list_fields
from simulation.explorer.live import FULL, PACE, PACES, show_going
from simulation.explorer.widgets import choose, complain, escape, guarded

_PLUGINS_HELP: Final = (
    "They are executed as soon as they are chosen, and what they register can be named in the fields."
)
_PLAIN: Final = re.compile("[a-z0-9]+(_[a-z0-9]+)*")
"""A name in which nothing is Markdown."""


def show() -> None:
    """Show the page."""
    with guarded():
        going = DESK.going
        with st.container():
            if going is not None:
                show_going(going)
        if going is None or not going.is_running:
            with DESK.reading:
                _show_choice()


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
            pace = st.selectbox(PACE, list(PACES), len(PACES) - 1, key="first pace", width=220)
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
        DESK.start(applied.scenario, pace=PACES[pace or FULL])
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
