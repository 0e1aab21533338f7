"""The page of a sweep's curves."""

import streamlit as st

import simulation as pot
from simulation.commands.report import read_sweep_table
from simulation.explorer.desk import DESK
from simulation.explorer.places import find_place, list_sweeps
from simulation.explorer.widgets import choose, escape, guarded, show_table


def show() -> None:
    """Show the page."""
    chosen = choose("Sweep", list_sweeps(DESK.given), "sweep", is_missed=True)
    if chosen is None:
        st.info(
            "There is no sweep below the folder sweeps: `python main.py sweep NAME` runs one, or name one at `explore`."
        )
        return
    with guarded():
        sweep = pot.open_sweep(find_place(chosen))
        if sweep.failed:
            st.warning(f"{sweep.failed} of {len(sweep.results):,} cells have failed.")
        table = read_sweep_table(sweep.folder)
        keys, figures = table.find_varied() or list(table.keys), list(table.figures)
        across, up, lines = st.columns(3)
        with across:
            x = choose("Across", keys, "sweep x")
        with up:
            figure = choose("Figure", figures, "sweep figure")
        lines_by = lines.multiselect("A line for each", [key for key in keys if key != x], key="sweep lines")
        if x is not None and figure is not None:
            st.subheader(escape(figure))
            st.pyplot(sweep.draw(x, figure, lines_by))
        if st.toggle("Table", key="sweep table"):
            show_table(sweep.aggregate, "aggregate")
