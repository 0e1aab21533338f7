"""Firing at a voter: votes and proposals of an owner that cheats, blocks that are not voted on as they say."""

from collections.abc import Sequence
from random import Random
from typing import Any, Final

import msgspec

from protocol.crypto import KeyPair
from protocol.events import ChainRecord, Command, Noted
from protocol.mechanisms.stake_bft.mechanism import as_bft, compute_body_digest
from protocol.mechanisms.stake_bft.messages import (
    NIL,
    NO_CERTIFICATE,
    NO_ROUND,
    Certificate,
    CertifiedBlock,
    Precommit,
    Proposal,
    Vote,
    VoteSignature,
)
from protocol.messages import AnyBlock, BlockRequest, HeadAnnouncement, Message, Transaction
from protocol.rules import Rules
from simulation.commands.checks.fuzzing import Forge, FuzzKit, Way

MOST_ROUNDS: Final = 8
"""Rounds among which one is looked for that the cheat proposes in."""


class BftFuzz(FuzzKit):
    """Has the keys of one owner alone: whoever has those of a third can hold the others up for ever."""

    cheat: KeyPair
    """The owner that says what it likes."""

    def draw_sections(self, rng: Random) -> dict[str, Any]:
        """Return a short chain with short rounds."""
        keys = {
            "name": self.mechanism,
            "length": rng.randint(3, 6),
            "interval_ms": rng.choice([0.0, 1_000.0]),
            "propose_ms": rng.choice([300.0, 1_000.0]),
            "vote_ms": 500.0,
            "growth_ms": 200.0,
            "reward": rng.choice(["proposer", "stake"]),
        }
        return {"mechanism": keys, "protocol": {"slot_ms": 100.0, "max_transactions": 3}}

    def may_be_repeated(self, message: Message) -> bool:
        """Return whether it is no proposal, no vote and no block: what owners have said of another history."""
        return isinstance(message, Transaction | HeadAnnouncement | BlockRequest)

    def choose_keys(self, rng: Random, rules: Rules, keys: Sequence[KeyPair]) -> Sequence[KeyPair]:
        """Return the keys of one owner, and of all who have no stake."""
        stakes = rules.origin.state.stakes
        self.cheat = rng.choice([pair for pair in keys if stakes.get_stake(pair.public)])
        return [pair for pair in keys if pair is self.cheat or not stakes.get_stake(pair.public)]

    def list_ways(self, forge: Forge) -> Sequence[Way]:
        """Return what an owner can say besides: votes for anything, and proposals of anything."""
        return (
            *super().list_ways(forge),
            Way("vote for anything", 8, lambda: self._vote(forge)),
            Way("proposal of anything", 8, lambda: self._propose(forge)),
        )

    def complete(self, forge: Forge, parent: ChainRecord, block: AnyBlock) -> AnyBlock:
        """Return a block of the cheat's, most often in a round in which it may propose, with its own vote or none.

        Raises:
            TypeError: It is no block by votes.
        """
        if not isinstance(block, CertifiedBlock):
            raise TypeError(f"no block by votes: {block!r}")
        rng, owner = forge.rng, self.cheat.public
        block = msgspec.structs.replace(block, author=owner, certificate=NO_CERTIFICATE)
        if rng.random() < 0.8:
            block = msgspec.structs.replace(block, round=self._find_round(forge, parent))
        if rng.random() < 0.9:
            block = msgspec.structs.replace(block, body=compute_body_digest(block.transactions))
        made = self.pay(forge, parent, block)
        if rng.random() < 0.5:
            return made
        word = Precommit(
            height=block.height,
            parent=block.parent,
            round=block.round,
            block=forge.rules.hash_message(made),
            author=owner,
        )
        signed = VoteSignature(author=owner, signature=forge.sign_as_author(word).signature)
        certificate = Certificate(round=block.round, signatures=(signed,) * rng.choice((1, 1, 4)))
        return msgspec.structs.replace(made, certificate=certificate)

    def _find_round(self, forge: Forge, parent: ChainRecord) -> int:
        """Return a round after a parent that the cheat proposes in; 0 if there is none soon."""
        bft, chain_id = as_bft(forge.rules.mechanism), forge.rules.chain_id
        own = (r for r in range(MOST_ROUNDS) if bft.find_proposer(chain_id, parent, r) == self.cheat.public)
        return next(own, 0)

    def _propose(self, forge: Forge) -> msgspec.Struct:
        """Return a proposal of the cheat: of a block of its own or of another's, with real votes or made-up ones."""
        proposals = forge.seen.find(Proposal)
        if not proposals:
            return forge.seen.pick()
        rng = forge.rng
        proposal = rng.choice(proposals)
        parent = forge.find_parent(proposal.parent)
        if parent is None:
            return proposal
        round_ = self._find_round(forge, parent)
        block: AnyBlock = proposal.block
        if rng.random() < 0.6:
            other = msgspec.structs.replace(block, transactions=forge.draw_transfers())
            made = self.complete(forge, parent, other)
            block = made if rng.random() < 0.2 else msgspec.structs.replace(made, certificate=NO_CERTIFICATE)
        votes = tuple(VoteSignature(author=pair.public, signature=rng.randbytes(64)) for pair in forge.signers[:2])
        changed = msgspec.structs.replace(
            proposal,
            author=self.cheat.public,
            round=rng.choice((round_, round_, proposal.block.round + 1)),
            valid_round=rng.choice((NO_ROUND, NO_ROUND, proposal.valid_round, proposal.block.round)),
            prevotes=rng.choice((proposal.prevotes, (), votes)),
            block=block,
        )
        return forge.sign_as_author(changed)

    def _vote(self, forge: Forge) -> msgspec.Struct:
        """Return a vote of the cheat for any block or none, in any round."""
        votes = forge.seen.find(Vote)
        if not votes:
            return forge.seen.pick()
        rng = forge.rng
        changed = msgspec.structs.replace(
            rng.choice(votes),
            author=self.cheat.public,
            round=rng.choice((0, 0, 1, 2, 1_000)),
            block=rng.choice((NIL, *forge.seen.hashes)),
        )
        return forge.sign_as_author(changed)

    def is_remark(self, command: Command) -> bool:
        """Return whether a command puts on record who has said two things: the second one is refused."""
        return isinstance(command, Noted)
