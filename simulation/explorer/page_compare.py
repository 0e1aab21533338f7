"""The page on which two runs stand side by side."""

import streamlit as st

import simulation as pot
from simulation.explorer.block_tree import list_lines, list_points
from simulation.explorer.charts import draw_tree
from simulation.explorer.desk import DESK
from simulation.explorer.places import find_place, list_runs
from simulation.explorer.stored import list_populations, open_stored
from simulation.explorer.widgets import choose, complain, escape, guarded, show_table


def show() -> None:
    """Show the page."""
    runs = list_runs(DESK.given)
    if len(runs) < 2:
        st.info("There are fewer than two runs: start some on the page New run, or name them at `explore`.")
        return
    left, right = st.columns(2)
    with left:
        first = choose("One run", runs, "first run", is_missed=True)
    with right:
        second = choose("Another run", [run for run in runs if run != first], "second run")
    with guarded():
        folders = [find_place(name) for name in (first, second)]
        table = pot.compare(*folders, warn=complain).reset_index(names="figure")
        table.columns = [str(name) for name in table.columns]
        differs = table.iloc[:, 1] != table.iloc[:, 2]
        if st.toggle("Only what differs", key="only differences"):
            table = table[differs]
        show_table(table.astype(str), "comparison")
        for column, folder in zip(st.columns(2), folders, strict=True):
            with column:
                stored = open_stored(folder)
                st.subheader(escape(folder.name))
                points = list_points(stored.tally)
                st.vega_lite_chart(draw_tree(points, list_lines(stored.tally, points)), key=f"tree {folder}")
                show_table(list_populations(stored), f"populations {folder}")
