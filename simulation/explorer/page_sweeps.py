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
        keys = table.find_varied() or list(table.keys)
        # Those that differ stand first: the others are flat lines.
        figures = sorted(table.figures, key=lambda name: table.get_centre(name).nunique() < 2)
        across, up, lines = st.columns(3)
        with across:
            x = choose("Across", keys, "sweep x")
        with up:
            figure = choose("Figure", figures, "sweep figure")
        if x is None or figure is None:
            return
        others = [key for key in keys if key != x]
        lines_by = lines.multiselect("A line for each", others, table.find_lines(x), key=f"sweep lines of {chosen} {x}")
        st.subheader(escape(figure))
        with st.spinner("It is drawn."):
            st.pyplot(sweep.draw(x, figure, lines_by))
        if st.toggle("Table", key="sweep table"):
            show_table(sweep.aggregate, "aggregate")
