"""One node under fire: an honest run in simulated time, in which a node is also sent frames that nobody honest sends.

A seed that breaks something breaks it again: `python main.py fuzz --first SEED --frames N --mechanism NAME`.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

from rich.table import Table

from protocol.mechanisms import find_mechanism
from protocol.node import Node
from protocol.participant import ANNOUNCE_EVERY_SLOTS
from protocol.rules import Rules
from protocol.verdicts import ChainReason, FrameReason, LedgerReason
from simulation.commands.checks import draw_mechanism, run_shares
from simulation.commands.checks.fuzzing.fuzzed_network import BrokenError, FuzzedNetwork, FuzzPlan, SmallNetwork
from simulation.commands.checks.fuzzing.kit import find_kit
from simulation.commands.checks.fuzzing.mutator import Mutant, Mutator
from simulation.foundation import derive_bytes, derive_random
from simulation.scenario import Scenario
from simulation.scenario.world import build_world, make_keys

FRAMES_PER_SEED: Final = 2_500
"""Frames that the node of one seed is sent."""

STRANGERS: Final = 2
"""Keys without bond or account that frames are signed with as well."""

LINGER_SLOTS: Final = 2 * ANNOUNCE_EVERY_SLOTS + 1
"""For how long the undisturbed run goes on once all is done, so that nodes announce their heads."""

STAMP_BITS: Final = (0, 0, 0, 4)
"""What transfers have to show, in bits; drawn apart, so that it shifts no other draw."""

SHOWN_BYTES: Final = 4_096
"""Bytes of a frame that are printed at most."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What broke, and the last frame sent before that."""

    number: int
    """Number of the frame, counted from 1; 0 where the undisturbed run broke."""
    mutant: Mutant
    text: str


@dataclass(frozen=True, slots=True)
class FuzzResult:
    """What one seed came to."""

    seed: int
    mechanism: str
    frames: int
    """Frames that were to be sent."""
    sent: int
    verdicts: Counter[tuple[str, str]]
    """Judgements of the frames, by verdict and reason."""
    fault: Failure | None


# ---- one seed ----


def run_seed(
    seed: int, frames: int = FRAMES_PER_SEED, victim: type[Node] = Node, mechanism: str | None = None
) -> FuzzResult:
    """Run the nodes of a seed undisturbed, then again under fire.

    Args:
        seed: What everything is drawn from.
        frames: Frames to send.
        victim: Class of the node under fire.
        mechanism: How blocks are agreed on; None to draw that too.
    """
    name = mechanism or draw_mechanism(seed, "fuzz")
    rng = derive_random(seed, "fuzz")
    plan = draw_plan(rng, seed, name)
    try:
        seen, batch = rehearse(plan)
    except BrokenError as error:
        fault = Failure(0, Mutant("none", b""), f"undisturbed run: {error}")
        return FuzzResult(seed, name, frames, 0, Counter(), fault)
    network = FuzzedNetwork(plan, _build_mutator(plan, rng, seen), rng, batch=batch, frames=frames, victim=victim)
    failure = None
    try:
        network.run()
        network.send_mutants(frames)  # what is left hits a node that has finished
        network.run()
        network.check_chain()
    except BrokenError as error:
        failure = Failure(network.sent, network.last, str(error))
    return FuzzResult(seed, name, frames, network.sent, network.verdicts, failure)


def draw_plan(rng: Random, seed: int, mechanism: str) -> FuzzPlan:
    """Return a few honest nodes with a short chain to make, and users that send each other coins."""
    kit = find_kit(mechanism)
    raw = {
        "name": "fuzz",
        "description": f"drawn from seed {seed}",
        "seed": seed,
        "engine": "virtual",
        **kit.draw_sections(rng),
        "populations": [{"name": "node", "role": "honest", "count": rng.randint(4, 6), "stake": 10.0}],
        "users": {"count": 3, "transactions": 12, "per_second": 2.0, "fee": rng.choice([0.0, 0.01])},
        "ledger": {"stamp_bits": derive_random(seed, "fuzz", "stamps").choice(STAMP_BITS)},
        "network": {"topology": rng.choice(["full_mesh", "ring"])},
        "virtual": {"trainer": "fake"},
    }
    world = build_world(Scenario.model_validate(raw), "made up", bytes(32))
    late = rng.choice(world.nodes).label
    kit.prepare(rng, world)
    return FuzzPlan(world, kit, late)


def rehearse(plan: FuzzPlan) -> tuple[list[bytes], int]:
    """Run a plan undisturbed; return all its frames, and how many to send before each event of the victim.

    Raises:
        BrokenError: The nodes do not finish and agree.
    """
    seen: dict[bytes, None] = {}
    network = SmallNetwork(plan, lambda frame: seen.update({frame: None}))
    network.run()
    events = network.queue.count // len(network.nodes)
    network.linger(LINGER_SLOTS * network.rules.chain.slot_ns)
    return list(seen), FRAMES_PER_SEED // (2 * events) + 1


def _build_mutator(plan: FuzzPlan, rng: Random, seen: list[bytes]) -> Mutator:
    world = plan.world
    seeds = [spec.key_seed for spec in world.nodes] + [spec.key_seed for spec in world.users]
    seeds += [derive_bytes(world.scenario.seed, "fuzz", "stranger", index) for index in range(STRANGERS)]
    rules = Rules(world.mechanism)
    keys = plan.kit.choose_keys(rng, rules, list(map(make_keys, seeds)))
    mutator = Mutator(rng, rules, keys, plan.kit)
    for frame in seen:
        if plan.kit.may_be_repeated(rules.decode(frame)):
            mutator.seen.learn(frame)
    return mutator


# ---- many seeds ----


def split(first: int, frames: int) -> list[tuple[int, int]]:
    """Return which seeds send how many frames."""
    full, rest = divmod(frames, FRAMES_PER_SEED)
    shares = [FRAMES_PER_SEED] * full + [rest] * (rest > 0)
    return list(enumerate(shares, start=first))


def run_seeds(first: int, frames: int, jobs: int, mechanism: str | None = None) -> Iterator[FuzzResult]:
    """Share frames among consecutive seeds, and seeds among processes; yield results as they come."""
    return run_shares(partial(_run_share, mechanism), split(first, frames), jobs)


def _run_share(mechanism: str | None, share: tuple[int, int]) -> FuzzResult:
    seed, frames = share
    return run_seed(seed, frames, mechanism=mechanism)


# ---- telling ----


def describe_fault(result: FuzzResult, fault: Failure) -> str:
    """Return what a seed broke, by which frame, and how to see it again."""
    frame = fault.mutant.frame
    rest = f"... ({len(frame):,} bytes)" if len(frame) > SHOWN_BYTES else ""
    options = f"--first {result.seed} --frames {result.frames} --jobs 1 --mechanism {result.mechanism}"
    return (
        f"seed {result.seed}, frame {fault.number} ({fault.mutant.way}): {fault.text}\n"
        f"frame: {frame[:SHOWN_BYTES].hex()}{rest}\n"
        f"again: python main.py fuzz {options}"
    )


def build_table(verdicts: Counter[tuple[str, str]], mechanisms: Collection[str]) -> Table:
    """Return how often each verdict was given, and which reasons of some mechanisms were not, for the console."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("verdict")
    table.add_column("reason")
    table.add_column("times", justify="right")
    for (verdict, reason), count in sorted(verdicts.items(), key=lambda item: (item[0][0], -item[1], item[0])):
        table.add_row(verdict, reason, f"{count:,}")
    given = {reason for _, reason in verdicts}
    kinds = (FrameReason, ChainReason, LedgerReason, *(find_mechanism(name).reasons for name in sorted(mechanisms)))
    for name in dict.fromkeys(reason.value for kind in kinds for reason in kind if reason.value not in given):
        table.add_row("never", name, "0", style="dim")
    return table
