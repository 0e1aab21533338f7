"""The key `mechanism` of a scenario: how blocks are agreed on, and the keys that a mechanism has of its own."""

import difflib
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, SerializeAsAny

from protocol.mechanisms import list_mechanisms
from simulation.foundation import find_part
from simulation.scenario.defaults import from_constant, read_constant
from simulation.scenario.error_messages import show
from simulation.scenario.errors import Inconsistency
from simulation.scenario.fields import Name, Section

if TYPE_CHECKING:
    from simulation.scenario.keys import ScenarioKeys

TRAINING = "proof_of_training"
"""The mechanism whose keys are the sections `job`, `dataset` and most of `protocol`."""


class MechanismKeys(Section):
    """The name of a mechanism; one with keys of its own has a subclass, as its part `keys`."""

    name: Name = from_constant("MECHANISM")

    @staticmethod
    def choose_kind(raw: Any) -> "type[MechanismKeys]":  # noqa: ANN401 - raw YAML
        """Return the keys of the mechanism that a raw section names, which may be a name and nothing else."""
        name = raw.get("name") if isinstance(raw, dict) else raw
        return find_part(name if isinstance(name, str) else read_constant("MECHANISM"), "keys") or MechanismKeys

    def find_inconsistency(self, scenario: "ScenarioKeys") -> Inconsistency | None:
        """Return what does not fit to the rest of a scenario, whose sections are valid one by one; None for nothing."""
        return None

    def list_doubts(self, scenario: "ScenarioKeys") -> list[str]:
        """Return what is allowed and may yet not be meant, a sentence for each, with the key that it is about."""
        return []


class ChainKeys(MechanismKeys):
    """The keys of a mechanism whose chain is not as long as a training job."""

    length: Annotated[int, Field(ge=1, le=100_000)] = from_constant("STAGES")
    """Blocks of the whole chain."""


def _read(raw: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Return the keys of the mechanism that is named."""
    if isinstance(raw, MechanismKeys):
        return raw
    named = {"name": raw} if isinstance(raw, str) else raw
    if not isinstance(named, dict):
        raise ValueError(f"write a mechanism's name, or keys that begin with name, not {show(raw)}")
    name = named.get("name", read_constant("MECHANISM"))
    if isinstance(name, str) and name not in list_mechanisms():
        close = difflib.get_close_matches(name, list_mechanisms(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(list_mechanisms())}"
        problem = f"no mechanism is called {name!r}; {hint}"
        if named is not raw:
            raise ValueError(problem)  # the short form has no key below it to blame
        raise Inconsistency("name", problem).to_error()
    keys: type[MechanismKeys] = find_part(str(name), "keys") or MechanismKeys
    unknown = next((str(key) for key in named if key not in keys.model_fields), None)
    if unknown is not None:
        close = difflib.get_close_matches(unknown, keys.model_fields, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"allowed here: {', '.join(keys.model_fields)}"
        raise Inconsistency(unknown, f"unknown key; {hint}").to_error()
    return keys.model_validate(named)


AnyMechanismKeys = Annotated[SerializeAsAny[MechanismKeys], BeforeValidator(_read)]
