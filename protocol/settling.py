"""How honest parties settle on one last block, though nothing will be built on it.

Who keeps a competitor of the last block back could show it to some parties before they have settled and to others
after. So a competitor that comes late needs *sightings*: signatures of witnesses, owners drawn from all stake, each of
whom says that it had the block in time. The later it is, the more it needs. A witness that takes one adds its own and
passes it on, so what is in time for one honest party is in time for all, whoever lies, as long as one witness is honest
and honest parties hear each other within a quarter of a step: Dolev and Strong, "Authenticated algorithms for Byzantine
agreement", SIAM Journal on Computing 12 (1983), with drawn witnesses in place of all parties.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from protocol.chain import BlockTree
from protocol.cosigning import follow_the_coin
from protocol.crypto import Domain, KeyPair, compute_hash
from protocol.events import ChainRecord
from protocol.ledger import LedgerState
from protocol.messages import AnyBlock, LateBlock, Sighting
from protocol.rules import Rules
from protocol.stakes import StakeTable
from protocol.types import AccountId, Hash32, Signature
from protocol.verdicts import ACCEPT, ChainReason, Ignore, Reject, Verdict

WITNESSES: Final = 10
"""Owners drawn as witnesses; all of them if there are fewer. A coalition with a share q of all stake has every one of
them with a chance of at most q^10."""

MAX_SIGHTED: Final = 8
"""Blocks of one author whose sightings are remembered; each author has room of its own, so nobody fills others'."""

WITNESS_DRAW: Final = Domain(b"pot/witnesses/2")
SIGHTING: Final = Domain(b"pot/sighting/2")

Tree = BlockTree[AnyBlock, LedgerState]


def draw_witnesses(chain_id: Hash32, stakes: StakeTable) -> tuple[AccountId, ...]:
    """Return who may say that a block came in time: owners drawn once for all by the chain id."""
    drawn_by = compute_hash(WITNESS_DRAW, chain_id)
    return follow_the_coin(drawn_by, stakes, min(WITNESSES, len(stakes.owners)))


def compute_sighting_digest(chain_id: Hash32, block_hash: Hash32) -> Hash32:
    """Return what a witness signs."""
    return compute_hash(SIGHTING, chain_id, block_hash)


class Settling:
    """What one party knows of witnesses' words about competitors of the last block."""

    def __init__(self, rules: Rules, keys: KeyPair, *, settled_after: int) -> None:
        """Take the slots after which a party keeps its last block."""
        self._rules = rules
        self._keys = keys
        self._settled_after = settled_after
        self._step = max(1, settled_after // WITNESSES)
        stakes = rules.origin.state.stakes
        self._witnesses: Final = rules.recall(("witnesses",), draw_witnesses, rules.chain_id, stakes)
        self._is_witness: Final = keys.public in self._witnesses
        self._sightings: dict[AccountId, dict[Hash32, dict[AccountId, Signature]]] = {}
        """Words of witnesses by the block's author and hash."""

    # ---- judging: reads only ----

    def count_needed(self, elapsed: int, *, by_witness: bool) -> int:
        """Return how many sightings a competitor needs so many slots after the chain was whole.

        Who is no witness stops half a step earlier, so that what it takes reaches the witnesses in time.
        """
        return (elapsed + (0 if by_witness else self._step // 2)) // self._step

    def judge_time(self, tree: Tree, parent: ChainRecord, block: AnyBlock, slot: int) -> Verdict:
        """Judge whether a block that is valid otherwise may still compete with the last block."""
        mechanism = self._rules.mechanism
        if tree.is_settled(slot) or not tree.is_contested_by(
            parent, mechanism.weigh(parent, block), mechanism.rank(self._rules, block), mechanism.find_right(block)
        ):
            return ACCEPT
        is_in_time = self._is_in_time(tree, block, slot, by_witness=self._is_witness)
        return ACCEPT if is_in_time else Ignore(ChainReason.TOO_LATE)

    def is_for_witnesses(self, tree: Tree, block: AnyBlock, slot: int) -> bool:
        """Return whether a competitor that comes too late here may be in time for a witness behind this party."""
        return not tree.is_settled(slot) and self._is_in_time(tree, block, slot, by_witness=True)

    def _is_in_time(self, tree: Tree, block: AnyBlock, slot: int, *, by_witness: bool) -> bool:
        seen_by = self._find_sightings(block.author, self._rules.hash_message(block))
        return len(seen_by) >= self.count_needed(slot - tree.whole_since, by_witness=by_witness)

    def _find_sightings(self, author: AccountId, block_hash: Hash32) -> Mapping[AccountId, Signature]:
        return self._sightings.get(author, {}).get(block_hash, {})

    def judge(self, tree: Tree, late: LateBlock[Any], slot: int) -> Verdict:
        """Judge the sightings of a block, and of the block itself whether its author may have any room for them."""
        block_hash = self._rules.hash_message(late.block)
        if block_hash in tree:
            return Ignore(ChainReason.DUPLICATE)
        witnesses = [item.witness for item in late.sightings]
        is_ordered = all(first < second for first, second in pairwise(witnesses))
        if not witnesses or not is_ordered or not set(witnesses) <= set(self._witnesses):
            return Reject(ChainReason.BAD_SIGHTING)
        if tree.is_settled(slot):
            return Ignore(ChainReason.TOO_LATE)
        if tree.is_whole:
            seen_by = {*witnesses, *self._find_sightings(late.block.author, block_hash)}
            if len(seen_by) < self.count_needed(slot - tree.whole_since, by_witness=True):
                return Ignore(ChainReason.TOO_LATE)
        digest = compute_sighting_digest(self._rules.chain_id, block_hash)
        if not all(self._rules.verify(item.witness, digest, item.signature) for item in late.sightings):
            return Reject(ChainReason.BAD_SIGHTING)
        return self._rules.judge_author(tree.head.state, late.block)

    # ---- writing: only after the verdict ----

    def remember(self, late: LateBlock[Any]) -> None:
        """Keep judged sightings, for when their block is judged."""
        seen_by = {item.witness: item.signature for item in late.sightings}
        self._add(late.block.author, self._rules.hash_message(late.block), seen_by)

    def _add(self, author: AccountId, block_hash: Hash32, seen_by: Mapping[AccountId, Signature]) -> None:
        of_author = self._sightings.setdefault(author, {})
        of_author.setdefault(block_hash, {}).update(seen_by)
        while len(of_author) > MAX_SIGHTED:
            del of_author[next(iter(of_author))]

    def note(self, tree: Tree, block: AnyBlock, slot: int) -> None:
        """Sign a last block that is about to be stored, if this party is a witness and has it in time."""
        if self._is_witness and (not tree.is_whole or self.is_for_witnesses(tree, block, slot)):
            block_hash = self._rules.hash_message(block)
            digest = compute_sighting_digest(self._rules.chain_id, block_hash)
            self._add(block.author, block_hash, {self._keys.public: self._keys.sign_hash(digest)})

    def tell(self, block: AnyBlock) -> LateBlock[Any] | None:
        """Return what tells others of a block with the words of its witnesses; None where there are none."""
        known = self._find_sightings(block.author, self._rules.hash_message(block))
        if not known:
            return None
        late = LateBlock(block=block, sightings=_order(known), author=self._keys.public)
        return self._keys.sign(self._rules.chain_id, late)


def _order(known: Mapping[AccountId, Signature]) -> tuple[Sighting, ...]:
    return tuple(Sighting(witness=witness, signature=known[witness]) for witness in sorted(known))
