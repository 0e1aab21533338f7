"""Closed forms that simulated figures are held against: of mining selfishly, and of spending twice.

Blocks are found one after the other, each by the attackers with a chance that is their share of the power; links take
no time beside an interval.
"""

from math import comb


def compute_selfish_share(power: float, gamma: float) -> float:
    """Return the share of the chain's blocks that selfish miners have (Eyal and Sirer 2014, equation 8).

    Args:
        power: Their share of the power, alpha; with half of it or more they have all blocks.
        gamma: Share of the others' power that works on their block in a tie.
    """
    if power >= 1 / 2:
        return 1.0
    won = power * (1 - power) ** 2 * (4 * power + gamma * (1 - 2 * power)) - power**3
    return won / (1 - power * (1 + (2 - power) * power))


def find_selfish_threshold(gamma: float) -> float:
    """Return from which share of the power on selfish miners have more than that share of the blocks."""
    return (1 - gamma) / (3 - 2 * gamma)


def spend_twice(power: float, confirmations: int, *, head_start: int = 1, give_up: int | None = None) -> float:
    """Return the chance of a double spend: how many blocks an attacker finds meanwhile is negative binomial.

    With a head start of one and without giving up this is equation 1 of Rosenfeld (2014).

    Args:
        power: The attacker's share of the power.
        confirmations: Blocks that the merchant waits for.
        head_start: Blocks that the attacker has in private when it pays.
        give_up: How far behind it gives up, once there are that many blocks; None: never.
    """
    other = 1 - power
    needed = confirmations + 1 - head_start
    chance, less = 0.0, 0.0
    for found in range(max(needed, 0)):
        share = comb(found + confirmations - 1, found) * other**confirmations * power**found
        less += share
        chance += share * _catch_up(power, needed - found, give_up)
    return chance + 1 - less


def _catch_up(power: float, deficit: int, give_up: int | None) -> float:
    """Return the chance to gain so many blocks before being too far behind: the gambler's ruin."""
    limit = None if give_up is None else give_up + 2
    if limit is not None and deficit >= limit:
        return 0.0
    ratio = power / (1 - power) if power < 1 else float("inf")
    if limit is None or power >= 1:
        return min(1.0, ratio) ** deficit
    if ratio == 1:
        return 1 - deficit / limit
    if ratio < 1:
        return (ratio**deficit - ratio**limit) / (1 - ratio**limit)
    return (1 - ratio ** (deficit - limit)) / (1 - ratio**-limit)
