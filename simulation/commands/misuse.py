"""What is wrong with a command line, in one sentence as all others, whichever option or command it is about."""

import difflib
from collections.abc import Sequence
from typing import Any, Protocol

from pydantic import ValidationError

from simulation.scenario import describe_bound, shorten


class Misuse(Protocol):
    """What the library for commands raises about a command line; its types have no names of their own for others."""

    ctx: Any
    message: str


def explain_misuse(error: Misuse) -> str | None:
    """Return what is wrong, where, and what to write instead; None where the library has shown its help already."""
    command = _name_command(error)
    param, possible = getattr(error, "param", None), getattr(error, "possibilities", None)
    cause = getattr(error, "__cause__", None)
    if param is not None and isinstance(cause, ValidationError):
        (detail,) = cause.errors(include_url=False)[:1]
        told = describe_bound(detail, shorten(str(detail["input"])))
        if told is not None:
            return f"{_name_param(param)}: {told}"
    if not error.message and param is not None:
        return f"{command}: {_name_param(param)} is missing; {_advise(command)}"
    if not error.message:
        return None
    if error.message.startswith("No such command"):
        return _explain_command(error.message, error.ctx)
    what = error.message[0].lower() + error.message[1:].rstrip(".")
    close = f"did you mean {', '.join(possible)}?" if possible else _advise(command)
    where = f"{_name_param(param)}: " if param is not None else f"{command}: " if command else ""
    return f"{where}{what}; {close}"


def _explain_command(message: str, context: Any) -> str:  # noqa: ANN401 - the library's
    """Return that there is no such command, and which there are."""
    given = message.removeprefix("No such command").split("'")[1] if "'" in message else ""
    known: Sequence[str] = context.command.list_commands(context)
    close = difflib.get_close_matches(given, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(known)}"
    return f"{shorten(given)}: no such command; {hint}"


def _name_command(error: Misuse) -> str:
    """Return the command as it is written behind `main.py`."""
    path = error.ctx.command_path if error.ctx is not None else ""
    return str(path).partition(" ")[2]


def _name_param(param: Any) -> str:  # noqa: ANN401 - the library's
    """Return an option as it is written, or what stands for an argument."""
    if param.param_type_name == "option":
        return str(max(param.opts, key=len))
    return str(param.metavar or param.name).upper().removesuffix("...")


def _advise(command: str) -> str:
    return f"`python main.py {f'{command} ' if command else ''}--help` says what to write"
