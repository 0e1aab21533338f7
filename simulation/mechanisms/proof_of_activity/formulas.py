"""Closed forms of proof of activity, from Bentov, Lee, Mizrahi and Rosenfeld, "Proof of Activity" (2014).

Coins are drawn one by one and each of its own, so each place is a member's with the chance of its share of the stake.
"""

from collections.abc import Sequence
from math import comb, inf


def compute_through(share: float, drawn: int, needed: int) -> float:
    """Return the chance that enough of the places of a template are owned by some who sign it.

    Args:
        share: Of the stake, of those who sign.
        drawn: Places of the template.
        needed: Places whose owners have to sign; where these are all, the chance is ``share ** drawn``.
    """
    return sum(_list_chances(share, drawn)[needed:])


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


def compute_partisan_coins(power: float, share: float, drawn: int, needed: int, shares: Sequence[float]) -> float:
    """Return the share that such members have of all new coins: those of their own blocks, and of others' none.

    Where some signatures may be missing others' blocks pay as much less as there are fewer.

    Args:
        power: Their share of the hashes.
        share: Their share of the stake.
        drawn: Places of a template.
        needed: Places whose owners have to sign.
        shares: Of what a block pays: the miner's, the signers' and the closer's.
    """
    miner, signers, closer = shares
    own = compute_partisan_blocks(power, share, drawn, needed)
    chances = _list_chances(1 - share, drawn)[needed:]
    signed = sum(count * chance for count, chance in enumerate(chances, start=needed)) / drawn
    paid = own + (1 - own) * (signed / sum(chances) if sum(chances) else 0.0)
    return own * (miner + signers * share + closer * (share if needed == drawn else 1)) / paid if paid else 0.0


def _list_chances(share: float, drawn: int) -> list[float]:
    """Return the chances that none, one and so on up to all places are owned by some with a share of the stake."""
    return [comb(drawn, count) * share**count * (1 - share) ** (drawn - count) for count in range(drawn + 1)]
