"""The commands `audit`, `block` and `transaction`: what a stored chain says, read from its file alone."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from simulation.foundation import EXIT_BAD_INPUT, EXIT_FAILED, Permission, complain
from simulation.runs import make_console

if TYPE_CHECKING:
    from simulation.commands.provenance import OpenedChain

PLAIN_WIDTH: Final = 240
"""Characters of a line where there is no terminal: no column is left out of a file."""

_RULE: Final = "Digits from 0 to 9 alone are a height if the chain has it; with 0x in front they are always a hash's."

Folder = Annotated[Path, typer.Argument(help="Folder of a run.", metavar="RUN_DIR", show_default=False)]
OwnPlugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        help="Your file, or installed package, of a plug-in that the run had; it must be the same.",
        metavar="FILE|NAME",
    ),
]
TrustsPlugins = Annotated[
    bool, typer.Option("--trust-plugins", help="Execute the plug-ins in the run's folder, which may be anybody's code.")
]
Json = Annotated[bool, typer.Option("--json", help="Print a JSON object a line; amounts are micro-coins.")]


def audit(
    run_folder: Folder,
    key: Annotated[
        list[str] | None,
        typer.Option(help="A label such as honest-0, or digits of a public key; all without it.", metavar="K"),
    ] = None,
    *,
    json: Json = False,
    plugin: OwnPlugins = None,
    trust_plugins: TrustsPlugins = False,
) -> None:
    """Print who did what for a chain, when, and for how much; exit 1 if the chain does not hold."""
    from simulation.commands.provenance import show_audit  # noqa: PLC0415 - keeps other commands light

    allowed = Permission(tuple(plugin or ()), trust_plugins)
    _look_up(run_folder, allowed, lambda chain: show_audit(chain, make_console(PLAIN_WIDTH), key or (), is_json=json))


def block(
    run_folder: Folder,
    told: Annotated[str, typer.Argument(help=f"Height, or four or more digits of the hash. {_RULE}", metavar="ID")],
    *,
    json: Json = False,
    plugin: OwnPlugins = None,
    trust_plugins: TrustsPlugins = False,
) -> None:
    """Print one block of a chain; exit 1 if the chain does not hold."""
    from simulation.commands.provenance import show_block  # noqa: PLC0415 - keeps other commands light

    allowed = Permission(tuple(plugin or ()), trust_plugins)
    _look_up(run_folder, allowed, lambda chain: show_block(chain, make_console(PLAIN_WIDTH), told, is_json=json))


def transaction(
    run_folder: Folder,
    told: Annotated[
        str,
        typer.Argument(help=f"Four or more digits of the hash, or the height of its block. {_RULE}", metavar="ID"),
    ],
    *,
    json: Json = False,
    plugin: OwnPlugins = None,
    trust_plugins: TrustsPlugins = False,
) -> None:
    """Print one transaction of a chain; exit 1 if the chain does not hold."""
    from simulation.commands.provenance import show_transaction  # noqa: PLC0415 - keeps other commands light

    allowed = Permission(tuple(plugin or ()), trust_plugins)
    _look_up(run_folder, allowed, lambda chain: show_transaction(chain, make_console(PLAIN_WIDTH), told, is_json=json))


def _look_up(folder: Path, permission: Permission, show: "Callable[[OpenedChain], None]") -> None:
    """Show what holds of a chain, and say where it ceases to hold."""
    from simulation.commands.provenance import ChainFolderError, LookUpError, open_chain  # noqa: PLC0415
    from simulation.runs import ChainFileError  # noqa: PLC0415 - keeps other commands light

    try:
        chain = open_chain(folder, permission)
    except ChainFolderError as error:
        raise typer.Exit(complain(str(error), EXIT_BAD_INPUT)) from None
    except ChainFileError as error:
        raise typer.Exit(complain(f"FAILED: {error}", EXIT_FAILED)) from None
    try:
        show(chain)
    except LookUpError as error:
        code = complain(str(error), EXIT_BAD_INPUT)
        if chain.fault is not None:  # what is looked for may lie behind it
            code = complain(_explain(chain), EXIT_FAILED)
        raise typer.Exit(code) from None
    if chain.fault is not None:
        raise typer.Exit(complain(_explain(chain), EXIT_FAILED))


def _explain(chain: "OpenedChain") -> str:
    return f"FAILED: {chain.fault}; only what is below it was looked at"
