"""Closed forms that simulated figures are held against.

Owners here have equal stakes, and stakeholders are drawn without replacement, as `protocol.lottery.follow_the_coin`
draws them. Time is counted in slots.
"""

from math import comb


def draw_all(stakeholders: int, chosen: int, owners: int) -> float:
    """Return the probability that all stakeholders of a header are among some owners: hypergeometric.

    Args:
        stakeholders: K, how many are drawn.
        chosen: How many owners count.
        owners: How many there are.
    """
    return comb(chosen, stakeholders) / comb(owners, stakeholders)


def draw_any(stakeholders: int, chosen: int, owners: int) -> float:
    """Return the probability that at least one stakeholder of a header is among some owners."""
    return 1 - draw_all(stakeholders, owners - chosen, owners)


def win_race(blocks: int, share: float) -> float:
    """Return the probability of being the first to append some blocks, where each next block is one's own by a share.

    Of the next ``2 * blocks - 1`` blocks of either side at least ``blocks`` must be one's own:
    P[Bin(2B - 1, r) >= B]. It holds where both sides' blocks come as Poisson processes.
    """
    rounds = 2 * blocks - 1
    return sum(comb(rounds, own) * share**own * (1 - share) ** (rounds - own) for own in range(blocks, rounds + 1))


def compute_branch_rate(proposers: int, signers: int, owners: int, stakeholders: int) -> float:
    """Return the blocks a slot that a side appends, for one header a slot on average.

    A header of one of its proposers counts when all stakeholders drawn for it are willing to sign it.
    """
    return proposers / owners * draw_all(stakeholders, signers, owners)


def deceive_employer(attackers: int, honest: int, *, stakeholders: int, blocks: int, lazy: int = 0) -> float:
    """Return the probability that a poisoned chain of some blocks is complete before the honest one.

    Both sides must have the declarations a header needs; declaring takes no time. Lazy verifiers sign for either side
    and propose for none.

    Args:
        attackers: Owners who collude.
        honest: Owners who train and verify.
        stakeholders: K, drawn for each header.
        blocks: Length of the job.
        lazy: Owners who sign whatever they are asked to.
    """
    owners = attackers + honest + lazy
    attack = compute_branch_rate(attackers, attackers + lazy, owners, stakeholders)
    defence = compute_branch_rate(honest, honest + lazy, owners, stakeholders)
    return win_race(blocks, attack / (attack + defence)) if attack + defence else 0.0


def deceive_employer_under(
    attackers: int, honest: int, *, stakeholders: int, blocks: int, count: int | None, stake_share: float | None
) -> float:
    """Return the same under a rule of confidence: a side that cannot reach it proposes nothing.

    Args:
        attackers: Owners who collude.
        honest: Owners who train and verify.
        stakeholders: K, drawn for each header.
        blocks: Length of the job.
        count: Declarations a header needs.
        stake_share: Or the share of all stake whose declarations must exceed.
    """
    owners = attackers + honest

    def has_confidence(side: int) -> bool:
        return side >= count if count is not None else side > (stake_share or 0.0) * owners

    if not has_confidence(attackers):
        return 0.0
    if not has_confidence(honest):
        return 1.0 if attackers >= stakeholders else 0.0
    return deceive_employer(attackers, honest, stakeholders=stakeholders, blocks=blocks)


def compute_slots_to_block(withholders: int, owners: int, *, stakeholders: int, headers_per_slot: float) -> float:
    """Return the mean slots to a block where some owners do not sign or wrap: headers with one of them die."""
    completing = draw_all(stakeholders, owners - withholders, owners)
    return 1 / (headers_per_slot * completing) if completing else float("inf")
