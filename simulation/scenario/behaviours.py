"""What a scenario may say of a behaviour: the kinds there are and the keys that they take, as their classes declare."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from msgspec import NODEFAULT
from pydantic import Field, create_model, model_validator

from simulation.attacks import Adversary, Parameter, Parameters, list_parameters, load_catalogue
from simulation.scenario.error_messages import show
from simulation.scenario.errors import Inconsistency
from simulation.scenario.fields import Section

ROLES: Final[tuple[str, ...]] = tuple(kind for kind, behaviour in load_catalogue().items() if behaviour.traits.is_role)
"""Kinds that a population's role may be, short for an adversary with this one behaviour."""

if TYPE_CHECKING:
    Kind = str
else:
    Kind = Literal[tuple(load_catalogue())]


class _BehaviourSection(Section):
    """One way in which an adversary's nodes differ from honest ones; see `simulation.attacks`."""

    kind: Kind

    @property
    def behaviour(self) -> type[Adversary]:
        """The behaviour that is meant."""
        return load_catalogue()[self.kind]

    @property
    def parameters(self) -> Parameters:
        """What it is told."""
        taken = self.behaviour.parameters
        return taken(**{item.name: getattr(self, item.name) for item in list_parameters(taken)})

    @property
    def identity(self) -> tuple[str, object]:
        """What two behaviours of one node may not have in common: the kind, and what such behaviours differ by.

        All that choose which blocks are kept back have one thing in common.
        """
        if self.behaviour.traits.keeps_back:
            return "keeps_back", None
        key = self.behaviour.traits.differs_by
        return self.kind, getattr(self, key) if key is not None else None

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, raw: Any) -> Any:  # noqa: ANN401 - raw YAML
        """Take a mere name, and write out what has a default."""
        named = {"kind": raw} if isinstance(raw, str) else raw
        if not isinstance(named, dict):
            raise ValueError(f"write a behaviour's name, such as silent, or keys that begin with kind, not {show(raw)}")
        return {**_find_defaults(str(named.get("kind"))), **named}

    @model_validator(mode="after")
    def _has_its_parameters(self) -> Self:
        taken = list_parameters(self.behaviour.parameters)
        needs = {item.name for item in taken if item.default is not None}
        given = {name for name in type(self).model_fields if name != "kind" and getattr(self, name) is not None}
        if not needs <= given <= {item.name for item in taken}:
            raise Inconsistency("kind", f"{self.kind} takes {' and '.join(sorted(needs)) or 'no other key'}").to_error()
        return self


def _find_defaults(kind: str) -> dict[str, Any]:
    """Return what keys of a kind are where they are left out."""
    behaviour = load_catalogue().get(kind)
    taken = list_parameters(behaviour.parameters) if behaviour is not None else ()
    return {item.name: item.default for item in taken if item.default is not NODEFAULT}


def collect_keys(behaviours: Iterable[type[Adversary]]) -> dict[str, Parameter]:
    """Return the keys that some behaviour takes: those first in which two of a kind differ.

    Raises:
        ValueError: Two behaviours mean something else by one key.
    """
    found: dict[str, Parameter] = {}
    distinguishing: list[str] = []
    for behaviour in behaviours:
        for item in list_parameters(behaviour.parameters):
            known = found.setdefault(item.name, item)
            if (known.type, known.bounds) != (item.type, item.bounds):
                raise ValueError(f"{behaviour.kind} takes another {item.name} than a behaviour before it; rename it")
            if item.name == behaviour.traits.differs_by:
                distinguishing.append(item.name)
    return {name: found[name] for name in dict.fromkeys((*distinguishing, *found))}


def _build_section() -> type[_BehaviourSection]:
    fields: dict[str, Any] = {
        name: (Annotated[item.type, Field(**item.bounds)] | None, None)
        for name, item in collect_keys(load_catalogue().values()).items()
    }
    return create_model("BehaviourSection", __base__=_BehaviourSection, __module__=__name__, **fields)


if TYPE_CHECKING:
    BehaviourSection = _BehaviourSection
else:
    BehaviourSection = _build_section()
