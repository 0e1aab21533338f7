"""What a scenario may say of a behaviour: the kinds there are and the keys that they take, as their classes declare."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from msgspec import NODEFAULT
from pydantic import BeforeValidator, Field, SerializeAsAny, create_model, model_validator

from simulation.attacks import Adversary, Parameter, Parameters, list_parameters, load_catalogue
from simulation.foundation import PluginTable
from simulation.scenario.error_messages import show
from simulation.scenario.errors import Inconsistency
from simulation.scenario.fields import Section
from simulation.scenario.own_keys import refuse_unknown, suggest

ROLES: Final[tuple[str, ...]] = tuple(kind for kind, behaviour in load_catalogue().items() if behaviour.traits.is_role)
"""Kinds that a population's role may be, short for an adversary with this one behaviour."""

PLUGIN_BEHAVIOURS: Final[PluginTable[type[Adversary]]] = PluginTable("behaviour", load_catalogue().__contains__)
"""Behaviours of plug-ins."""

if TYPE_CHECKING:
    Kind = str
else:
    Kind = Literal[tuple(load_catalogue())]


def find_behaviour(kind: str) -> type[Adversary]:
    """Return a behaviour of the package, or of a plug-in in force.

    Raises:
        KeyError: There is none of that kind.
    """
    return PLUGIN_BEHAVIOURS.find(kind) or load_catalogue()[kind]


class _BehaviourSection(Section):
    """One way in which an adversary's nodes differ from honest ones; see `simulation.attacks`."""

    kind: Kind

    @property
    def behaviour(self) -> type[Adversary]:
        """The behaviour that is meant."""
        return find_behaviour(self.kind)

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
    behaviour = load_catalogue().get(kind) or PLUGIN_BEHAVIOURS.find(kind)
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
    fields = _build_fields(collect_keys(load_catalogue().values()).values())
    return create_model("BehaviourSection", __base__=_BehaviourSection, __module__=__name__, **fields)


def _build_fields(keys: Iterable[Parameter]) -> dict[str, Any]:
    return {item.name: (Annotated[item.type, Field(**item.bounds)] | None, None) for item in keys}


if TYPE_CHECKING:
    BehaviourSection = _BehaviourSection
else:
    BehaviourSection = _build_section()


class _PluginBehaviourSection(BehaviourSection):
    """A behaviour of a plug-in; a subclass for each kind adds the keys of that kind, and may have no others set."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Let another process, with the same plug-ins in force, make it again."""
        return _make_section, (self.model_dump(mode="json"),)


def _make_section(raw: dict[str, Any]) -> BehaviourSection:
    return build_plugin_section(find_behaviour(raw["kind"])).model_validate(raw)


_sections: Final[dict[type[Adversary], type[BehaviourSection]]] = {}


def build_plugin_section(behaviour: type[Adversary]) -> type[BehaviourSection]:
    """Return how a scenario is read that names a behaviour of a plug-in."""
    if behaviour not in _sections:
        fields: dict[str, Any] = {"kind": (Literal[behaviour.kind], ...)}
        fields |= _build_fields(list_parameters(behaviour.parameters))
        _sections[behaviour] = create_model("PluginBehaviour", __base__=_PluginBehaviourSection, **fields)
    return _sections[behaviour]


def _read_behaviour(raw: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Return a behaviour of a plug-in; what is none is left for others to judge."""
    named = {"kind": raw} if isinstance(raw, str) else raw
    kind = named.get("kind") if isinstance(named, dict) else None
    behaviour = PLUGIN_BEHAVIOURS.find(kind)
    if behaviour is None:
        names = PLUGIN_BEHAVIOURS.list_names()
        if names and isinstance(kind, str) and kind not in load_catalogue():
            what = f"no behaviour is called {show(kind)}; {suggest(kind, (*load_catalogue(), *names))}"
            raise Inconsistency("kind", what).to_error()
        return raw
    written = {
        key: value for key, value in named.items() if value is not None or key not in BehaviourSection.model_fields
    }
    refuse_unknown(written, ("kind", *(item.name for item in list_parameters(behaviour.parameters))))
    return build_plugin_section(behaviour).model_validate(written)


AnyBehaviourSection = Annotated[SerializeAsAny[BehaviourSection], BeforeValidator(_read_behaviour)]
