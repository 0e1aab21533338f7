"""Users: parties that own coins and issue signed transfers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from protocol.crypto import KeyPair
from protocol.messages import Transaction
from simulation.foundation.randomness import derive_generator
from simulation.scenario.world.world import UserSpec

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


def plan_transfers(
    users: Sequence[UserSpec], chain_id: bytes, *, count: int, per_second: float, fee: int, seed: int
) -> Iterator[PlannedTransfer]:
    """Yield the transfers of a run, in order of time.

    A user spends only what it started with, so each transfer is covered whichever blocks come first.
    """
    rng = derive_generator(seed, "users")
    keys = [KeyPair(user.key_seed) for user in users]
    left = [user.balance for user in users]
    nonces = [0] * len(users)
    for index in range(count):
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
        yield PlannedTransfer(round(index / per_second * 1e9), users[payer].label, transaction)
