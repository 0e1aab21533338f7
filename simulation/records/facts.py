"""What may happen in a run, whatever its consensus mechanism: to the run as a whole, and to a party.

What happens to messages and blocks stands in a module of its own.
"""

from typing import ClassVar, Final

from simulation.records.fact import (
    BlockHeight,
    Bytes,
    Coins,
    Count,
    CpuSeconds,
    Fact,
    Height,
    Mebibytes,
    MicroCoins,
    Number,
    Seconds,
    register_facts,
)
from simulation.records.lines import DEBUG, INFO, WARNING

_RUN: Final = "`run`"
_PARTY: Final = "a node or the employer"
_PROCESS: Final = "a node, the employer or the users"

# ---- the run as a whole ----


class Opening(Fact, frozen=True, kw_only=True):
    """The run begins; the first record of a log."""

    event: ClassVar[str] = "run"
    level: ClassVar[str] = INFO
    subject: ClassVar[str] = _RUN

    scenario: str
    """Name of the scenario."""
    seed: Count
    """Seed of every random draw."""
    engine: str
    """`processes` or `virtual`."""
    fingerprint: str
    """Digest of the whole scenario and the version of the code, in hex."""
    code_version: str
    """Version and digest of the code."""
    dataset: str
    """Data set that is trained on."""
    dataset_source: str
    """Where the data set came from."""
    dataset_digest: str
    """SHA-256 of the data set, in hex."""
    samples: Count | None = None
    """Training samples of the data set; left out where training is made up and nothing is loaded."""
    stages: Count | None = None
    """Stages of the job; left out with the samples."""
    samples_per_stage: Count | None = None
    """Samples that one stage trains on; left out with the samples."""
    rules: str | None = None
    """Version of the rules, and what it is without; left out where there are none, and by version 1.0."""


class Dated(Fact, frozen=True):
    """When the run began, by the calendar. Not in ``events.jsonl`` of the virtual engine, which is repeatable."""

    event: ClassVar[str] = "date"
    level: ClassVar[str] = INFO
    subject: ClassVar[str] = _RUN

    local: str
    """Local time with its offset, as ISO 8601."""


class Fallback(Fact, frozen=True, kw_only=True):
    """The data set could not be had and another one is used."""

    event: ClassVar[str] = "fallback"
    level: ClassVar[str] = WARNING
    subject: ClassVar[str] = _RUN

    wanted: str
    """Data set that the scenario names."""
    used: str
    """Data set in its place."""
    hint: str
    """What the user can do."""


class NodeDescribed(Fact, frozen=True, kw_only=True):
    """Who a node is. Others never see it, least of all the truth about its data."""

    event: ClassVar[str] = "node"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = "the node"

    population: str
    """Population it belongs to."""
    role: str
    """`honest`, or the role of an attacker."""
    stake: MicroCoins
    """Stake at the genesis."""
    poison: str | None = None
    """How it alters its data; left out where it does not."""
    share: Number | None = None
    """Share of the data that is altered; left out with the poison."""


class GenesisMade(Fact, frozen=True):
    """All parties are set up and the chain's clock starts."""

    event: ClassVar[str] = "genesis"
    level: ClassVar[str] = INFO
    subject: ClassVar[str] = _RUN

    chain: str
    """Short hash of the chain's id."""


class Cost(Fact, frozen=True, kw_only=True):
    """What the run has cost the machine. Not in ``events.jsonl`` of the virtual engine, which is repeatable."""

    event: ClassVar[str] = "cost"
    level: ClassVar[str] = INFO
    subject: ClassVar[str] = _RUN

    wall_s: Seconds
    """Time that has passed."""
    cpu_s: CpuSeconds
    """Processor time of all processes."""
    memory_pss_mb_max: Mebibytes
    """Largest sum of proportional set sizes of all processes, sampled."""


class Broken(Fact, frozen=True):
    """An invariant does not hold."""

    event: ClassVar[str] = "broken"
    level: ClassVar[str] = WARNING
    subject: ClassVar[str] = _RUN

    invariant: str
    """Which one and why, in words."""


class FinalTwice(Fact, frozen=True, kw_only=True):
    """Honest nodes have different blocks of one height, which are final to them: whether or not that was promised."""

    event: ClassVar[str] = "final_twice"
    level: ClassVar[str] = WARNING
    subject: ClassVar[str] = _RUN

    height: BlockHeight
    """The lowest height at which that is so."""
    blocks: str
    """Short hashes of the blocks there, with spaces between them."""
    heights: Count
    """At how many heights it is so."""


class Ended(Fact, frozen=True):
    """The run is over; the last record of a log. A warning where the employer has no model."""

    event: ClassVar[str] = "ended"
    level: ClassVar[str] = INFO
    undelivered: ClassVar[str] = WARNING
    """Level in place of the usual one."""
    subject: ClassVar[str] = _RUN

    reason: str
    """Why it ended, in a word, such as `complete` or `time-limit`."""
    events: Count | None = None
    """Events of a run in simulated time, 0 where they are not counted; version 1.0 left it out."""
    obstacle: str | None = None
    """What kept the chain from growing, in words; left out where it grew, or nothing is known."""


# ---- the life of a party ----


class PartyStarted(Fact, frozen=True):
    """A party has been set up."""

    event: ClassVar[str] = "started"
    level: ClassVar[str] = INFO
    subject: ClassVar[str] = _PROCESS

    pid: Count | None
    """Its process; null with the virtual engine, where it has none."""


class WentDown(Fact, frozen=True):
    """An outage begins: the party hears and says nothing."""

    event: ClassVar[str] = "down"
    level: ClassVar[str] = WARNING
    subject: ClassVar[str] = "a node"


class CameUp(Fact, frozen=True):
    """An outage ends."""

    event: ClassVar[str] = "up"
    level: ClassVar[str] = WARNING
    subject: ClassVar[str] = "a node"

    disk: str
    """`kept` or `lost`: what became of the blocks it had."""


class Crashed(Fact, frozen=True, kw_only=True):
    """A party's process ended without its last word."""

    event: ClassVar[str] = "crashed"
    level: ClassVar[str] = WARNING
    subject: ClassVar[str] = _PROCESS

    why: str
    """The signal, the exit code or the exception."""
    trace: str | None = None
    """Where the exception was raised; left out where there was none."""


class Dropped(Fact, frozen=True, kw_only=True):
    """Frames were lost because a neighbour did not read its link, so that what waited for it reached its bound."""

    event: ClassVar[str] = "dropped"
    level: ClassVar[str] = WARNING
    subject: ClassVar[str] = _PROCESS

    peer: str | None = None
    """The neighbour; version 1.0 left it out and told of all neighbours together."""
    frames: Count
    """How many, in the whole run."""
    bytes: Bytes | None = None
    """Their size; left out by version 1.0."""


class Stalled(Fact, frozen=True, kw_only=True):
    """A neighbour has stopped in the middle of a frame. Nobody waits for the rest; it may still come."""

    event: ClassVar[str] = "stalled"
    level: ClassVar[str] = WARNING
    subject: ClassVar[str] = _PROCESS

    peer: str
    """The neighbour."""
    received: Bytes
    """What has come of the frame, with the four bytes of its length."""
    announced: Bytes | None = None
    """Length of the frame; left out where that has not come either."""


class LinkClosed(Fact, frozen=True, kw_only=True):
    """The party has closed a link: the neighbour announced a frame that is longer than what a link carries."""

    event: ClassVar[str] = "closed"
    level: ClassVar[str] = WARNING
    subject: ClassVar[str] = _PROCESS

    peer: str
    """The neighbour."""
    announced: Bytes
    """Length of the frame."""


class Unlinked(Fact, frozen=True):
    """A neighbour has gone."""

    event: ClassVar[str] = "unlinked"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = _PROCESS

    peer: str
    """The neighbour."""
    unfinished: Bytes | None = None
    """What had come of a frame that it did not finish; left out where it went between two frames."""


class Spent(Fact, frozen=True, kw_only=True):
    """What the party has spent since the genesis; told when the run ends, and not by users."""

    event: ClassVar[str] = "spent"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = _PARTY

    cpu_s: CpuSeconds
    """Processor time of its process; with the virtual engine that of its slow work alone, which is simulated."""
    signed: Count
    """Signatures made with its own key."""
    checked: Count
    """Signatures checked; one that is known to be right is not checked again."""


class PartyEnded(Fact, frozen=True, kw_only=True):
    """Where a party stands when the run ends."""

    event: ClassVar[str] = "final"
    level: ClassVar[str] = INFO
    subject: ClassVar[str] = _PARTY

    outcome: str
    """`finished` with the whole chain, `delivered` for the employer that has it, `stopped` short of it, or `down`."""
    height: Height
    """Height of its head."""
    head: str
    """Short hash of its head; `genesis` where it has no block."""
    reorg: Height
    """Blocks given up in its deepest reorganisation."""
    balance: Coins
    """What its account holds at its own head, without its stake."""


register_facts(Opening, Dated, Fallback, NodeDescribed, GenesisMade, Cost, Broken, FinalTwice, Ended)
register_facts(PartyStarted, WentDown, CameUp, Crashed, Dropped, Stalled, LinkClosed, Unlinked, Spent, PartyEnded)
