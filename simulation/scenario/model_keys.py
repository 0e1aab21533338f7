"""The key `model` of a job: its kind, and the keys that a kind has of its own."""

import difflib
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny

from simulation.scenario.error_messages import show
from simulation.scenario.errors import Inconsistency
from simulation.scenario.own_keys import refuse_what_none_can_agree_on
from simulation.training import DENSE_NAME, ModelKeys, find_model, list_models


def _read(raw: Any) -> Any:  # noqa: ANN401 - raw YAML
    """Return the keys of the kind that is named; a dense network has its own in `job`."""
    if isinstance(raw, ModelKeys):
        return raw
    named = {"name": raw} if isinstance(raw, str) else raw
    if not isinstance(named, dict):
        raise ValueError(f"write the name of a model, or keys that begin with name, not {show(raw)}")
    name = named.get("name", DENSE_NAME)
    if not isinstance(name, str) or name not in list_models():
        close = difflib.get_close_matches(str(name), list_models(), n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(list_models())}"
        problem = f"no model is called {show(name)}; {hint}"
        if named is not raw:
            raise ValueError(problem)  # the short form has no key below it to blame
        raise Inconsistency("name", problem).to_error()
    keys = ModelKeys if name == DENSE_NAME else find_model(name).keys
    unknown = next((str(key) for key in named if key not in keys.model_fields), None)
    if unknown is not None:
        close = difflib.get_close_matches(unknown, keys.model_fields, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"allowed here: {', '.join(keys.model_fields)}"
        if name == DENSE_NAME:
            hint += "; dense has its own, layers and activation, in job itself"
        raise Inconsistency(unknown, f"unknown key; {hint}").to_error()
    read = keys.model_validate({**named, "name": name})
    refuse_what_none_can_agree_on(read.model_dump(mode="json"))
    return read


AnyModelKeys = Annotated[SerializeAsAny[ModelKeys], BeforeValidator(_read)]
