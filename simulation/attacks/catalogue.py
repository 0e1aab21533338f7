"""All behaviours by the name that a scenario gives them."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final

from protocol.mechanisms import list_mechanisms
from simulation.attacks.censoring import Censor
from simulation.attacks.disruption import Flooder, Forger, Garbage, Partitioner, Replayer, Silent
from simulation.attacks.exhaustion import PoolFiller, RequestFlooder
from simulation.attacks.fragments import HalfFramer
from simulation.attacks.layers import Adversary
from simulation.attacks.rewriting import DoubleSpender, PrivateChain
from simulation.foundation import find_part

NEUTRAL: Final = (
    Silent,
    Garbage,
    Forger,
    Replayer,
    Flooder,
    RequestFlooder,
    PoolFiller,
    HalfFramer,
    Censor,
    DoubleSpender,
    Partitioner,
    PrivateChain,
)
"""Behaviours that make sense whatever blocks are earned by."""


class Catalogue(Mapping[str, type[Adversary]]):
    """Behaviours by kind, in the order in which users read of them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._by_kind: dict[str, type[Adversary]] = {}

    def add(self, *behaviours: type[Adversary], before: str | None = None) -> None:
        """Add behaviours, in their order.

        Args:
            behaviours: What to add.
            before: Kind of the behaviour that they are listed before; None to list them last.

        Raises:
            ValueError: There is one of the same kind already, or none of the kind that they should stand before.
        """
        added = {behaviour.kind: behaviour for behaviour in behaviours}
        doubled = self._by_kind.keys() & added.keys()
        if doubled or len(added) < len(behaviours):
            raise ValueError(f"two behaviours are called {', '.join(sorted(doubled or added))}; give each its own kind")
        if before is not None and before not in self._by_kind:
            raise ValueError(f"no behaviour is called {before!r}, so none can be listed before it")
        kinds = list(self._by_kind)
        place = kinds.index(before) if before is not None else len(kinds)
        known = self._by_kind | added
        self._by_kind = {kind: known[kind] for kind in (*kinds[:place], *added, *kinds[place:])}

    def __getitem__(self, kind: str) -> type[Adversary]:
        """Return the behaviour of a kind."""
        return self._by_kind[kind]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the kinds."""
        return iter(self._by_kind)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._by_kind)


@cache
def load_catalogue() -> Catalogue:
    """Return all behaviours: the neutral ones and those of every mechanism."""
    catalogue = Catalogue()
    catalogue.add(*NEUTRAL)
    for name in list_mechanisms():
        add: Callable[[Catalogue], None] | None = find_part(name, "behaviours")
        if add is not None:
            add(catalogue)
    return catalogue
