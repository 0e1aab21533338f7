"""Whether a run's two logs say the same, and what the scenario, the chain and the invariants say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from protocol.events import ChainRecord
from protocol.types import MICRO_COINS_PER_COIN
from simulation.analysis import describe_finality
from simulation.commands.checks.verification import Verification
from simulation.engines import EngineResult
from simulation.foundation import MISSING, Difference, find_differences, show_value
from simulation.records import (
    EVENTS_NAME,
    LOG_NAME,
    OF_THIS_EXECUTION,
    SCENARIO_NAME,
    Appended,
    Broken,
    Fact,
    FinalTwice,
    GenesisMade,
    LogError,
    NodeDescribed,
    Opening,
    PartyEnded,
    Record,
    RecordError,
    find_reporter,
    parse_line,
    read_log,
    short_hash,
)
from simulation.runs import RunObserver, count_stage_samples, describe_nodes, describe_rules
from simulation.scenario import fingerprint_keys
from simulation.scenario.world import EMPLOYER, USERS, World, make_keys

FROM_CHAINS: Final = ("agreement: ", "validity: ", "supply: ", "double spend: ")
"""How broken invariants begin that were seen in the chains of all nodes, of which a folder keeps one."""


@dataclass(slots=True)
class StoredLog:
    """What a log tells, and what is wrong with it."""

    observer: RunObserver
    """Has counted its records, and judged the invariants again."""
    broken: str | None = None
    """The broken invariant that it tells of."""
    faults: list[str] = field(default_factory=list)
    is_whole: bool = False
    """Whether figures may be made from it."""


def read_stored_log(own: Verification, world: World, chain: Sequence[ChainRecord]) -> StoredLog:
    """Return the log of a stored run, judged.

    Args:
        own: What the mechanism adds.
        world: Who took part, by the scenario.
        chain: The stored chain after each block, from the genesis on.
    """
    judge = _LogJudge(own, world, chain)
    log = judge.log
    try:
        read = read_log(own.run.folder / LOG_NAME, judge.add)
    except LogError as error:
        log.faults.append(_name_file(own.run.folder, str(error)))
        return log
    changed = f"{own.run.folder / LOG_NAME}: changed since"  # told where all files are held against their digests
    log.faults += [_name_file(own.run.folder, text) for text in read.warnings if not text.startswith(changed)]
    log.faults += judge.finish()
    tally = log.observer.tally
    is_opened = tally.opening is not None and (bool(tally.opening.samples) or not world.scenario.is_training)
    is_described = set(tally.nodes) == {spec.label for spec in world.nodes}
    log.is_whole = is_opened and is_described and tally.end is not None
    return log


def _name_file(folder: Path, text: str) -> str:
    """Return a sentence about the log that names it as all others here name files."""
    return text.replace(f"{folder / LOG_NAME}:", f"{LOG_NAME}:", 1)


def find_events_fault(folder: Path, *, is_repeatable: bool) -> str | None:
    """Return the first line at which ``events.jsonl`` says something else than ``pot_sim.log``, or None.

    Args:
        folder: The run's folder.
        is_repeatable: Whether ``events.jsonl`` leaves out what differs between two runs of one seed.
    """
    left_out = {kind.event for kind in OF_THIS_EXECUTION} if is_repeatable else set()
    try:
        events = (folder / EVENTS_NAME).read_bytes().decode("utf-8", errors="replace").split("\n")
        lines = (folder / LOG_NAME).read_bytes().decode("utf-8", errors="replace").split("\n")
    except OSError:
        return None  # a file that is missing is told as that
    place = 0
    for number, text in enumerate(lines[:-1], start=1):
        try:
            line = parse_line(text)
        except RecordError:
            return None  # told as damage of the log
        if line.event in left_out:
            continue
        if place >= len(events) - 1:
            return f"{EVENTS_NAME}: ends before line {number} of {LOG_NAME}"
        if events[place] != line.to_json():
            return f"{EVENTS_NAME}: line {place + 1} is not what line {number} of {LOG_NAME} says"
        place += 1
    if events[place:] != [""]:
        return f"{EVENTS_NAME}: line {place + 1} and all after it stand in no line of {LOG_NAME}"
    return None


class _LogJudge:
    """Looks at each record of a log once."""

    def __init__(self, own: Verification, world: World, chain: Sequence[ChainRecord]) -> None:
        self._own = own
        self._world = world
        self._opening: dict[str, object] = {
            "scenario": world.scenario.name,
            "seed": world.scenario.seed,
            "engine": world.scenario.engine,
            "stages": world.scenario.length,
            "samples_per_stage": count_stage_samples(world.scenario),
            "rules": describe_rules(world.scenario),
        }
        dataset = own.find_dataset()
        if dataset is not None:
            self._opening |= {"dataset": dataset[0], "dataset_digest": dataset[1].hex()}
        self._chain = {short_hash(record.hash) if record.height else "genesis": record for record in chain}
        self._chain_id = short_hash(own.run.rules.chain_id)
        self._described: dict[str, Fact] = dict(describe_nodes(world))
        self._nodes: list[str] = []
        self._accounts = {spec.label: spec.key_seed for spec in world.nodes} | {EMPLOYER: world.employer_seed}
        self._parties = {*self._accounts, *(user.label for user in world.users), USERS, "run"}
        self._names = world.get_labels()
        self._reporter = find_reporter(world.mechanism)
        self._number = 0
        self._twice: FinalTwice | None = None
        self._fault: str | None = None
        self._others = 0
        self.log = StoredLog(RunObserver(world))

    def add(self, record: Record) -> None:
        """Judge, count and watch one record, in the order in which a run does."""
        self._number += 1
        fault = self._judge(record) or self._own.judge_record(record, self._world)
        if fault is not None:
            self._others += self._fault is not None
            self._fault = self._fault or f"{LOG_NAME}: line {self._number}: {fault}"
        if record.who not in self._parties:
            return
        self.log.observer.tally.add(record)
        if not (self._world.scenario.traits.is_repeatable and isinstance(record.fact, OF_THIS_EXECUTION)):
            self.log.observer.monitor.add(record)

    def finish(self) -> list[str]:
        """Return what is wrong with the records, and with what they leave out."""
        log, tally = self.log, self.log.observer.tally
        faults = []
        if self._fault is not None:
            faults.append(self._fault + (f" (and {self._others} lines more)" if self._others else ""))
        if self._nodes != list(self._described) and self._fault is None:
            missing = [label for label in self._described if label not in self._nodes]
            told = f"says nothing of {missing[0]}, a node" if missing else "describes nodes twice, or not in the order"
            faults.append(f"{LOG_NAME}: {told} of {SCENARIO_NAME}")
        if tally.end is None:
            return faults
        twice = describe_finality(tally, self._world.mechanism.final_depth)
        if twice != self._twice:
            shown = "no two final blocks of one height" if twice is None else f"{twice.event}, {twice.to_fields()}"
            faults.append(f"{LOG_NAME}: judged again it shows {shown}; it does not say so")
        again = log.observer.find_fault(EngineResult(tally.end.reason))
        is_beyond = log.broken is not None and log.broken.startswith(FROM_CHAINS)
        if again != log.broken and not (is_beyond and log.observer.monitor.fault is None):
            judged = "no broken invariant" if again is None else f"a broken invariant, {again!r}"
            faults.append(f"{LOG_NAME}: judged again it shows {judged}; it says {show_value(log.broken)}")
        return faults

    def _judge(self, record: Record) -> str | None:
        if record.who not in self._parties:
            return f"no party of {SCENARIO_NAME} is called {record.who!r}"
        if (self._number == 1) != isinstance(record.fact, Opening):
            return "a log begins with the opening record, and has no other"
        if self.log.observer.tally.end is not None:
            return "nothing happens after the closing record"
        match fact := record.fact:
            case Opening():
                return self._judge_opening(fact)
            case NodeDescribed():
                self._nodes.append(record.who)
                wanted = self._described.get(record.who)
                return None if wanted is None else self._compare(fact.to_fields(), wanted.to_fields(), SCENARIO_NAME)
            case GenesisMade():
                return self._compare(fact.to_fields(), {"chain": self._chain_id}, "the genesis")
            case Appended():
                return self._judge_block(fact)
            case PartyEnded():
                return self._judge_end(record.who, fact)
            case FinalTwice():
                is_second, self._twice = self._twice is not None, fact
                return "a run says only once where two final blocks are" if is_second else None
            case Broken():
                is_second, self.log.broken = self.log.broken is not None, fact.invariant
                return "a run breaks only one invariant" if is_second else None
        return None

    def _judge_opening(self, fact: Opening) -> str | None:
        known = {**self._opening, "fingerprint": fingerprint_keys(self._own.run.keys, fact.code_version)}
        wanted = {name: known.get(name, value) for name, value in fact.to_fields().items()}
        if self._world.scenario.is_training and not fact.samples:
            return "samples is missing or 0, and there was training"
        return self._compare(fact.to_fields(), wanted, SCENARIO_NAME)

    def _judge_block(self, fact: Appended) -> str | None:
        """Hold a block of the stored chain against what it says itself."""
        known = self._chain.get(fact.block)
        if known is None or known.block is None:
            return None
        block = known.block
        wanted = Appended(
            height=block.height,
            block=fact.block,
            parent=short_hash(block.parent),
            part=self._reporter.describe_block(block, self._names),
            transactions=len(block.transactions),
            head=fact.head,
            reorg=fact.reorg,
        )
        return self._compare(fact.to_fields(), wanted.to_fields(), "the block")

    def _judge_end(self, who: str, fact: PartyEnded) -> str | None:
        """Hold a party's last word against the state of its head, where the stored chain has that."""
        if who not in self._accounts:
            return f"{who} has no chain to end with"
        is_done = fact.height == self._world.scenario.length
        outcome = "stopped" if not is_done else "delivered" if who == EMPLOYER else "finished"
        if fact.outcome not in ("down", outcome):
            return f"outcome is {fact.outcome!r}, a party that ends at height {fact.height} has {outcome!r}"
        known, appended = self._chain.get(fact.head), self.log.observer.tally.blocks.get(fact.head)
        if known is None:
            is_known = appended is not None and appended.height == fact.height
            return None if is_known else f"nobody has appended a block {fact.head} at height {fact.height}"
        account = make_keys(self._accounts[who]).public
        balance = known.state.get_account(account).balance / MICRO_COINS_PER_COIN
        told = {"height": fact.height, "balance": fact.balance}
        return self._compare(told, {"height": known.height, "balance": balance}, "the chain")

    @staticmethod
    def _compare(told: Mapping[str, object], wanted: Mapping[str, object], source: str) -> str | None:
        found: Difference | None = next(find_differences(dict(told), dict(wanted)), None)
        if found is None:
            return None
        return found.describe(f"{source} gives" if found.wanted is not MISSING else source)
