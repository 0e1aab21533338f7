"""Reads `simulation.constants` for the defaults of a scenario.

Constants are read when a scenario is, not when the program starts, so that a slip in that file is answered with a
sentence that names it.
"""

import importlib
import traceback
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any, Final

from pydantic import Field
from pydantic.fields import FieldInfo

from simulation.scenario.errors import ScenarioError

CONSTANTS_FILE: Final = "simulation/constants.py"
_MARK: Final = "constant"


def load_constants() -> ModuleType:
    """Return the module of constants.

    Raises:
        ScenarioError: It is no valid Python any more.
    """
    try:
        return importlib.import_module("simulation.constants")
    except SyntaxError as error:
        raise ScenarioError(f"{CONSTANTS_FILE}:{error.lineno}: not valid Python: {error.msg}") from None
    except Exception as error:  # noqa: BLE001 - a line that a user has edited may raise anything
        line = traceback.extract_tb(error.__traceback__)[-1].lineno
        raise ScenarioError(f"{CONSTANTS_FILE}:{line}: {error}; text needs quotes, numbers none") from None


def read_constant(name: str) -> Any:  # noqa: ANN401 - whatever the user has written there
    """Return a constant, a tuple as a list; None, which no key with a constant takes, where it has been deleted."""
    value = getattr(load_constants(), name, None)
    return list(value) if isinstance(value, tuple) else value


def from_constant(name: str) -> Any:  # noqa: ANN401 - stands where a field's default does
    """Take a field's default from the constant of that name."""
    return Field(default_factory=partial(read_constant, name), json_schema_extra={_MARK: name})


def chosen_by_constant(name: str | Callable[[dict[str, Any]], str], **settings: Any) -> Any:  # noqa: ANN401 - as in pydantic's Field
    """Give a field whose default depends on a constant the name to blame.

    Args:
        name: The constant, or a function that finds it in a raw scenario.
        settings: What `Field` takes.
    """
    return Field(**settings, json_schema_extra={_MARK: name})  # type: ignore[dict-item]


def left_out() -> Any:  # noqa: ANN401 - stands where a field's default does
    """Let a section that a file leaves out be validated like an empty one, so that its faults have their path."""
    return Field(default_factory=dict)


def get_constant(field: FieldInfo, raw: dict[str, Any]) -> str | None:
    """Return the name of the constant that a field's default comes from in a raw scenario."""
    extra = field.json_schema_extra
    mark: Any = extra.get(_MARK) if isinstance(extra, dict) else None
    name: str | None = mark(raw) if callable(mark) else mark
    return name


def describe_constant(name: str) -> str:
    """Return a constant as it stands in its file."""
    constants = load_constants()
    return f"{name} = {getattr(constants, name)!r}" if hasattr(constants, name) else f"{name} is missing"
