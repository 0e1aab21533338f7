"""A run that has ended, as the page shows it: read once from its folder, and again when that changes."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final

import simulation as pot
from protocol.types import MICRO_COINS_PER_COIN
from simulation.commands.provenance import (
    ChainEvent,
    LookUpError,
    OpenedChain,
    describe_block,
    describe_transaction,
    list_events,
    open_chain,
)
from simulation.commands.report import Window, read_windows
from simulation.explorer.heights import HeightChange, Heights
from simulation.explorer.network import list_links
from simulation.explorer.places import PlaceError
from simulation.foundation import SimulationError
from simulation.records import (
    CHAIN_NAME,
    LOG_NAME,
    SCENARIO_NAME,
    SUMMARY_NAME,
    Record,
    RunLog,
    Tally,
    read_log,
    short_hash,
)
from simulation.runs import ChainFileError
from simulation.scenario import ScenarioError, read_file

MOST_KEPT: Final = 4
"""Runs that are kept in memory."""

MOST_HEIGHTS: Final = 20_000
"""Changes of a population's highest head that a chart shows, the latest ones."""

Row = dict[str, Any]


@dataclass
class Stored:
    """What is known of a run's folder."""

    folder: Path
    run: pot.Run
    log: RunLog
    records: list[Record]
    chain: OpenedChain | None
    chain_fault: str | None
    """What does not hold of the chain, or why there is none; None where all holds."""

    @property
    def tally(self) -> Tally:
        """What the records add up to."""
        return self.log.tally

    @property
    def description(self) -> str:
        """What the scenario says of itself; the rest of it, and code that it names, is left alone."""
        try:
            return str(read_file(self.folder / SCENARIO_NAME).get("description", ""))
        except ScenarioError:
            return ""

    @property
    def faults(self) -> list[str]:
        """What is damaged, a sentence each."""
        return [*self.log.warnings, *([self.chain_fault] if self.chain_fault else [])]

    @cached_property
    def heights(self) -> tuple[HeightChange, ...]:
        """How high the chains of each population reached, and when."""
        found = Heights(most=MOST_HEIGHTS)
        for record in self.records:
            found.take(record, self.tally)
        return tuple(found.changes)

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """When some could not reach others."""
        return read_windows(self.folder, self.tally.genesis_time)

    @cached_property
    def links(self) -> set[tuple[str, str]]:
        """Over which links messages came, from whom to whom."""
        return list_links(self.records)

    @cached_property
    def events(self) -> list[Row]:
        """What happened to each account, in the chain's order."""
        chain = self.chain
        return [_list_event(chain, event) for event in list_events(chain)] if chain is not None else []


def open_stored(folder: Path) -> Stored:
    """Return a run by its folder.

    Raises:
        PlaceError: The folder has gone.
        SimulationError: It holds no run that has ended, or none that can be read.
    """
    stamps = tuple(_stamp(folder / name) for name in (SUMMARY_NAME, CHAIN_NAME, LOG_NAME, SCENARIO_NAME))
    return _open(folder, str(folder.resolve()), stamps)


def _stamp(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except OSError as error:
        if file.name == SUMMARY_NAME:
            what = f"{file.parent}: there is no {file.name} in it: the run has not ended, or its folder has gone"
            raise PlaceError(f"{what} ({error.strerror}); choose another one") from None
        return 0


@lru_cache(MOST_KEPT)
def _open(folder: Path, _whole: str, _stamps: tuple[int, ...]) -> Stored:
    run = pot.open_run(folder)
    records: list[Record] = []
    log = read_log(folder, records.append)
    try:
        chain = open_chain(folder)
    except (ChainFileError, SimulationError) as error:
        return Stored(folder, run, log, records, None, str(error))
    return Stored(folder, run, log, records, chain, chain.fault)


# ---- the overview ----


def list_figures(stored: Stored) -> dict[str, str]:
    """Return the closing figures, a text each."""
    summary = stored.run.summary
    chain, attack, messages = (summary[name] for name in ("chain", "attack", "messages"))
    rows = {
        "scenario": f"{summary['scenario']}, seed {summary['seed']}, engine {summary['engine']}",
        "ended": str(summary["ended"]),
        "honest chain": f"height {chain['height']}, agreement {chain['honest_agreement']:.2f}, forks {chain['forks']}, "
        f"deepest reorganisation {chain['reorg_depth_max']}",
        "employer": f"height {summary['employer']['height']}, {summary['employer']['outcome']}"
        + (", deceived" if attack["employer_deceived"] else ""),
        "messages": f"{sum(messages['accepted'].values()):,} accepted, {sum(messages['rejected'].values()):,} rejected",
        "ledger": f"supply {summary['ledger']['supply']:,.2f} coins",
        "cost": f"{summary['cost']['wall_s']:.1f} s, {summary['cost']['cpu_s']:.1f} CPU-s",
        "invariants": summary["broken_invariant"] or "all hold",
    }
    if stored.tally.get_obstacle():
        rows["obstacle"] = str(stored.tally.get_obstacle())
    return rows


def list_populations(stored: Stored) -> list[Row]:
    """Return a row for each population."""
    tally = stored.tally
    groups: dict[str, list[str]] = {}
    for label, node in tally.nodes.items():
        groups.setdefault(node.population, []).append(label)
    rows = []
    for name, labels in groups.items():
        nodes, reasons = [tally.nodes[label] for label in labels], tally.rejected_from[name]
        rows.append(
            {
                "population": name,
                "role": nodes[0].role,
                "nodes": len(nodes),
                "lowest head": min(node.height for node in nodes),
                "highest head": max(node.height for node in nodes),
                "accepted": tally.accepted_from[name],
                "rejected": reasons.total(),
                "most rejected for": next((reason for reason, _ in reasons.most_common(1)), ""),
                "coins": round(sum(node.balance for node in nodes), 6),
            }
        )
    return rows


def list_parties(stored: Stored) -> list[Row]:
    """Return a row for each node, without columns that say nothing of any: where it stood when the run ended."""
    rows = [dict(node) for node in stored.run.summary["nodes"]]
    told = {name for row in rows for name, value in row.items() if value is not None}
    return [{name: value for name, value in row.items() if name in told} for row in rows]


# ---- blocks and transactions ----


def list_blocks(stored: Stored) -> list[Row]:
    """Return a row for each block that a party has stored, of every branch, lowest first."""
    employers = set(stored.tally.get_chain(stored.tally.employer.head))
    rows = []
    for name, block in sorted(stored.tally.blocks.items(), key=lambda item: (item[1].height, item[0])):
        holders = [label for label, blocks in stored.tally.appended_by.items() if name in blocks]
        rows.append(
            {
                "block": name,
                "height": block.height,
                "parent": block.parent,
                "branch": "employer's chain" if name in employers else "left",
                "work": "poisoned" if stored.tally.is_poisoned(name) else "clean",
                "transactions": block.transactions,
                "stored by": len(holders),
            }
        )
    return rows


@dataclass(frozen=True, slots=True)
class BlockView:
    """One block, in tables."""

    facts: dict[str, str]
    deeds: list[Row]
    """Who did what for it: declared, proposed, voted, signed, mined."""
    coinbase: list[Row]
    transactions: list[Row]
    seen: list[Row]
    """Which party stored it, and when."""


def view_block(stored: Stored, name: str) -> BlockView:
    """Return a block by its short hash: all of it from the stored chain, or what the log tells of one outside.

    Raises:
        LookUpError: No party has stored such a block.
    """
    block = stored.tally.blocks.get(name)
    told = _find_told(stored, name)
    if block is None and told is None:
        raise LookUpError(f"{name}: no party has stored such a block; choose one of the list")
    appended = [record for record in stored.records if record.event == "appended" and record.fields["block"] == name]
    seen = [{"party": record.who, "seconds": round(record.time, 3)} for record in appended]
    if told is None:
        fields = appended[0].fields if appended else {}
        facts = {key: str(value) for key, value in fields.items()}
        return BlockView({**facts, "stored": "in no file: it is not on the employer's chain"}, [], [], [], seen)
    names = ("block", "height", "slot", "seconds", "confirmations", "parent", "child")
    facts = {key: str(told[key]) for key in names if told[key] is not None}
    names_of = {deed["key"]: deed["name"] for deed in told.get("deeds", ()) if deed["name"]}
    for key, value in told.get("proof", {}).items():
        text = _to_text(value)
        facts[key] = f"{names_of[text]}: {text}" if text in names_of else text
    facts |= {key: _to_coins(told[key]) for key in ("supply", "created", "fees") if key in told}
    return BlockView(
        facts,
        [{"who": _name(deed), "did": deed["did"], "key": deed["key"]} for deed in told.get("deeds", ())],
        [{"who": _name(line), "coins": line["amount"] / MICRO_COINS_PER_COIN} for line in told.get("coinbase", ())],
        [_list_transfer(line) for line in told.get("transactions", ())],
        seen,
    )


def view_transaction(stored: Stored, digits: str) -> dict[str, str]:
    """Return the transfer of the stored chain whose hash begins with these digits.

    Raises:
        LookUpError: There is none.
    """
    for found in stored.chain.list_transactions() if stored.chain is not None else ():
        told = describe_transaction(stored.chain, *found) if stored.chain is not None else {}
        if told["transaction"].startswith(digits):
            amounts = {key: _to_coins(told[key]) for key in ("amount", "fee")}
            return {key: str(value) for key, value in {**told, **amounts}.items() if key != "record"}
    raise LookUpError(f"{digits}: the chain has no such transfer; choose one of the list")


def _find_told(stored: Stored, name: str) -> Row | None:
    if stored.chain is None:
        return None
    found = [record for record in stored.chain.records if short_hash(record.hash) == name]
    return describe_block(stored.chain, found[0]) if found else None


def _list_transfer(line: Row) -> Row:
    return {
        "transaction": line["transaction"],
        "from": line["from_name"] or line["from"][:12],
        "to": line["to_name"] or line["to"][:12],
        "coins": line["amount"] / MICRO_COINS_PER_COIN,
        "fee": line["fee"] / MICRO_COINS_PER_COIN,
    }


# ---- accounts ----


def list_accounts(stored: Stored) -> list[str]:
    """Return the names of all accounts that something has happened to, in that order."""
    return list(dict.fromkeys(row["who"] for row in stored.events))


def list_history(stored: Stored, account: str) -> list[Row]:
    """Return what an account did, and what happened to its coins, in the chain's order."""
    return [row for row in stored.events if row["who"] == account]


def _list_event(chain: OpenedChain, event: ChainEvent) -> Row:
    return {
        "who": chain.name(event.account),
        "height": event.height,
        "seconds": round(event.seconds, 3),
        "did": event.did,
        "coins": None if event.amount is None else event.amount / MICRO_COINS_PER_COIN,
        "balance": event.balance / MICRO_COINS_PER_COIN,
        "with": chain.name(event.other) if event.other else "",
        "stake": None if event.staked is None else event.staked / MICRO_COINS_PER_COIN,
    }


def _name(line: Row) -> str:
    return str(line["name"] or line["key"][:12])


def _to_coins(micro: int) -> str:
    return f"{micro / MICRO_COINS_PER_COIN:,.6f}".rstrip("0").rstrip(".") + " coins"


def _to_text(value: Any) -> str:  # noqa: ANN401 - whatever a mechanism says
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
