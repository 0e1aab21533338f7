"""Closed forms of proof of activity, from Bentov, Lee, Mizrahi and Rosenfeld, "Proof of Activity" (2014).

Coins are drawn one by one and each of its own, so each place is a member's with the chance of its share of the stake.
"""

from math import comb, inf


def compute_through(share: float, drawn: int, needed: int) -> float:
    """Return the chance that enough of the places of a template are owned by some who sign it.

    Args:
        share: Of the stake, of those who sign.
        drawn: Places of the template.
        needed: Places whose owners have to sign; where these are all, the chance is ``share ** drawn``.
    """
    return sum(comb(drawn, count) * share**count * (1 - share) ** (drawn - count) for count in range(needed, drawn + 1))


def compute_power_needed(share: float, drawn: int, needed: int) -> float:
    """Return how many times the hashes of all others whoever owns a share needs, to make blocks as fast as they do.

    Each side's templates become blocks by its own stake alone: ((1 - y) / y)^N for a share of y where all N sign.
    """
    own = compute_through(share, drawn, needed)
    return compute_through(1 - share, drawn, needed) / own if own else inf


def compute_partisan_blocks(power: float, share: float, drawn: int, needed: int) -> float:
    """Return the share of the blocks of members who sign templates of members alone, while all others sign for anybody.

    Args:
        power: Their share of the hashes.
        share: Their share of the stake.
        drawn: Places of a template.
        needed: Places whose owners have to sign.
    """
    others = (1 - power) * compute_through(1 - share, drawn, needed)
    return power / (power + others) if power or others else 0.0
