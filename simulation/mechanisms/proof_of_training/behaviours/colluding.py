"""What colluders can say for one another: headers and whole blocks in the name of any member.

All of it is made from what a node of theirs knows, with the members' keys. What they can choose they choose, under
version 1 of the rules by grinding: a header's hash draws its stakeholders, a block's hash the lotteries of the next
height and the winner of a tie.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from math import isqrt

import msgspec

from protocol.cosigning import follow_the_coin
from protocol.crypto import compute_content_hash
from protocol.events import ChainRecord
from protocol.mechanisms.proof_of_training.building import build_block, build_header, build_signature
from protocol.mechanisms.proof_of_training.messages import BlockHeader, TrainedBlock, TrainingDeclaration, WrappedBlock
from protocol.mechanisms.proof_of_training.reasons import Right
from protocol.messages import Transaction
from protocol.types import AccountId, Hash32
from simulation.mechanisms.proof_of_training.behaviours.members import Declarations, Effort, Members, Place
from simulation.mechanisms.proof_of_training.behaviours.nonces import HashWithout


class Band(Members):
    """Members who propose, sign and wrap as one."""

    # ---- headers ----

    def make_header(
        self,
        place: Place,
        right: tuple[int, AccountId],
        declarations: tuple[TrainingDeclaration, ...],
        transactions: tuple[Transaction, ...] = (),
    ) -> BlockHeader:
        """Return a header in the name of a member."""
        header = self._draft_header(place, right, declarations, transactions)
        return self.keys[header.author].sign(self.rules.chain_id, header)

    def _draft_header(
        self,
        place: Place,
        right: tuple[int, AccountId],
        declarations: tuple[TrainingDeclaration, ...] = (),
        transactions: tuple[Transaction, ...] = (),
    ) -> BlockHeader:
        slot, author = right
        return build_header(self.judge, place.parent, place.own, declarations, transactions, author=author, slot=slot)

    def list_seats(self, parent: ChainRecord, header: BlockHeader) -> tuple[AccountId, ...]:
        """Return the stakeholders of a header."""
        if self.judge.has_seeded_draws:
            return self.judge.draw_stakeholders(self.rules, parent, header)
        return self._draw(parent, compute_content_hash(self.rules.chain_id, header))

    def _draw(self, parent: ChainRecord, header: Hash32) -> tuple[AccountId, ...]:
        return follow_the_coin(header, parent.state.stakes, self.parameters.stakeholders)

    def capture(
        self,
        place: Place,
        right: tuple[int, AccountId],
        effort: Effort,
        transactions: tuple[Transaction, ...] = (),
    ) -> BlockHeader | None:
        """Return a header whose stakeholders are all members, if one is found."""
        if len(self.keys) < self.parameters.stakeholders or not self._may_capture(place, right, effort):
            return None
        mine = self.declare(place.parent, place.own, right[0])
        if not self.judge.has_seeded_draws:
            return self._grind_header(place, right, mine, effort)
        chosen = self.choose(place, right[0], mine)
        return self.make_header(place, right, chosen, transactions) if chosen is not None else None

    def _may_capture(self, place: Place, right: tuple[int, AccountId], effort: Effort) -> bool:
        """Return whether there is something left to search or, where nothing can be, the right is one of those."""
        if not self.judge.has_seeded_draws:
            return effort.headers > 0
        return self.is_captured(place, right)

    def is_captured(self, place: Place, right: tuple[int, AccountId]) -> bool:
        """Return whether all stakeholders of what is proposed with a right are members; nobody can choose them."""
        return self.count_captured(place, right) == self.parameters.stakeholders

    def count_captured(
        self, place: Place, right: tuple[int, AccountId], declarations: tuple[TrainingDeclaration, ...] = ()
    ) -> int:
        """Return how many stakeholders of what is proposed with a right are members."""
        seats = self.list_seats(place.parent, self._draft_header(place, right, declarations))
        return sum(seat in self.keys for seat in seats)

    def _grind_header(
        self, place: Place, right: tuple[int, AccountId], mine: Declarations, effort: Effort
    ) -> BlockHeader | None:
        """Search other choices of others' declarations, and other signatures of the members', for such a header."""
        slot, parent = right[0], place.parent
        signed = sorted(author for author, item in mine.items() if item.slot <= slot)
        each = isqrt(effort.headers) + 1
        last: list[TrainingDeclaration] = []
        for number in range(each):
            if len(signed) > 1:
                mine = {**mine, signed[0]: self._sign_again(mine[signed[0]], number)}
            chosen = self.choose(place, slot, mine, turn=number)
            if chosen is None or not effort.take_headers(1):
                return None
            header = self.make_header(place, right, chosen)
            if self._has_captured(parent, compute_content_hash(self.rules.chain_id, header)):
                return header
            if not signed:
                continue
            hashing = HashWithout(self.rules.chain_id, header, mine[signed[-1]].signature)
            for index in range(effort.take_headers(each)):
                if index == len(last):
                    last.append(self._sign_again(mine[signed[-1]], index))
                if self._has_captured(parent, hashing.compute(last[index].signature)):
                    found = tuple(last[index] if item.author == signed[-1] else item for item in chosen)
                    return self.make_header(place, right, found)
        return None

    def _sign_again(self, declaration: TrainingDeclaration, number: int) -> TrainingDeclaration:
        return self._signers[declaration.author].sign(self.rules.chain_id, declaration, number)

    def _has_captured(self, parent: ChainRecord, header: Hash32) -> bool:
        first = follow_the_coin(header, parent.state.stakes, 1)
        return first[0] in self.keys and set(self._draw(parent, header)) <= self.keys.keys()

    # ---- blocks ----

    def complete(self, place: Place, header: BlockHeader, transactions: tuple[Transaction, ...] = ()) -> WrappedBlock:
        """Return the block of a header whose stakeholders are all members."""
        chain_id, seats = self.rules.chain_id, self.list_seats(place.parent, header)
        secrets = {seat: self.judge.find_secret(place.own, seat) for seat in seats}
        signatures = [
            self.keys[seat].sign(chain_id, build_signature(self.judge, self.rules, header, seat, secrets[seat]))
            for seat in seats[:-1]
        ]
        stakes, wrapper = place.parent.state.stakes, seats[-1]
        block = build_block(self.judge, header, seats, signatures, transactions, stakes=stakes, secret=secrets[wrapper])
        return self.keys[wrapper].sign(chain_id, block)

    def build(
        self,
        place: Place,
        last: int,
        effort: Effort,
        *,
        transactions: tuple[Transaction, ...] = (),
        score: Callable[[ChainRecord], int] | None = None,
    ) -> WrappedBlock | None:
        """Return a block that needs nobody but members, if one is found.

        Args:
            place: What it builds on, and with.
            last: The latest slot it may be proposed in.
            effort: Hashes that may be computed.
            transactions: What it carries where its hash does not matter.
            score: How good a block would be as the parent of the next one, at best 0; the best that is found is made.
        """
        for right in self.list_rights(Right.PROPOSE, place.parent, last):
            header = self.capture(place, right, effort, transactions)
            block = self._finish(place, header, effort, transactions, score) if header is not None else None
            if block is not None:
                return block
        return None

    def _finish(
        self,
        place: Place,
        header: BlockHeader,
        effort: Effort,
        transactions: tuple[Transaction, ...],
        score: Callable[[ChainRecord], int] | None,
    ) -> WrappedBlock | None:
        """Return the block of a captured header that beats the rival, with the best hash where that matters."""
        block, rival, parent = self.complete(place, header, transactions), place.rival, place.parent
        if self.judge.has_ranked_ties:
            if rival is not None and self.judge.rank(self.rules, block) >= rival.rank:
                return None
            rival = None
        if rival is None and (self.judge.has_seeded_draws or score is None):
            return block
        best: tuple[int, Callable[[], WrappedBlock]] | None = None
        for block_hash, make in self._list_variants(place, header, effort):
            if rival is not None and block_hash >= rival.hash:
                continue
            if score is None:
                return make()
            value = score(replace(parent, hash=block_hash, height=parent.height + 1, slot=header.slot))
            if best is None or value > best[0]:
                best = value, make
            if value >= 0:
                break
        return best[1]() if best is not None else None

    def _list_variants(
        self, place: Place, header: BlockHeader, effort: Effort
    ) -> Iterator[tuple[Hash32, Callable[[], WrappedBlock]]]:
        """Yield hashes that the block of a header may have, each with what makes the block.

        The first stakeholder signs again with other nonces; where the wrapper is the only one, it transfers nothing to
        ever new accounts. A block of version 2 of the rules has the hash of its header alone.
        """
        chain_id, plain = self.rules.chain_id, self.complete(place, header)
        if isinstance(plain, TrainedBlock):
            yield compute_content_hash(chain_id, plain), partial(_return, plain)
            return
        if plain.signatures:
            first, *rest = plain.signatures
            hashing = HashWithout(chain_id, plain, first.signature)
        number = 0
        while effort.take_block():
            if plain.signatures:
                again = self._signers[first.author].sign(chain_id, first, number)
                block = msgspec.structs.replace(plain, signatures=(again, *rest))
                yield hashing.compute(again.signature), partial(self.keys[plain.author].sign, chain_id, block)
            else:
                block = self.complete(place, header, (self._make_transfer(place.parent, plain.author, number),))
                yield compute_content_hash(chain_id, block), partial(_return, block)
            number += 1

    def _make_transfer(self, parent: ChainRecord, payer: AccountId, number: int) -> Transaction:
        nonce, recipient = parent.state.get_account(payer).nonce, number.to_bytes(32, "big")
        transfer = Transaction(author=payer, nonce=nonce, recipient=recipient, amount=0, fee=0)
        return self.rules.sign(self.keys[payer], transfer)


def _return(block: WrappedBlock) -> WrappedBlock:
    return block
