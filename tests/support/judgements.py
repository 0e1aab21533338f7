"""Runs with adversaries in memory, and every judgement in them: also what was ignored, which records only count."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from protocol.events import Command, Event, Judged
from protocol.mechanisms.proof_of_training.messages import WrappedBlock
from protocol.participant import Participant
from protocol.verdicts import Ignore, Reject
from tests.support.memory_runs import Ended, prepare


@dataclass(frozen=True)
class Judgement:
    """What a party thought of a message."""

    who: str
    peer: str
    author: str
    """Label of the author; empty where there is none."""
    kind: str
    outcome: str
    """`accept`, `wait`, or the reason it was refused or ignored for."""
    is_rejected: bool
    height: int | None
    header: bytes | None


@dataclass(frozen=True)
class Observed:
    """A run that has ended, and its judgements."""

    ended: Ended
    judgements: list[Judgement]

    @property
    def honest(self) -> frozenset[str]:
        return self.ended.world.get_honest()

    def get_members(self, population: str) -> set[str]:
        return {node.label for node in self.ended.world.nodes if node.population == population}

    def get_judgements(self, population: str, **wanted: object) -> list[Judgement]:
        """Return what honest nodes thought of messages in the name of a population's nodes."""
        members = self.get_members(population)
        return [
            item
            for item in self.judgements
            if item.who in self.honest
            and item.author in members
            and all(getattr(item, name) == value for name, value in wanted.items())
        ]

    def count_outcomes(self, population: str, kind: str) -> Counter[str]:
        return Counter(item.outcome for item in self.get_judgements(population, kind=kind))

    def count_refused(self, population: str) -> Counter[str]:
        """Return the refusals that the run charges a population with, by reason."""
        return self.ended.tally.rejected_from[population]

    def count_refused_elsewhere(self, *populations: str) -> Counter[str]:
        """Return the refusals that are charged to anybody else."""
        found: Counter[str] = Counter()
        for name, reasons in self.ended.tally.rejected_from.items():
            if name not in populations:
                found += reasons
        return found

    def get_chain(self, label: str = "honest-0") -> list[WrappedBlock]:
        """Return a party's chain, lowest block first."""
        kind: Any = self.ended.world.mechanism.block
        return [msgspec.msgpack.decode(block, type=kind) for block in self.ended.result.chains[label]]

    def count_proposed(self, population: str, label: str = "honest-0") -> int:
        members = self.get_members(population)
        return sum(self.name(block.header.author) in members for block in self.get_chain(label))

    def count_declared(self, population: str, label: str = "honest-0") -> int:
        """Return how often a population's nodes are among the declarers of a party's chain, who are paid."""
        members = self.get_members(population)
        return sum(
            self.name(item.author) in members for block in self.get_chain(label) for item in block.header.declarations
        )

    def count_wrapped(self, population: str, label: str = "honest-0") -> int:
        members = self.get_members(population)
        return sum(self.name(block.author) in members for block in self.get_chain(label))

    def name(self, account: bytes) -> str:
        return self.ended.world.get_labels().get(account, "")

    def assert_unharmed(self) -> None:
        """Fail unless all honest nodes agree on the whole job and no invariant is broken."""
        assert self.ended.reason == "complete"
        self.ended.assert_agreed()
        assert self.ended.tally.count_poisoned_honest() == 0
        assert len(self.ended.result.chains["employer"]) == self.ended.world.scenario.length


def observe(raw: dict[str, Any]) -> Observed:
    """Run a raw scenario to its end and keep every judgement."""
    prepared = prepare(raw)
    labels = prepared.world.get_labels()
    judgements: list[Judgement] = []
    handle = Participant.handle

    def listen(party: Participant, event: Event, now: int) -> list[Command]:
        commands = handle(party, event, now)
        who = labels[party.keys.public]
        judgements.extend(describe(who, command, labels) for command in commands if isinstance(command, Judged))
        return commands

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Participant, "handle", listen)
        return Observed(prepared.run(), judgements)


def describe(who: str, judged: Judged, labels: dict[bytes, str]) -> Judgement:
    verdict = judged.verdict
    return Judgement(
        who=who,
        peer=judged.peer,
        author=labels.get(judged.author, "") if judged.author is not None else "",
        kind=judged.kind,
        outcome=verdict.reason.value if isinstance(verdict, Ignore | Reject) else type(verdict).__name__.lower(),
        is_rejected=isinstance(verdict, Reject),
        height=judged.height,
        header=judged.proposal,
    )
