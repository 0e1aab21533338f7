"""The page on which one node alone writes records into blocks; and any chain's bytes are edited, to see it break."""

from typing import Any, Final

import pandas as pd
import streamlit as st

from simulation.explorer.chain_lab import BEHIND, BROKEN, ChainLab, Checked, read_lab
from simulation.explorer.desk import DESK
from simulation.explorer.one_node import MOST_ZERO_BITS, ZERO_BITS, OneNode
from simulation.explorer.places import find_place, list_runs
from simulation.explorer.widgets import choose, escape, guarded, show_facts, show_table

OWN: Final = "a chain that I build"
LINE_BYTES: Final = 24
_RED: Final = "background-color: #d55e00; color: black"
_PALE: Final = "background-color: #e8b89a; color: black"


def show() -> None:
    """Show the page."""
    source = choose("Chain", [OWN, *list_runs(DESK.given)], "lab source", is_missed=True)
    with guarded():
        if source == OWN:
            node: OneNode = _keep("one node", source, OneNode)
            _build(node)
            lab = node.lab
        else:
            lab = _keep("lab", source, lambda: read_lab(find_place(source)))
        _check(lab)
        if lab.height:
            _edit(lab)


def _keep(name: str, source: str, make: Any) -> Any:  # noqa: ANN401 - what is kept
    """Return what this browser has been working on; make it if that is something else."""
    kept = st.session_state.get(name)
    if kept is None or kept[0] != source:
        st.session_state[name] = kept = (source, make())
        _forget()
    return kept[1]


def _forget() -> None:
    """Say that the chain has changed since it was checked."""
    st.session_state.pop("checked", None)


def _build(node: OneNode) -> None:
    st.caption("One node works for each block by itself. It writes down who pays whom, and begins with three users.")
    with st.form("record", border=True):
        who, to, coins = st.columns(3)
        payer = who.selectbox("From", node.parties, index=1, key="payer")
        payee = to.selectbox("To", node.parties, index=2, key="payee")
        amount = coins.number_input("Coins", value=5.0, key="amount")
        if st.form_submit_button("Add the record"):
            with guarded():
                node.add_record(payer, payee, amount)
    if node.waiting:
        st.caption("Waiting for the next block")
        show_table([{"from": item.who, "to": item.to, "coins": item.coins} for item in node.waiting], "waiting")
    work, bits, again = st.columns([1, 1, 1], vertical_alignment="bottom")
    if work.button("Make the block", type="primary", key="make"):
        with guarded():
            node.make_block()
            _forget()
    zero_bits = bits.number_input("Zero bits", 2, MOST_ZERO_BITS, ZERO_BITS, key="zero bits")
    if again.button("Start again with these bits", key="again"):
        st.session_state["one node"] = (OWN, OneNode(int(zero_bits)))
        _forget()
        st.rerun()
    if node.tries:
        latest = f"{node.tries[-1]:,}" + (" nonce" if node.tries[-1] == 1 else " nonces")
        st.caption(f"The latest block took {latest}; {2**node.zero_bits:,} are to be expected.")
        loss = node.describe_loss()
        if loss is not None:
            st.warning(escape(loss))
        balances, records = st.columns([1, 2])
        with balances:
            show_table(node.list_balances(), "balances")
        with records:
            show_table(node.list_records(), "records")


def _check(lab: ChainLab) -> None:
    if st.button("Check the chain", key="check chain"):
        st.session_state["checked"] = lab.check()
    checked: Checked | None = st.session_state.get("checked")
    if checked is None:
        st.info(f"{lab.height} blocks, not checked since the last change.")
        return
    if checked.broken_at is None:
        st.success(f"All {lab.height} blocks hold.")
    else:
        behind = lab.height - checked.broken_at
        above = "the block above it stands" if behind == 1 else f"the {behind} blocks above it stand"
        more = f", and {above} on nothing" if behind else ""
        st.error(f"The chain is broken at height {checked.broken_at}{more}.")
        st.text(checked.why or "")
    frame = pd.DataFrame(checked.rows)
    colours = {BROKEN: _RED, BEHIND: _PALE, "no": _PALE}
    styled = frame.style.map(lambda value: colours.get(str(value), ""), subset=["block", "names its parent"])
    st.dataframe(styled, hide_index=True, width="stretch", key="chain")


def _edit(lab: ChainLab) -> None:
    st.subheader("Edit one byte")
    height = choose("Block", list(range(1, lab.height + 1)), "edit height")
    packed = lab.get_bytes(height)
    st.code(show_bytes(packed), language=None, height=200)
    place, value, button, undo = st.columns(4, vertical_alignment="bottom")
    number = int(place.number_input("Byte", 0, len(packed) - 1, min(60, len(packed) - 1), key="edit place"))
    new = int(value.number_input(f"Value, now {packed[number]}", 0, 255, packed[number] ^ 1, key="edit value"))
    if button.button("Edit", key="edit"):
        with guarded():
            lab.edit(height, number, new)
            _forget()
            st.rerun()
    if undo.button("Undo all edits", key="undo", disabled=not lab.edited):
        lab.restore()
        _forget()
        st.rerun()
    if lab.edited:
        st.caption(f"Edited: the blocks at height {', '.join(map(str, lab.edited))}")
    facts = lab.describe(height)
    if facts:
        show_facts(facts, "lab facts")
    else:
        st.text("These bytes stand for no block any more.")


def show_bytes(packed: bytes) -> str:
    """Return bytes as hexadecimal digits, each line with the place of its first byte."""
    starts = range(0, len(packed), LINE_BYTES)
    return "\n".join(f"{start:5d}  {packed[start : start + LINE_BYTES].hex(' ')}" for start in starts)
