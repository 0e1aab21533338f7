"""Pieces of pages. What comes from files is shown as it stands: neither Markdown nor HTML of it means anything."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import pandas as pd
import streamlit as st

from simulation.foundation import SimulationError, make_printable

_MARKS: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|~>$:<&^=])")

MOST_ROWS: Final = 5_000
"""Rows of a table that are sent to the browser."""

ROW_PX: Final = 35
"""Height of a row of a table."""


def escape(text: str) -> str:
    r"""Return a text in which nothing is Markdown, such as ``\*`` for ``*``."""
    return _MARKS.sub(r"\\\1", " ".join(make_printable(text).split()))


def complain(error: SimulationError | str) -> None:
    """Show what is wrong."""
    st.error(escape(str(error)))


@contextmanager
def guarded() -> Iterator[None]:
    """Show an error of the user's making as the sentence that it is."""
    try:
        yield
    except SimulationError as error:
        complain(error)
    except OSError as error:
        complain(f"{error.filename or 'a file'}: {error.strerror or error}; choose another folder")


def show_table(rows: Sequence[Mapping[str, Any]] | pd.DataFrame, key: str, **options: Any) -> Any:  # noqa: ANN401 - what Streamlit returns
    """Show rows as a table; of very many the first."""
    frame = rows if isinstance(rows, pd.DataFrame) else pd.DataFrame(list(rows[:MOST_ROWS]))
    if len(frame) > MOST_ROWS or (not isinstance(rows, pd.DataFrame) and len(rows) > MOST_ROWS):
        st.caption(f"The first {MOST_ROWS:,} of {len(rows):,} rows")
        frame = frame.head(MOST_ROWS)
    if frame.empty:
        st.caption("There is nothing to show.")
        return None
    return st.dataframe(frame, hide_index=True, width="stretch", key=key, placeholder="", **options)


def show_facts(facts: Mapping[str, str], key: str) -> None:
    """Show names and texts, a line each."""
    frame = pd.DataFrame({"what": list(facts), "value": [make_printable(text) for text in facts.values()]})
    if not frame.empty:
        columns = {"what": st.column_config.TextColumn(width=130), "value": st.column_config.TextColumn(width="large")}
        height = ROW_PX * (len(frame) + 1) + 3
        st.dataframe(frame, hide_index=True, width="stretch", height=height, key=key, column_config=columns)


def choose(
    label: str,
    options: Sequence[Any],
    key: str,
    *,
    show: Callable[[Any], str] = str,
    is_missed: bool = False,
) -> Any:  # noqa: ANN401 - one of the options
    """Let the user choose one; return it, or None where there is none.

    Args:
        label: What is chosen.
        options: What there is.
        key: Under which the choice is kept.
        show: Returns what an option is called.
        is_missed: Whether to say so where what was chosen before is not there any more.
    """
    if key in st.session_state and st.session_state[key] not in options:
        gone = st.session_state.pop(key)
        if options:
            st.session_state[key] = options[0]  # without a word the browser goes on showing what is not there
        if is_missed and gone is not None:
            complain(f"{gone}: there is no such folder any more, or nothing in it to show")
    return st.selectbox(label, options, key=key, format_func=show) if options else None
