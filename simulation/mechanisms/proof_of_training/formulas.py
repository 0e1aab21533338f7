"""Closed forms that simulated figures are held against.

Owners here have equal stakes, and stakeholders are drawn without replacement, as `protocol.cosigning.follow_the_coin`
draws them. Time is counted in slots.
"""

from collections.abc import Mapping
from functools import cache
from itertools import product
from math import comb
from typing import Final

import numpy as np

from simulation.mechanisms.proof_of_training.behaviours.outlooks import WON, Outlook, SlotKind, is_lost, look_on, see

_POINTS: Final = 64
"""Where an integrand is looked at: exact for polynomials of a degree below twice as many."""


def prob_all_drawn(stakeholders: int, chosen: int, owners: int) -> float:
    """Return the probability that all stakeholders of a header are among some owners: hypergeometric.

    Args:
        stakeholders: K, how many are drawn.
        chosen: How many owners count.
        owners: How many there are.
    """
    return comb(chosen, stakeholders) / comb(owners, stakeholders)


def compute_branch_rate(proposers: int, signers: int, owners: int, stakeholders: int) -> float:
    """Return the blocks a slot that a side appends, for one header a slot on average.

    A header of one of its proposers counts when all stakeholders drawn for it are willing to sign it.
    """
    return proposers / owners * prob_all_drawn(stakeholders, signers, owners)


def deceive_employer(attackers: int, honest: int, *, stakeholders: int, blocks: int, lazy: int = 0) -> float:
    """Return the probability that a poisoned chain of some blocks is complete before the honest one.

    Both sides must have the declarations a header needs; declaring takes no time. Lazy verifiers propose for nobody.
    They sign for either side while there is no block; then for the longer branch, and of two equally long ones for that
    with the lower hash, which either has with probability one half.

    Args:
        attackers: Owners who collude.
        honest: Owners who train and verify.
        stakeholders: K, drawn for each header.
        blocks: Length of the job.
        lazy: Owners who sign what builds on the chain they follow.
    """
    owners = attackers + honest + lazy

    def compute_share(*, helps_attack: bool, helps_defence: bool) -> float:
        attack = compute_branch_rate(attackers, attackers + lazy * helps_attack, owners, stakeholders)
        defence = compute_branch_rate(honest, honest + lazy * helps_defence, owners, stakeholders)
        return attack / (attack + defence) if attack + defence else 0.0

    at_first = compute_share(helps_attack=True, helps_defence=True)
    with_attack = compute_share(helps_attack=True, helps_defence=False)
    with_defence = compute_share(helps_attack=False, helps_defence=True)

    @cache
    def win(own: int, other: int) -> float:
        if blocks in (own, other):
            return float(own == blocks)
        if own == other == 0:
            share = at_first
        elif own == other:
            share = (with_attack + with_defence) / 2
        else:
            share = with_attack if own > other else with_defence
        return share * win(own + 1, other) + (1 - share) * win(own, other + 1)

    return win(0, 0)


def deceive_employer_in_slots(
    attackers: int, honest: int, *, stakeholders: int, blocks: int, headers_per_slot: float, lazy: int = 0
) -> float:
    """Return the same where a block's slot is after its parent's, so that a side adds at most one block a slot.

    Both sides may add one in the same slot; if both complete the job in one, either comes first with probability one
    half. Lazy verifiers sign for nobody: who signs has to show that it has trained.

    Args:
        attackers: Owners who collude.
        honest: Owners who train and verify.
        stakeholders: K, drawn for each header.
        blocks: Length of the job.
        headers_per_slot: Headers a slot of all owners together, on average.
        lazy: Owners who do not train.
    """
    owners = attackers + honest + lazy

    def compute_chance(side: int) -> float:
        completing = headers_per_slot / owners * prob_all_drawn(stakeholders, side, owners)
        return 1.0 - (1.0 - completing) ** side

    attack, defence = compute_chance(attackers), compute_chance(honest)
    if not attack or not defence:
        return float(attack > 0)
    both, only_attack, only_defence = attack * defence, attack * (1 - defence), defence * (1 - attack)

    @cache
    def win(own: int, other: int) -> float:
        if own == other == blocks:
            return 0.5
        if blocks in (own, other):
            return float(own == blocks)
        moved = both * win(own + 1, other + 1) + only_attack * win(own + 1, other) + only_defence * win(own, other + 1)
        return moved / (both + only_attack + only_defence)

    return win(0, 0)


def deceive_employer_under(
    attackers: int,
    honest: int,
    *,
    stakeholders: int,
    blocks: int,
    count: int | None,
    stake_share: float | None,
    lazy: int = 0,
    headers_per_slot: float | None = None,
) -> float:
    """Return the same under a rule of confidence: a side that cannot reach it proposes nothing.

    Args:
        attackers: Owners who collude.
        honest: Owners who train and verify.
        stakeholders: K, drawn for each header.
        blocks: Length of the job.
        count: Declarations a header needs.
        stake_share: Or the share of all stake whose declarations must exceed.
        lazy: Owners who declare nothing and sign what builds on the chain they follow.
        headers_per_slot: Headers a slot under version 2 of the rules; None under version 1.
    """
    owners = attackers + honest + lazy
    if not _has_confidence(attackers, owners, count, stake_share):
        return 0.0
    if headers_per_slot is not None:
        if not _has_confidence(honest, owners, count, stake_share):
            return 1.0 if attackers >= stakeholders else 0.0
        return deceive_employer_in_slots(
            attackers,
            honest,
            stakeholders=stakeholders,
            blocks=blocks,
            headers_per_slot=headers_per_slot,
            lazy=lazy,
        )
    if not _has_confidence(honest, owners, count, stake_share):
        return 1.0 if attackers + lazy >= stakeholders else 0.0
    return deceive_employer(attackers, honest, stakeholders=stakeholders, blocks=blocks, lazy=lazy)


def _has_confidence(side: int, owners: int, count: int | None, stake_share: float | None) -> bool:
    return side >= count if count is not None else side > (stake_share or 0.0) * owners


def deceive_employer_by_inventing(
    attackers: int,
    honest: int,
    *,
    stakeholders: int,
    blocks: int,
    headers_per_slot: float,
    count: int | None = None,
    stake_share: float | None = None,
    is_helping: bool = True,
) -> float:
    """Return the probability that a job ends with results that a coalition has invented, under version 2 of the rules.

    From an honest block on the coalition needs as many slots as blocks are missing, each with a right of a member whose
    stakeholders are all members. They count from the slot after that block's, however late they are used. Honest nodes
    need such rights of their own, or the coalition's help with rights that both sides have a part in. Nobody can choose
    rights, but all are known in advance: the coalition helps so often that a block to begin at is there in time, and
    the last one is not. It uses its own rights for nothing else. A slot in which both sides would end the job is the
    coalition's, whose block is ready when the slot begins.

    Args:
        attackers: Owners who collude.
        honest: Owners who train and verify.
        stakeholders: K, drawn for each header.
        blocks: Length of the job.
        headers_per_slot: Headers a slot of all owners together, on average.
        count: Declarations a header needs.
        stake_share: Or the share of all stake whose declarations must exceed.
        is_helping: Whether the coalition trains too, and helps; otherwise it only waits for its rights.
    """
    owners = attackers + honest
    if attackers < stakeholders or not _has_confidence(attackers, owners, count, stake_share):
        return 0.0
    if (honest < stakeholders and not is_helping) or not _has_confidence(honest, owners, count, stake_share):
        return 1.0
    chances = _find_slot_chances(attackers, honest, stakeholders, headers_per_slot)

    @cache
    def win(outlook: Outlook) -> float:
        won = moved = 0.0
        for kind, chance in chances.items():
            after = look_on(outlook, kind if is_helping else kind._replace(is_shared=False))
            if after != outlook:
                moved += chance
                won += chance * (1.0 if after is WON else 0.0 if is_lost(after) else win(after))
        return won / moved

    return win(see(blocks))


def _find_slot_chances(
    attackers: int, honest: int, stakeholders: int, headers_per_slot: float
) -> Mapping[SlotKind, float]:
    """Return how likely a slot has each kind of rights; each owner wins it by itself, for at most one header."""
    owners = attackers + honest
    won = headers_per_slot / owners
    captured = won * prob_all_drawn(stakeholders, attackers, owners)
    free = won * prob_all_drawn(stakeholders, honest, owners)

    def lack(*, is_captured: bool, is_free: bool, is_shared: bool) -> float:
        """Return the probability that a slot has none of some kinds."""
        of_members = is_captured * captured + is_shared * (won - captured)
        of_others = is_free * free + is_shared * (won - free)
        return (1 - of_members) ** attackers * (1 - of_others) ** honest

    def have(kind: SlotKind) -> float:
        """Return the probability that a slot has just these kinds, by inclusion and exclusion."""
        total = 0.0
        for kept in product((False, True), repeat=3):
            if all(has or not keeps for has, keeps in zip(kind, kept, strict=True)):
                lacking = [not has or keeps for has, keeps in zip(kind, kept, strict=True)]
                names = dict(zip(SlotKind._fields, lacking, strict=True))
                total += (-1) ** sum(kept) * lack(**names)
        return total

    found = {kind: have(kind) for kind in (SlotKind(*flags) for flags in product((False, True), repeat=3))}
    return {kind: chance for kind, chance in found.items() if chance > 0}


def compute_slots_to_block(
    withholders: int, owners: int, *, stakeholders: int, headers_per_slot: float, do_propose: bool = True
) -> float:
    """Return the mean slots to a block where some owners do not sign or wrap: headers with one of them die.

    Each owner wins a slot by itself, with probability ``headers_per_slot / owners``.

    Args:
        withholders: Owners who do not sign or wrap.
        owners: How many there are.
        stakeholders: K, drawn for each header.
        headers_per_slot: Headers a slot of all owners together, on average.
        do_propose: Whether the withholders propose all the same.
    """
    completing = prob_all_drawn(stakeholders, owners - withholders, owners)
    proposing = owners if do_propose else owners - withholders
    success = 1 - (1 - headers_per_slot * completing / owners) ** proposing
    return 1 / success if success else float("inf")


def compute_partisan_blocks(partisans: int, owners: int, *, stakeholders: int, headers_per_slot: float) -> float:
    """Return the share of the blocks that a coalition proposes whose members sign and wrap for one another only.

    A round ends in the first slot that has a right whose header completes. A member's always does, as honest nodes sign
    and wrap for everybody. Another's does where all its stakeholders are honest, which has the chance
    ``c = C(n - m, K) / C(n, K)`` whoever it is and whatever its ticket. An owner wins a slot with the chance
    ``p = f / n``, and of several headers in a slot that of the lowest ticket wins. In parts of the target, a ticket
    lies below t with the chance p t; so a slot's lowest is some member's with the integral of
    ``m p (1 - p t)^(m - 1) (1 - p c t)^(n - m)`` over t from 0 to 1, and the slot ends the round with
    ``1 - (1 - p)^m (1 - p c)^(n - m)``. The share is the one over the other; for small f it is
    ``m / (m + (n - m) c)``.

    Args:
        partisans: m, the coalition.
        owners: n, how many there are.
        stakeholders: K, drawn for each header.
        headers_per_slot: f, headers a slot of all owners together, on average.
    """
    if not partisans:
        return 0.0
    honest, winning = owners - partisans, min(1.0, headers_per_slot / owners)
    completing = winning * prob_all_drawn(stakeholders, honest, owners)
    ends = 1 - (1 - winning) ** partisans * (1 - completing) ** honest
    places, weights = np.polynomial.legendre.leggauss(_POINTS)
    tickets = (places + 1) / 2
    lowest = (1 - winning * tickets) ** (partisans - 1) * (1 - completing * tickets) ** honest
    return float(partisans * winning * (weights @ lowest) / 2 / ends)


def compute_partisan_coins(
    partisans: int, owners: int, rewards: tuple[float, float, float], *, blocks: float, listed: float = 1.0
) -> float:
    """Return the same coalition's part of all coins that are created, where pay goes by stake and nobody pays fees.

    Let it have a share q of the stake and b of the blocks, and let blocks pay alike. Of the declarers' share its
    members have q in each block, as all declare and every header lists them. Of the proposer's they have the part l of
    the stake that their headers list, in their own blocks; there q of the stakeholders are members, in others' none.
    So it has ``b (r_p l + r_s q) + r_d q``, and ``1 - b (1 - l) (r_p + r_d)`` is created.

    Listing less takes r_p from its own coins for each r_p + r_d of all. So its part falls by that as long as it is
    below ``r_p / (r_p + r_d)``, and rises where it is above, however much is left out.

    Args:
        partisans: m, the coalition.
        owners: n, how many there are.
        rewards: r_p, r_d and r_s: the shares of the subsidy for proposer, declarers and stakeholders, 1 together.
        blocks: b, as `compute_partisan_blocks` has it.
        listed: l, the share of the stake that its headers list; others' list all.
    """
    (proposer, declarers, seats), share = rewards, partisans / owners
    own = blocks * (proposer * listed + seats * share) + declarers * share
    return own / (1 - blocks * (1 - listed) * (proposer + declarers))


def bound_partisan_coins(
    partisans: int, owners: int, rewards: tuple[float, float, float], *, stakeholders: int, listed: float
) -> float:
    """Return the most coins, of all that are created, that vetoes can bring a coalition where rights are rare.

    It decides about each header by itself: a member's may stay unused or list less, another's with a member among its
    stakeholders may die. In the long run its part is the largest w for which completing just the headers that bring it
    at least w of what they create gives w (the ratio of two means is found step by step: Dinkelbach, "On nonlinear
    fractional programming", 1967). A header with j members' seats brings ``r_p l + r_d q + r_s j / K`` if a member has
    proposed it, else ``r_d q + r_s j / K``, and creates ``1 - (1 - l)(r_p + r_d)``, l being the stake it lists.

    Args:
        partisans: m, the coalition.
        owners: n, how many there are.
        rewards: r_p, r_d and r_s: the shares of the subsidy for proposer, declarers and stakeholders, 1 together.
        stakeholders: K, drawn for each header.
        listed: The least that a header may list; others' list all.
    """
    (proposer, declarers, seats), share, most = rewards, partisans / owners, 0.0
    drawn = [
        comb(partisans, j) * comb(owners - partisans, stakeholders - j) / comb(owners, stakeholders)
        for j in range(stakeholders + 1)
    ]
    while True:
        own = created = 0.0
        for j, chance in enumerate(drawn):
            fixed = declarers * share + seats * j / stakeholders
            offers = [(proposer * part + fixed, 1 - (1 - part) * (proposer + declarers)) for part in (1.0, listed)]
            best = max(offers, key=lambda offer: offer[0] - most * offer[1])
            kept = [(share, best)] if best[0] >= most * best[1] else []
            if not j or fixed >= most:
                kept.append((1 - share, (fixed, 1.0)))
            own += sum(weight * chance * offer[0] for weight, offer in kept)
            created += sum(weight * chance * offer[1] for weight, offer in kept)
        if own <= most * created * (1 + 1e-12):
            return most
        most = own / created


def find_listed(partisans: int, owners: int, *, count: int | None, stake_share: float | None) -> float:
    """Return the least share of the stake that a member's header lists: all members, and others as confidence needs."""
    needed = next(some for some in range(owners + 1) if _has_confidence(some, owners, count, stake_share))
    return max(needed, partisans) / owners
