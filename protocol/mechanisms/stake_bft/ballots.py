"""What a validator has heard about one height: proposals and votes by round, within bounds for each author.

An author has one proposal and two votes in a round. Of rounds that this node has not reached it has the first
`MAX_AHEAD` that it votes in, and more when the node has gone on: what is kept is never forgotten for something newer,
so each word is accepted once, and what is passed on has the bounds of what is kept. Nobody is silenced by that. Whose
room is full is known to be ahead, and as soon as owners of more than a third are, the node goes on and has room again.
Rounds behind grow with time alone, and ever more slowly, as time-outs do.
"""

from collections import Counter
from typing import Final

from protocol.mechanisms.stake_bft.messages import Prevote, Proposal, Vote, VoteSignature
from protocol.mechanisms.stake_bft.quorum import is_quorum, is_third
from protocol.stakes import StakeTable
from protocol.types import AccountId, Hash32

MAX_AHEAD: Final = 4
"""Rounds that the node has not reached: of each author's votes the first ones, of proposals the next ones."""

MAX_BEHIND: Final = 8
"""Rounds gone by whose proposals are kept; what a block needs besides comes with the block, from who has decided."""

Ballots = dict[int, "Ballot"]


class Ballot:
    """The votes of one kind in one round."""

    def __init__(self) -> None:
        """Start with none."""
        self.votes: dict[AccountId, Vote] = {}
        self.held: Counter[Hash32] = Counter()
        """Stake that is for each block."""
        self.total = 0
        """Stake of all who have voted."""

    def add(self, vote: Vote, stake: int) -> None:
        """Count a vote of somebody who has none here."""
        self.votes[vote.author] = vote
        self.held[vote.block] += stake
        self.total += stake

    def list_signatures(self, block: Hash32) -> tuple[VoteSignature, ...]:
        """Return the votes for a block, by ascending author."""
        chosen = sorted(author for author, vote in self.votes.items() if vote.block == block)
        return tuple(VoteSignature(author=author, signature=self.votes[author].signature) for author in chosen)


class Heard:
    """All that has been heard about one height."""

    def __init__(self, stakes: StakeTable) -> None:
        """Start with nothing heard.

        Args:
            stakes: Who votes, and with how much.
        """
        self.stakes: Final = stakes
        self.proposals: dict[int, Proposal] = {}
        self.prevotes: Ballots = {}
        self.precommits: Ballots = {}
        self._highest: dict[AccountId, int] = {}
        """The highest round that each author has spoken in."""
        self._top = 0
        """The highest of these."""
        self._ahead: dict[AccountId, set[int]] = {}
        """Rounds to come that each author has voted in."""

    def find_ballot(self, kind: type[Vote], round_: int) -> Ballot | None:
        """Return the votes of a kind in a round; None where there are none."""
        return self._get_ballots(kind).get(round_)

    def find_quorum(self, kind: type[Vote], round_: int) -> Hash32 | None:
        """Return what more than two thirds have voted for in a round; None where they have not."""
        ballot = self.find_ballot(kind, round_)
        if ballot is None:
            return None
        return next((block for block, held in ballot.held.items() if is_quorum(held, self.stakes.total)), None)

    def has_quorum_of_any(self, kind: type[Vote], round_: int) -> bool:
        """Return whether more than two thirds have voted in a round, for whatever."""
        ballot = self.find_ballot(kind, round_)
        return ballot is not None and is_quorum(ballot.total, self.stakes.total)

    def find_first(self, message: Proposal | Vote) -> Proposal | Vote | None:
        """Return what the author of a message has said before in its place."""
        if isinstance(message, Proposal):
            return self.proposals.get(message.round)
        ballot = self.find_ballot(type(message), message.round)
        return ballot.votes.get(message.author) if ballot is not None else None

    def has_room(self, message: Proposal | Vote, own_round: int) -> bool:
        """Return whether a message can be kept.

        To judge a proposal may take long, so nobody has many of them judged that are for a distant future.
        """
        if isinstance(message, Proposal):
            return own_round - MAX_BEHIND <= message.round <= own_round + MAX_AHEAD
        ahead = self._ahead.get(message.author, set())
        return message.round <= own_round or message.round in ahead or len(ahead) < MAX_AHEAD

    def find_reached(self, own_round: int) -> int | None:
        """Return the highest round that owners of more than a third have reached; None if the node has too."""
        held = 0
        if self._top <= own_round:
            return None
        for author, round_ in sorted(self._highest.items(), key=lambda item: -item[1]):
            if round_ <= own_round:
                return None
            held += self.stakes.get_stake(author)
            if is_third(held, self.stakes.total):
                return round_
        return None

    def list_words(self, *rounds: int) -> list[Proposal | Vote]:
        """Return what has been said in some rounds."""
        words: list[Proposal | Vote] = [self.proposals[round_] for round_ in rounds if round_ in self.proposals]
        for ballots in (self.prevotes, self.precommits):
            words += [vote for round_ in rounds if round_ in ballots for vote in ballots[round_].votes.values()]
        return words

    # ---- writing ----

    def add(self, message: Proposal | Vote, own_round: int) -> None:
        """Keep a judged message that its author has said nothing else in place of."""
        author, round_ = message.author, message.round
        self._highest[author] = max(self._highest.get(author, 0), round_)
        self._top = max(self._top, round_)
        if isinstance(message, Proposal):
            self.proposals[round_] = message
            return
        if round_ > own_round:
            self._ahead.setdefault(author, set()).add(round_)
        self._get_ballots(type(message)).setdefault(round_, Ballot()).add(message, self.stakes.get_stake(author))

    def enter(self, round_: int) -> None:
        """Note that the node has reached a round."""
        for author in list(self._ahead):
            self._ahead[author] = {ahead for ahead in self._ahead[author] if ahead > round_}
            if not self._ahead[author]:
                del self._ahead[author]
        for old in [old for old in self.proposals if old < round_ - MAX_BEHIND]:
            del self.proposals[old]

    def _get_ballots(self, kind: type[Vote]) -> Ballots:
        return self.prevotes if kind is Prevote else self.precommits

    def snapshot(self) -> tuple[object, ...]:
        """Return what a refused message must leave unchanged."""
        return (
            tuple((round_, item.signature) for round_, item in sorted(self.proposals.items())),
            *(_list_votes(ballots) for ballots in (self.prevotes, self.precommits)),
        )


def _list_votes(ballots: Ballots) -> tuple[object, ...]:
    votes = (vote for _, ballot in sorted(ballots.items()) for _, vote in sorted(ballot.votes.items()))
    return tuple((vote.round, vote.author, vote.block) for vote in votes)
