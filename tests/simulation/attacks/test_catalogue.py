"""The catalogue of behaviours: whatever one lacks is named, and mechanisms add theirs to it."""

import ast
from functools import cache
from pathlib import Path
from typing import Annotated, ClassVar

import msgspec
import pytest

from simulation.attacks.catalogue import NEUTRAL, Catalogue, load_catalogue
from simulation.attacks.disruption import Flooder, Forger, Silent
from simulation.attacks.layers import Adversary
from simulation.attacks.traits import HONEST, Parameters, list_parameters
from simulation.mechanisms.proof_of_training.behaviours.free_riding import FreeRider, LazyVerifier
from simulation.scenario.behaviours import ROLES, BehaviourSection, collect_keys
from simulation.scenario.loading import CONFIGS, load_scenario

TESTS = Path(__file__).resolve().parent.parent
GENERAL = {"test_catalogue.py", "test_composition.py", "test_promises.py", "test_scenarios.py"}
"""Tests of what all behaviours have in common."""

PARTS = ("Goal: ", "It knows ", "Expected: ")


@cache
def list_shown() -> frozenset[str]:
    """Return the behaviours that a shipped attack shows."""
    scenarios = [load_scenario(file) for file in sorted((CONFIGS / "attacks").glob("*.yaml"))]
    return frozenset(act.kind for scenario in scenarios for item in scenario.populations for act in item.behaviours)


@cache
def list_tested() -> frozenset[str]:
    """Return every word that a test of single attacks has between quotes."""
    files = [file for name in ("attacks", "mechanisms") for file in (TESTS / name).rglob("test_*.py")]
    trees = [ast.parse(file.read_text("utf-8")) for file in files if file.name not in GENERAL]
    constants = [node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return frozenset(value for value in constants if isinstance(value, str))


def find_gaps(behaviour: type[Adversary]) -> list[str]:
    """Return what a behaviour lacks; what it inherits from another one it does not have."""
    own = vars(behaviour)
    gaps = [f"{behaviour.__name__}.{name}" for name in ("kind", "does", "expected", "traits") if name not in own]
    text = " ".join((behaviour.__doc__ or "").split())
    gaps += [f"{part.strip()!r} in its docstring" for part in PARTS if part not in text]
    taken = list_parameters(behaviour.parameters)
    gaps += [f"a description of {item.name}" for item in taken if not item.meta.description]
    if not behaviour.drawn or any(type(item) is not behaviour.parameters for item in behaviour.drawn):
        gaps.append("drawn with its own parameters")
    kind = own.get("kind")
    if kind not in list_shown():
        gaps.append("a scenario in configs/attacks")
    if kind not in list_tested():
        gaps.append("a test")
    return gaps


@pytest.mark.parametrize("behaviour", load_catalogue().values(), ids=load_catalogue())
def test_a_behaviour_lacks_nothing(behaviour: type[Adversary]) -> None:
    assert find_gaps(behaviour) == []


class Sulker(LazyVerifier):
    """Goal: none."""


class Parrot(Adversary):
    """Goal: be heard. It knows what any node knows. Expected: nothing."""

    class Told(Parameters, frozen=True, kw_only=True):
        """What a parrot is told."""

        word: str

    kind = "parrot"
    does = "says a word"
    expected = "nothing"
    traits = HONEST
    parameters: ClassVar[type[Parameters]] = Told


def test_what_a_behaviour_lacks_is_named_even_if_it_inherits_it() -> None:
    assert find_gaps(Sulker) == [
        *(f"Sulker.{name}" for name in ("kind", "does", "expected", "traits")),
        "'It knows' in its docstring",
        "'Expected:' in its docstring",
        "a scenario in configs/attacks",
        "a test",
    ]
    assert find_gaps(Parrot) == [
        "a description of word",
        "drawn with its own parameters",
        "a scenario in configs/attacks",
        "a test",
    ]


def test_every_behaviour_of_the_package_is_listed() -> None:
    def list_subclasses(cls: type[Adversary]) -> set[type[Adversary]]:
        return {cls}.union(*(list_subclasses(item) for item in cls.__subclasses__()))

    defined = {item for item in list_subclasses(Adversary) if item.__module__.startswith("simulation.")}
    assert defined - {Adversary} == set(load_catalogue().values())


# ---- the catalogue ----


def test_a_mechanism_lists_its_behaviours_beside_neutral_ones() -> None:
    catalogue = Catalogue()
    catalogue.add(*NEUTRAL)
    catalogue.add(Parrot, FreeRider, before=Forger.kind)
    catalogue.add(LazyVerifier)
    names = [item.kind for item in NEUTRAL]
    place = names.index(Forger.kind)
    assert list(catalogue) == [*names[:place], "parrot", "free_rider", *names[place:], "lazy_verifier"]
    assert catalogue["parrot"] is Parrot
    assert len(catalogue) == len(NEUTRAL) + 3


def test_two_behaviours_of_one_kind_are_refused_and_so_is_an_unknown_place() -> None:
    catalogue = Catalogue()
    catalogue.add(Silent)
    for doubled in ((Silent,), (Forger, Forger)):
        with pytest.raises(ValueError, match=doubled[0].kind):
            catalogue.add(*doubled)
    with pytest.raises(ValueError, match="nobody"):
        catalogue.add(Forger, before="nobody")
    assert list(catalogue) == ["silent"]


# ---- what a scenario makes of them ----


def test_every_way_in_which_a_behaviour_is_drawn_is_valid_and_comes_back() -> None:
    for kind, behaviour in load_catalogue().items():
        for drawn in behaviour.drawn:
            section = BehaviourSection.model_validate({"kind": kind, **msgspec.structs.asdict(drawn)})
            assert (section.behaviour, section.parameters) == (behaviour, drawn)


def test_keys_in_which_two_of_a_kind_differ_stand_next_to_the_kind() -> None:
    keys = list(BehaviourSection.model_fields)
    differing = {item.traits.differs_by for item in load_catalogue().values()} - {None}
    assert keys[0] == "kind"
    assert set(keys[1 : 1 + len(differing)]) == differing
    assert set(keys[1:]) == {key.name for item in load_catalogue().values() for key in list_parameters(item.parameters)}


def test_one_key_means_one_thing() -> None:
    class Faster(Adversary):
        class Told(Parameters, frozen=True, kw_only=True):
            rate: Annotated[int, msgspec.Meta(ge=1, le=11)]

        kind = "faster"
        traits = HONEST
        parameters: ClassVar[type[Parameters]] = Told

    assert list(collect_keys([Flooder, Flooder])) == ["rate"]
    with pytest.raises(ValueError, match="faster takes another rate"):
        collect_keys([Flooder, Faster])


def test_a_role_is_a_behaviour_that_takes_no_key() -> None:
    assert ROLES
    assert all(not list_parameters(load_catalogue()[role].parameters) for role in ROLES)
