"""Populations of a scenario: who takes part, how they behave, and which nodes of others they have turned."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, SerializeAsAny, model_validator

from protocol.types import MICRO_COINS_PER_COIN
from simulation.attacks import HONEST, Traits
from simulation.scenario.behaviours import ROLES, AnyBehaviourSection, BehaviourSection
from simulation.scenario.defaults import from_constant
from simulation.scenario.error_messages import show
from simulation.scenario.errors import Inconsistency
from simulation.scenario.fields import Coins, Label, Name, PositiveFloat, PositiveInt, Section, Share
from simulation.scenario.own_keys import build_own_section, refuse_unknown, suggest
from simulation.training import PLUGIN_POISONS, POISONS, PoisonKind, find_poison

_POISONED: Final = Traits(passes_on=False, does_its_part=False)
"""What is expected of a node that has poisoned its data: it refuses what honest nodes say."""

if TYPE_CHECKING:
    PoisonName = str
    Role = str
else:
    PoisonName = Literal[tuple(POISONS)]
    Role = Literal["honest", "data_injection", *ROLES, "adversary"]


class Poison(Section):
    """What attackers train on in place of the agreed data, or in place of the whole work."""

    kind: PoisonName = from_constant("POISON_KIND")
    share: Share = from_constant("POISON_SHARE")
    """Samples altered (or appended), as a share of the training set; of the source class in `targeted_flip`, of the
    target class in `clean_label`; of the steps, those left out, in `truncated`."""
    source: Label | None = None
    """Class relabelled by `targeted_flip`."""
    target: Label | None = None
    """Class that `targeted_flip`, `backdoor` and `clean_label` aim at."""

    @model_validator(mode="after")
    def _has_its_classes(self) -> Self:
        needs = set(find_poison(self.kind).classes)
        given = {name for name in ("source", "target") if getattr(self, name) is not None}
        if needs != given:
            wanted = " and ".join(sorted(needs)) or "neither source nor target"
            extra = " and ".join(sorted(given - needs))
            raise Inconsistency(
                "kind", f"{self.kind} takes {wanted}" + (f"; leave {extra} out" if extra else "")
            ).to_error()
        if len(needs) > 1 and self.source == self.target:
            raise ValueError("source and target must differ; write two classes")
        if self.share == 0:
            raise Inconsistency("share", "0 alters nothing; write a larger share, or role: honest").to_error()
        return self

    @property
    def own(self) -> Mapping[str, Any]:
        """Keys that its kind alone has."""
        return {}


class _PluginPoison(Poison):
    """A poison of a plug-in; a subclass for each kind has the keys of that kind."""

    @property
    def own(self) -> Mapping[str, Any]:
        """Keys that its kind alone has."""
        return {name: getattr(self, name) for name in find_poison(self.kind).keys}

    def __reduce__(self) -> tuple[Any, ...]:
        """Let another process, with the same plug-ins in force, make it again."""
        return _make_poison, (self.model_dump(mode="json"),)


def _make_poison(raw: dict[str, Any]) -> Poison:
    kind = find_poison(raw["kind"])
    return _find_section(raw["kind"], kind).model_validate(raw)


def _find_section(name: str, kind: PoisonKind) -> type[_PluginPoison]:
    return build_own_section(_PluginPoison, "kind", name, kind.keys)


def _read_poison(raw: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Return a poison of a plug-in; what is none is left for others to judge."""
    name = raw.get("kind") if isinstance(raw, dict) else None
    kind = PLUGIN_POISONS.find(name)
    if kind is None:
        names = PLUGIN_POISONS.list_names()
        if names and isinstance(name, str) and name not in POISONS:
            what = f"no poison is called {show(name)}; {suggest(name, (*POISONS, *names))}"
            raise Inconsistency("kind", what).to_error()
        return raw
    section = _find_section(str(name), kind)
    written = {key: value for key, value in raw.items() if key not in ("source", "target") or value is not None}
    refuse_unknown(written, ("kind", "share", *kind.classes, *kind.keys))
    return section.model_validate(written)


AnyPoison = Annotated[SerializeAsAny[Poison], BeforeValidator(_read_poison)]


def _name_the_poison(raw: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Write the default poison out, so that a resolved scenario does not change with the constants."""
    if isinstance(raw, dict) and raw.get("role") == "data_injection" and raw.get("poison") is None:
        return {**raw, "poison": {}}
    return raw


class Conduct(Section):
    """What nodes do."""

    name: Name
    role: Role
    colluding: bool = True
    """Whether attackers share one poisoned data set; alone, each poisons its own way."""
    poison: AnyPoison | None = None
    """What attackers do to their data or work."""
    behaviours: list[AnyBehaviourSection] = Field(default_factory=list)
    """In which ways an adversary's nodes differ from honest ones, the innermost first."""
    coalition: Name | None = None
    """Adversaries of one coalition know each other; by default each population is one of its own."""

    @model_validator(mode="after")
    def _fits_its_role(self) -> Self:
        takes_poison = self.role in ("data_injection", "adversary")
        is_set = self.poison is not None or not self.colluding
        if is_set and not takes_poison:
            raise ValueError(f"poison and colluding belong to role data_injection or adversary, not to {self.role}")
        if (self.behaviours or self.coalition) and not takes_poison:
            raise Inconsistency(
                "behaviours", f"belong to role adversary or data_injection, not to {self.role}"
            ).to_error()
        if self.role == "adversary" and not self.behaviours and self.poison is None:
            raise Inconsistency("behaviours", "write at least one for role adversary, or a poison").to_error()
        self._check_behaviours()
        return self

    def _check_behaviours(self) -> None:
        """Refuse one that stands twice: a node can be so once."""
        first_seen: dict[tuple[str, object], int] = {}
        for index, behaviour in enumerate(self.behaviours):
            earlier = first_seen.setdefault(behaviour.identity, index)
            if earlier != index:
                first = self.behaviours[earlier].kind
                what = f"{first} and {behaviour.kind} both choose which blocks are kept back; leave one of them out"
                if first == behaviour.kind:
                    what = f"{behaviour.kind} is behaviours.{earlier} already; leave one of them out"
                raise Inconsistency(f"behaviours.{index}", what).to_error()


class Population(Conduct):
    """Nodes that behave alike."""

    count: Annotated[int, Field(ge=0, le=100_000)]
    """Owners; each is one node, but for `identities`. None at all is the end of many a sweep."""
    stake: Coins = from_constant("STAKE_COINS")
    """Bonded coins of each owner."""
    identities: Annotated[int, Field(ge=1, le=1_000)] = 1
    """Nodes that each owner's stake is split over: a Sybil attack where it is more than one."""
    speed: PositiveFloat = from_constant("SPEED")
    """Training speed in the virtual engine, as a multiple of `virtual.step_us`; what a mechanism takes for power."""
    arithmetic: Literal["native", "no_onednn", "sse4", "avx2", "canonical"] | None = None
    """Arithmetic its nodes really train in, whatever the job wants; null for the job's own."""

    _poisoned = model_validator(mode="before")(_name_the_poison)

    @model_validator(mode="after")
    def _has_stake_for_each_identity(self) -> Self:
        if self.stake and self.node_stake * MICRO_COINS_PER_COIN < 1:
            what = f"{self.stake:g} coins cannot be split over {self.identities:,} nodes, a millionth at least for each"
            raise Inconsistency("identities", f"{what}; write fewer, or more stake").to_error()
        return self

    @property
    def node_count(self) -> int:
        """Number of its nodes."""
        return self.count * self.identities

    @property
    def node_stake(self) -> float:
        """Bonded coins of each node."""
        return self.stake / self.identities

    def list_behaviours(self) -> tuple[BehaviourSection, ...]:
        """Return in which ways its nodes differ from honest ones, whether its role says so or a list."""
        if self.role in ROLES:
            return (BehaviourSection.model_validate(self.role),)
        return tuple(self.behaviours)

    def list_traits(self) -> tuple[Traits, ...]:
        """Return what is expected of its nodes, for each way in which they act."""
        found = [item.behaviour.traits for item in self.list_behaviours()]
        if self.poison is not None:
            found.append(_POISONED)
        return tuple(found) or (HONEST,)

    def list_labels(self) -> tuple[str, ...]:
        """Return the labels of its nodes: name and number."""
        return tuple(f"{self.name}-{index}" for index in range(self.node_count))


class Corruption(Conduct):
    """Nodes of other populations that have turned; chosen by number or by stake."""

    of: Annotated[list[Name], Field(min_length=1)]
    """Populations they are taken from."""
    count: PositiveInt | None = None
    """How many turn."""
    stake_share: Annotated[float, Field(gt=0, le=1)] | None = None
    """So many turn that they hold at least this share of all stake."""
    order: Literal["first", "random", "richest", "poorest"] = "random"
    """Who turns first."""

    _poisoned = model_validator(mode="before")(_name_the_poison)

    @model_validator(mode="after")
    def _has_one_measure(self) -> Self:
        if (self.count is None) == (self.stake_share is None):
            raise Inconsistency("count", "write one, count or stake_share").to_error()
        if self.role == "honest":
            raise Inconsistency("role", "nodes do not turn honest; write data_injection or adversary").to_error()
        return self
