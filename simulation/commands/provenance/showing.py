"""Prints what was looked up: tables for people, or a JSON object a line for programs."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from protocol.types import MICRO_COINS_PER_COIN
from simulation.commands.provenance.accounts import KeyAccount, add_up
from simulation.commands.provenance.events import ChainEvent, list_events
from simulation.commands.provenance.finding import find_block, find_key, find_transaction
from simulation.commands.provenance.opened_chain import OpenedChain
from simulation.commands.provenance.records import (
    describe_block,
    describe_chain,
    describe_product,
    describe_transaction,
    list_audit,
)
from simulation.foundation import make_printable
from simulation.records import short_hash
from simulation.runs import Column, build_fitting_table

_EVENTS: Final = (
    Column("height"),
    Column("second", rank=2),
    Column("who", is_number=False),
    Column("did", is_number=False),
    Column("coins"),
    Column("balance", rank=1),
    Column("with", rank=3, is_number=False),
    Column("details", rank=4, is_number=False),
)
_KEYS: Final = (
    Column("key", is_number=False),
    Column("did for blocks", is_number=False),
    Column("began with", rank=5),
    Column("earned", rank=1),
    Column("received", rank=3),
    Column("transferred", rank=4),
    Column("fees paid", rank=6),
    Column("balance"),
    Column("bonded", rank=2),
)
_TRANSFERS: Final = (
    Column("transaction", is_number=False),
    Column("from", is_number=False),
    Column("to", is_number=False),
    Column("coins"),
    Column("fee", rank=1),
)
_MICRO_DIGITS: Final = 6


def show_audit(chain: OpenedChain, console: Console, told_keys: Sequence[str], *, is_json: bool) -> None:
    """Print who did what, when and for how much: of some keys, or of all.

    Raises:
        LedgerError: The events do not come to what the ledger says: a bug.
        LookUpError: A key is not one of the chain's, or might be several.
    """
    events = list(list_events(chain))
    accounts = add_up(chain, events)
    chosen = [find_key(chain, told, accounts) for told in told_keys] or list(accounts)
    kept, wanted = [accounts[key] for key in dict.fromkeys(chosen)], frozenset(chosen)
    shown = [event for event in events if event.account in wanted]
    if is_json:
        _print_lines(list_audit(chain, shown, kept))
        return
    facts = describe_chain(chain)
    supply, begun, created = (show_coins(facts[key]) for key in ("supply", "supply_at_genesis", "created"))
    burnt = f", {show_coins(facts['burnt'])} burnt" if facts["burnt"] else ""
    rows = {
        "chain": facts["chain"],
        "mechanism": facts["mechanism"],
        "height": f"{facts['height']:,} of {facts['length']:,}",
        "coins": f"{supply}: {begun} at the genesis and {created} new{burnt}; {show_coins(facts['bonded'])} are bonded",
    }
    product = describe_product(chain)
    if product is not None:
        rows |= {key.replace("_", " "): str(value) for key, value in product.items() if key != "record"}
    _print_facts(console, rows)
    console.print(build_fitting_table(console.width, _EVENTS, [_row_event(chain, event) for event in shown]))
    console.print()
    console.print(build_fitting_table(console.width, _KEYS, [_row_key(chain, account) for account in kept]))


def show_block(chain: OpenedChain, console: Console, told: str, *, is_json: bool) -> None:
    """Print one block.

    Raises:
        LookUpError: There is no such block, or it might be several.
    """
    found = describe_block(chain, find_block(chain, told))
    if is_json:
        _print_lines([found])
        return
    rows = {"block": found["block"], "height": f"{found['height']:,} of {chain.head.height:,}"}
    rows |= {"time": _show_time(found), "confirmations": f"{found['confirmations']:,}"}
    rows |= {
        "parent": found["parent"] or "none: this is the genesis",
        "child": found["child"] or "none: this is the head",
    }
    if found.get("genesis"):
        rows |= {"accounts": f"{found['accounts']:,}", "coins": show_coins(found["supply"])}
        _print_facts(console, rows)
        return
    rows |= {name.replace("_", " "): str(value) for name, value in found["proof"].items()}
    rows["coins"] = (
        f"{show_coins(found['supply'])} after it; {show_coins(found['created'])} new, {show_coins(found['fees'])} fees"
    )
    _print_facts(console, rows)
    _print_list(console, "who", "did", [(_show_party(deed), deed["did"]) for deed in found["deeds"]])
    paid = [(_show_party(line), f"{show_coins(line['amount'])} coins") for line in found["coinbase"]]
    _print_list(console, "coinbase", "", paid)
    if found["transactions"]:
        transfers = [_row_transfer(item) for item in found["transactions"]]
        console.print(build_fitting_table(console.width, _TRANSFERS, transfers))


def show_transaction(chain: OpenedChain, console: Console, told: str, *, is_json: bool) -> None:
    """Print one transaction.

    Raises:
        LookUpError: There is no such transaction, or it might be several.
    """
    found = describe_transaction(chain, *find_transaction(chain, told))
    if is_json:
        _print_lines([found])
        return
    rows = {
        "transaction": found["transaction"],
        "block": f"{found['block']} at height {found['height']:,}, number {found['place']:,} in it",
        "time": _show_time(found),
        "confirmations": f"{found['confirmations']:,}",
        "from": _show_full(found["from"], found["from_name"]),
        "to": _show_full(found["to"], found["to_name"]),
        "amount": f"{show_coins(found['amount'])} coins",
        "fee": f"{show_coins(found['fee'])} coins",
        "nonce": f"{found['nonce']:,}: its sender's transfers before it",
    }
    _print_facts(console, rows)


def show_coins(micro: int | None) -> str:
    """Return micro-coins as coins, exactly, with at least two places."""
    if micro is None:
        return ""
    whole, part = divmod(abs(micro), MICRO_COINS_PER_COIN)
    places = f"{part:0{_MICRO_DIGITS}d}".rstrip("0").ljust(2, "0")
    return f"{'-' if micro < 0 else ''}{whole:,}.{places}"


# ---- rows and lines ----


def _row_event(chain: OpenedChain, event: ChainEvent) -> tuple[str, ...]:
    coins = "" if event.amount is None else f"{'+' if event.amount > 0 else ''}{show_coins(event.amount)}"
    other = chain.name(event.other) if event.other is not None else ""
    who, when = chain.name(event.account), f"{event.seconds:,.3f}"
    row = (f"{event.height:,}", when, who, event.did, coins, show_coins(event.balance), other, _detail(event))
    return tuple(escape(cell) for cell in row)


def _detail(event: ChainEvent) -> str:
    words = []
    if event.share is not None:
        words.append(f"{event.share:.1%} of the coinbase")
        words += [f"{show_coins(event.fee)} of it fees"] if event.fee else []
    elif event.fee:
        words.append(f"{show_coins(event.fee)} of it the fee")
    if event.staked is not None:
        sign = "+" if event.staked > 0 else ""
        words.append(f"stake {sign}{show_coins(event.staked)} to {show_coins(event.bonded)}")
    if event.transaction is not None:
        words.append(f"in {short_hash(event.transaction)}")
    return ", ".join(words)


def _row_key(chain: OpenedChain, account: KeyAccount) -> tuple[str, ...]:
    deeds = ", ".join(f"{did.split()[0]} {count:,}" for did, count in account.deeds.items())
    amounts = (account.began, account.earned, account.received, account.transferred, account.fees_paid)
    cells = (*(show_coins(amount) for amount in amounts), show_coins(account.balance), show_coins(account.bonded))
    return (escape(chain.name(account.account)), escape(deeds), *cells)


def _row_transfer(told: dict[str, Any]) -> tuple[str, ...]:
    who = (_shorten(told["from"], told["from_name"]), _shorten(told["to"], told["to_name"]))
    return (f"0x{told['transaction'][:12]}", *who, show_coins(told["amount"]), show_coins(told["fee"]))


def _show_party(told: dict[str, Any]) -> str:
    return _shorten(told["key"], told["name"])


def _shorten(key: str, name: str | None) -> str:
    return name or short_hash(bytes.fromhex(key))


def _show_full(key: str, name: str | None) -> str:
    return f"{key} ({name})" if name else key


def _show_time(told: dict[str, Any]) -> str:
    return f"{told['seconds']:,.3f} s after the genesis (slot {told['slot']:,})"


# ---- printing ----


def _print_facts(console: Console, rows: dict[str, str]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows.items():
        table.add_row(name, escape(make_printable(text)))
    console.print(table)
    console.print()


def _print_list(console: Console, first: str, second: str, rows: Iterable[tuple[str, str]]) -> None:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    table.add_column(first)
    table.add_column(second, overflow="fold")
    for one, other in rows:
        table.add_row(escape(one), escape(other))
    if table.row_count:
        console.print(table)
        console.print()


def _print_lines(records: Iterable[dict[str, Any]]) -> None:
    for record in records:
        print(json.dumps(record))  # noqa: T201
