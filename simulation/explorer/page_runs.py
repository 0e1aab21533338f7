"""The page of runs that have ended: figures, blocks, accounts, refusals, and whose chain holds."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import streamlit as st

from simulation.explorer.block_tree import list_lines, list_points
from simulation.explorer.charts import ORANGE, draw_bars, draw_heights, draw_links, draw_network, draw_tree
from simulation.explorer.desk import DESK
from simulation.explorer.heights import cut_windows, list_height_rows
from simulation.explorer.network import get_roles, list_edges, place_parties
from simulation.explorer.places import find_place, list_runs
from simulation.explorer.refusals import list_refused, list_seen
from simulation.explorer.stored import (
    Stored,
    list_accounts,
    list_blocks,
    list_figures,
    list_history,
    list_parties,
    list_populations,
    open_stored,
    view_block,
    view_transaction,
)
from simulation.explorer.validity import list_validity
from simulation.explorer.widgets import choose, complain, escape, guarded, show_facts, show_table
from simulation.records import Rejected

NO_RUN: Final = "There is no run yet below the folder runs: start one on the page New run, or name one at `explore`."


def show() -> None:
    """Show the page."""
    chosen = choose("Run", list_runs(DESK.given), "run", is_missed=True)
    if chosen is None:
        st.info(NO_RUN)
        return
    with guarded():
        stored = open_stored(find_place(chosen))
        for fault in stored.faults:
            complain(fault)
        view = st.segmented_control("View", list(_VIEWS), default="Overview", key="view", label_visibility="collapsed")
        _VIEWS[view or "Overview"](stored)


def _show_overview(stored: Stored) -> None:
    st.caption(escape(stored.description))
    show_facts(list_figures(stored), "figures")
    if stored.heights:
        st.subheader("Highest heads")
        end = stored.tally.last_time
        rows, windows = list_height_rows(stored.heights, end), cut_windows(stored.windows, end)
        st.vega_lite_chart(draw_heights(rows, windows), key="heights")
    st.subheader("Populations")
    show_table(list_populations(stored), "populations")
    st.subheader("Nodes at the end")
    show_table(list_parties(stored), "parties")
    if st.toggle("Pictures", key="pictures"):
        _show_pictures(stored.folder)


def _show_pictures(folder: Path) -> None:
    for name, figure in open_stored(folder).run.pictures().items():
        st.subheader(escape(name))
        st.pyplot(figure)


def _show_blocks(stored: Stored) -> None:
    rows = list_blocks(stored)
    if not rows:
        st.info("No party has stored a block.")
        return
    points = list_points(stored.tally)
    chart = draw_tree(points, list_lines(stored.tally, points))
    event = st.vega_lite_chart(chart, on_select="rerun", selection_mode="clicked", key=f"tree-{stored.folder}")
    st.download_button(
        "Its growth as an animation (GIF)",
        stored.run.animation,
        f"{stored.folder.name}.gif",
        "image/gif",
        on_click="ignore",
        key="animation",
    )
    names = [row["block"] for row in rows]
    clicked = next((point["block"] for point in event.selection.get("clicked", [])), None)
    if clicked in names and st.session_state.get("clicked before") != clicked:
        st.session_state["clicked before"] = st.session_state["block"] = clicked
    heights = {row["block"]: f"{row['height']}  {row['block']}  ({row['branch']}, {row['work']})" for row in rows}
    block = choose("Block: click on one above, or choose it here", names, "block", show=lambda name: heights[name])
    view = view_block(stored, block)
    show_facts(view.facts, "block facts")
    tables = {
        "Who did what for it": view.deeds,
        "Coinbase": view.coinbase,
        "Transactions": view.transactions,
        "Stored by": view.seen,
    }
    for title, table in tables.items():
        if table:
            st.subheader(title)
            show_table(table, f"block {title}")
    if view.transactions:
        digits = choose("Transaction", [line["transaction"] for line in view.transactions], "transaction")
        show_facts(view_transaction(stored, digits), "transaction facts")


def _show_accounts(stored: Stored) -> None:
    account = choose("Account", list_accounts(stored), "account")
    if account is None:
        st.info("The folder has no chain that can be read.")
        return
    history = list_history(stored, account)
    st.caption(escape(f"{len(history)} events; {history[-1]['balance']:,.2f} coins at the end"))
    show_table([{name: value for name, value in row.items() if name != "who"} for row in history], "history")


def _show_refusals(stored: Stored) -> None:
    refused = list_refused(stored.records)
    if not refused:
        st.info("No message is on record as refused.")
        return
    rows = [
        {"message": str(message), "refused": reasons.total(), "why": ", ".join(reasons)}
        for message, reasons in refused.items()
    ]
    over = Counter((record.fact.peer, record.who) for record in stored.records if isinstance(record.fact, Rejected))
    parties = place_parties(get_roles(stored.tally), stored.links)
    reasons = sum(refused.values(), start=Counter[str]())
    bars, picture = st.columns(2)
    bars.vega_lite_chart(draw_bars(dict(reasons.most_common()), "refused, by reason", colour=ORANGE), key="reasons")
    if parties:
        picture.vega_lite_chart(draw_network(parties, list_edges(parties, stored.links, over)), key="network")
    else:
        picture.vega_lite_chart(draw_links(over), key="links")
    show_table(rows, "refused")
    messages = list(refused)
    message = choose("Message", messages, "message")
    st.subheader("What each node saw")
    show_table(list_seen(stored.records, stored.tally, message), "seen")


def _show_validity(stored: Stored) -> None:
    st.caption("The stored chain is judged again from the genesis up: hashes, proofs, signatures, every coin.")
    st.button("Check the chain", key="check", type="primary")
    if stored.chain is None:
        return
    if stored.chain.fault is None:
        st.success(f"All {stored.chain.head.height} blocks hold.")
    else:
        complain(stored.chain.fault)
    show_table(list_validity(stored), "validity")


_VIEWS: Final[dict[str, Callable[[Stored], None]]] = {
    "Overview": _show_overview,
    "Blocks": _show_blocks,
    "Accounts": _show_accounts,
    "Refusals": _show_refusals,
    "Check the chain": _show_validity,
}
