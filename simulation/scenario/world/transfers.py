"""Users: parties that own coins and issue signed transfers."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from heapq import merge
from operator import attrgetter

import msgspec

from protocol.crypto import KeyPair, compute_content_hash
from protocol.messages import Transaction
from protocol.stamps import mint
from simulation.foundation import derive_generator, find_part, to_micro
from simulation.scenario.world.world import UserSpec, World

SPEND_SHARE = 0.1
"""Largest share of a user's remaining starting balance that one transfer moves."""


@dataclass(frozen=True, slots=True)
class PlannedTransfer:
    """A signed transfer and when it is issued."""

    at: int
    """Nanoseconds since the genesis."""
    user: str
    """Label of the payer."""
    transaction: Transaction


PlanTransfers = Callable[[World, bytes], Iterable[PlannedTransfer]]
"""Returns what parties of a world issue because of its mechanism, on the chain with a name: the part `transfers`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferPlan:
    """Who issues transfers, how many and how fast."""

    users: tuple[UserSpec, ...]
    count: int
    per_second: float
    fee: int
    """Micro-coins that each transfer offers."""
    seed: int
    planned: tuple[PlannedTransfer, ...] = ()
    """What the mechanism has parties issue besides, in order of time."""
    stamp_bits: int = 0
    """What the stamp of each transfer must show; 0: no stamps."""


def plan_transfers(world: World) -> TransferPlan:
    """Return what the users of a world are to issue, and hand over for others."""
    users, scenario = world.users, world.scenario
    plan: PlanTransfers | None = find_part(world.mechanism.name, "transfers")
    chain_id = world.mechanism.compute_chain_id()
    return TransferPlan(
        users=users,
        count=scenario.users.transactions if users else 0,
        per_second=scenario.users.per_second,
        fee=to_micro(scenario.users.fee),
        seed=scenario.seed,
        planned=tuple(plan(world, chain_id)) if plan is not None and users else (),
        stamp_bits=scenario.ledger.stamp_bits,
    )


def draw_transfers(plan: TransferPlan, chain_id: bytes) -> Iterator[PlannedTransfer]:
    """Yield the transfers of a run, in order of time.

    Where the chain asks for stamps they are really found: each one when the transfer before it has been issued.
    """
    for transfer in merge(_draw(plan, chain_id), plan.planned, key=attrgetter("at")):
        yield _stamp(transfer, chain_id, plan.stamp_bits) if plan.stamp_bits else transfer


def _stamp(transfer: PlannedTransfer, chain_id: bytes, bits: int) -> PlannedTransfer:
    bare = transfer.transaction
    sealed, _ = mint(bits, compute_content_hash(chain_id, bare), bare.signature)
    return replace(transfer, transaction=msgspec.structs.replace(bare, signature=sealed))


def _draw(plan: TransferPlan, chain_id: bytes) -> Iterator[PlannedTransfer]:
    """Yield users' own transfers.

    A user spends only what it started with, so each transfer is covered whichever blocks come first.
    """
    users, fee = plan.users, plan.fee
    rng = derive_generator(plan.seed, "users")
    keys = [KeyPair(user.key_seed) for user in users]
    left = [user.balance for user in users]
    nonces = [0] * len(users)
    for index in range(plan.count):
        payer, payee = (int(choice) for choice in rng.choice(len(users), 2, replace=False))
        amount = int(rng.uniform(0, SPEND_SHARE) * left[payer])
        if amount + fee > left[payer]:
            continue
        transaction = keys[payer].sign(
            chain_id,
            Transaction(
                author=keys[payer].public,
                nonce=nonces[payer],
                recipient=keys[payee].public,
                amount=amount,
                fee=fee,
            ),
        )
        left[payer] -= amount + fee
        nonces[payer] += 1
        yield PlannedTransfer(round(index / plan.per_second * 1e9), users[payer].label, transaction)
