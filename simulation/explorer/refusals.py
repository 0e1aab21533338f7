"""Refusals of a run: which messages were refused, and what each node made of one of them."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from simulation.records import Accepted, Record, Rejected, Tally, Waiting

MOST_LISTED: Final = 1_000
"""Messages that are offered, those that most have refused first."""

Judgement = Accepted | Rejected | Waiting
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """What tells one message from the others in a log; of garbage that is whose link it came over."""

    kind: str
    height: int | None
    author: str | None
    header: str | None
    block: str | None
    by_peer: str = ""

    def __str__(self) -> str:
        """Return it in words."""
        whose = f"of {self.author}" if self.author else f"over the link of {self.by_peer}" if self.by_peer else ""
        where = f"height {self.height}" if self.height is not None else ""
        about = f"block {self.block}" if self.block else f"header {self.header}" if self.header else ""
        return ", ".join(part for part in (f"{self.kind} {whose}".strip(), where, about) if part)


def list_refused(records: list[Record]) -> dict[Message, Counter[str]]:
    """Return the messages that somebody has refused, with how often for which reason, the most refused first."""
    found: dict[Message, Counter[str]] = {}
    for record in records:
        if isinstance(record.fact, Rejected):
            found.setdefault(_identify(record.fact), Counter())[record.fact.reason] += 1
    ordered = sorted(found.items(), key=lambda item: (-item[1].total(), str(item[0])))
    return dict(ordered[:MOST_LISTED])


def list_seen(records: list[Record], tally: Tally, message: Message) -> list[Row]:
    """Return what each node made of a message: every judgement of it, and a line for who has none on record."""
    rows: list[Row] = []
    for record in records:
        fact = record.fact
        if not isinstance(fact, Accepted | Rejected | Waiting) or _identify(fact) != message:
            continue
        rows.append(
            {
                "node": record.who,
                "role": tally.nodes[record.who].role if record.who in tally.nodes else "",
                "seconds": round(record.time, 3),
                "verdict": record.event,
                "why": _explain(fact),
                "from": fact.peer or "itself",
            }
        )
    judged = {row["node"] for row in rows}
    for label in [*tally.nodes, "employer"]:
        if label not in judged:
            role = tally.nodes[label].role if label in tally.nodes else ""
            unseen = {"seconds": None, "verdict": "nothing", "why": "it never came, or was ignored", "from": ""}
            rows.append({"node": label, "role": role, **unseen})
    return rows


def _identify(fact: Judgement) -> Message:
    by_peer = "" if fact.author else fact.peer
    return Message(fact.kind, fact.height, fact.author, fact.header, fact.block, by_peer)


def _explain(fact: Judgement) -> str:
    match fact:
        case Rejected(reason=reason):
            return reason
        case Waiting(missing=missing):
            return f"lacks {missing}"
    return ""
