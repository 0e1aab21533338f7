"""The figures of a run, typed: what `summary.json` says, with the sections that every run has as attributes."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from simulation.foundation import suggest


class Section(msgspec.Struct, frozen=True):
    """Figures that belong together."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - there is none
        """Say what was perhaps meant by a name that no figure has.

        Raises:
            AttributeError: Always.
        """
        raise AttributeError(f"{type(self).__name__}: no figure {name!r}; {suggest(name, self.__struct_fields__)}")


class ChainFigures(Section, frozen=True):
    """What most honest nodes have agreed on."""

    height: int
    head: str
    """Short hash of the last block."""
    honest_agreement: float
    """Share of living honest nodes that have this head."""
    forks: int
    reorg_depth_max: int
    """Most blocks that an honest node gave up at once."""


class EmployerFigures(Section, frozen=True):
    """What whoever ordered the chain has of it."""

    height: int
    head: str
    outcome: str | None


class MessageFigures(Section, frozen=True):
    """How many messages there were, by kind or by reason."""

    sent: dict[str, int]
    accepted: dict[str, int]
    ignored: dict[str, int]
    rejected: dict[str, int]
    bytes: int


class AttackFigures(Section, frozen=True):
    """What attackers have come to."""

    poisoned_stages_honest: int
    poisoned_stages_employer: int
    employer_deceived: bool
    trigger_success: float | None
    refused_by_population: dict[str, dict[str, int]]


class DatasetFigures(Section, frozen=True):
    """What was trained on."""

    name: str
    source: str
    digest: str


class NodeFigures(Section, frozen=True):
    """Where a node stood at the end."""

    label: str
    population: str
    pid: int | None
    height: int
    head: str
    balance: float | None
    """Coins."""
    outcome: str | None


class Figures(Section, frozen=True):
    """All figures of a run. Sections that differ between mechanisms are mappings."""

    scenario: str
    fingerprint: str
    engine: str
    seed: int
    code_version: str
    ended: str
    dataset: DatasetFigures
    chain: ChainFigures
    employer: EmployerFigures
    attack: AttackFigures
    messages: MessageFigures
    nodes: tuple[NodeFigures, ...]
    training: dict[str, Any]
    measures: dict[str, Any]
    ledger: dict[str, Any]
    cost: dict[str, Any]
    broken_invariant: str | None
    events: int
    files: dict[str, str]
    """SHA-256 digests by name."""
    obstacle: str | None = None
    """What kept the chain from growing, in words."""


def read_figures(summary: Mapping[str, Any]) -> Figures:
    """Return the figures that a summary tells.

    Raises:
        msgspec.ValidationError: It is not one of this version.
    """
    return msgspec.convert(summary, Figures)


def flatten(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every single value of a summary by its dotted name; items of lists by their number."""
    for name, value in section.items():
        items = dict(enumerate(value)) if isinstance(value, list) else value
        if isinstance(items, Mapping):
            yield from flatten({str(key): item for key, item in items.items()}, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
