"""What of votes stands beside other runs, and in a report: rounds, votes, and blocks of one height that are final."""

from typing import Final

from simulation.analysis import measured, show_shares

COMPARED: Final = (
    measured("blocks made, by population", "proposed", show_shares),
    measured("rounds to a block", "votes.rounds_each"),
    measured("votes to a block", "votes.votes_each"),
    measured("copies of votes to a block", "votes.vote_copies_each"),
    measured("seconds from proposal to final", "votes.seconds_to_final"),
    measured("contradictions seen", "votes.contradictions"),
    measured("heights with two final blocks", "votes.conflicts"),
)
