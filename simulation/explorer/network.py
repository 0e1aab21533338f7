"""The network as points on a circle, and its links with what was refused over them."""

from collections.abc import Collection, Iterable, Mapping
from math import cos, pi, sin
from typing import Any, Final

from simulation.records import Accepted, Record, Rejected, Tally, Waiting

MOST_PARTIES: Final = 60
"""With more than these the picture would be a disc of ink."""

Row = dict[str, Any]
Pair = tuple[str, str]


def find_link(record: Record) -> Pair | None:
    """Return over whose link to whom a judged message came; None for other records."""
    fact = record.fact
    return (fact.peer, record.who) if isinstance(fact, Accepted | Rejected | Waiting) and fact.peer else None


def list_links(records: Iterable[Record]) -> set[Pair]:
    """Return the links over which a message came that was judged, from whom to whom."""
    return {link for record in records if (link := find_link(record)) is not None}


def place_parties(roles: Mapping[str, str], links: Collection[Pair]) -> list[Row]:
    """Return a point for each party, in a circle, with its role; empty where there are too many.

    Args:
        roles: Of the nodes, by their labels.
        links: From whom to whom; those of others too, such as the employer.
    """
    labels = list(dict.fromkeys([*roles, *sorted({label for link in links for label in link})]))
    if len(labels) > MOST_PARTIES:
        return []
    rows = []
    for place, label in enumerate(labels):
        angle = 2 * pi * place / len(labels) - pi / 2
        role = roles.get(label, "employer, users")
        rows.append({"party": label, "role": role, "x": round(cos(angle), 6), "y": round(sin(angle), 6)})
    return rows


def list_edges(parties: Iterable[Row], links: Iterable[Pair], refused: Mapping[Pair, int]) -> list[Row]:
    """Return a line for each link of two parties, with what either has refused of what came over it."""
    places = {row["party"]: row for row in parties}
    pairs = {tuple(sorted(link)) for link in [*links, *refused]}
    rows = []
    for one, other in sorted(pairs):
        if one not in places or other not in places:
            continue
        by_one, by_other = refused.get((other, one), 0), refused.get((one, other), 0)
        rows.append(
            {
                "x": places[one]["x"],
                "y": places[one]["y"],
                "x2": places[other]["x"],
                "y2": places[other]["y"],
                "link": f"{one} - {other}",
                "refused": by_one + by_other,
                "who": f"{one} refused {by_one:,}, {other} refused {by_other:,}",
            }
        )
    return sorted(rows, key=lambda row: row["refused"])  # those with most are drawn last, above the others


def get_roles(tally: Tally) -> dict[str, str]:
    """Return the role of each node."""
    return {label: node.role for label, node in tally.nodes.items()}
