"""What Streamlit runs for each browser: the page that was chosen. It is a script, not a module of the room."""

import sys
from pathlib import Path

HERE = str(Path(__file__).parent)
sys.path[:] = [entry for entry in sys.path if entry != HERE]  # Streamlit adds it, and its modules have names of ours

import streamlit as st  # noqa: E402

from simulation.explorer import page_compare, page_new, page_node, page_runs, page_sweeps  # noqa: E402

PAGES = {
    "Runs": page_runs.show,
    "New run": page_new.show,
    "One node": page_node.show,
    "Side by side": page_compare.show,
    "Sweeps": page_sweeps.show,
}

st.set_page_config(page_title="Explorer of Proof of Training", layout="wide")
st.html("<style>.stMainBlockContainer { padding-top: 3rem; }</style>")
page = st.sidebar.radio("Page", list(PAGES), key="page", label_visibility="collapsed")
st.title(page)
PAGES[page]()
