"""Who has which rights to propose, read off the genesis, and what a coalition that knows them can make of them."""

from functools import cache

from protocol.cosigning import follow_the_coin
from protocol.crypto import compute_hash
from protocol.lottery import has_winning_ticket
from protocol.mechanisms.proof_of_training.judging import SEEDED_HEADER_LOTTERY, SEEDED_STAKEHOLDERS
from protocol.mechanisms.proof_of_training.mechanism import as_training
from protocol.stakes import StakeTable
from simulation.scenario.world.key_pairs import make_keys
from simulation.scenario.world.world import World

Kind = tuple[bool, bool, bool]
"""Whether in a slot there are rights of members' alone, of others' alone, and of both."""


def list_kinds(world: World, population: str, slots: int) -> list[Kind]:
    """Return what rights there are in each of some slots from the first on, where one population colludes."""
    pot = as_training(world.mechanism)
    stakes = StakeTable({make_keys(node.key_seed).public: node.stake for node in world.nodes})
    members = {make_keys(node.key_seed).public for node in world.nodes if node.population == population}
    parameters = pot.genesis.parameters
    kinds: list[Kind] = []
    for slot in range(1, slots + 1):
        found: set[str] = set()
        for owner in stakes.owners:
            rate = parameters.headers_per_slot
            if has_winning_ticket(SEEDED_HEADER_LOTTERY, stakes, rate, seed=pot.seed, slot=slot, author=owner):
                drawn_by = compute_hash(SEEDED_STAKEHOLDERS, pot.seed, slot.to_bytes(8, "big"), owner)
                needed = {owner, *follow_the_coin(drawn_by, stakes, parameters.stakeholders)}
                found.add("members" if needed <= members else "both" if needed & members else "others")
        kinds.append(("members" in found, "others" in found, "both" in found))
    return kinds


def can_invent(kinds: list[Kind], blocks: int) -> bool:
    """Return whether members can end a job of some blocks with invented ones: tries all slots to help in.

    They need as many slots of their own since an honest block as are missing there, before the honest job is complete
    or in the slot in which it would be.
    """

    @cache
    def try_from(index: int, honest: tuple[int, ...]) -> bool:
        """Take how many slots are gone, and the slots of the honest blocks in them, the genesis first."""
        if len(honest) > blocks or index == len(kinds):
            return False
        _, others, both = kinds[index]
        captured = [slot for slot, kind in enumerate(kinds[: index + 1], 1) if kind[0]]
        for height, begun in enumerate(honest):
            if sum(slot > begun for slot in captured) >= blocks - height:
                return True
        higher = (*honest, index + 1)
        if others:
            return try_from(index + 1, higher)
        return try_from(index + 1, honest) or (both and try_from(index + 1, higher))

    return try_from(0, (0,))
