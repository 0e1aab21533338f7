"""The commands `stamp mint` and `stamp check`: hashcash stamps, a proof of work that anybody can try by hand."""

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import typer

from simulation.commands.hashcash import MAX_BITS, VALID_DAYS, StampFault, count_zero_bits, judge_stamp, mint_stamp
from simulation.foundation import EXIT_BAD_INPUT, EXIT_FAILED, complain

DEAR_BITS: Final = 32
"""More than this takes hours here; nobody asks for it by intention."""

RANDOM_BYTES: Final = 12

Bits = Annotated[int, typer.Option(min=0, max=MAX_BITS, help="Zero bits that the stamp's hash begins with.")]

stamps = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Mint and check hashcash stamps: proof of work for one message."
)

_SAID: Final = {
    StampFault.TOO_CHEAP: "claims fewer bits than --bits wants (20, if it is left out)",
    StampFault.NO_WORK: "the hash has fewer zero bits than the stamp claims",
    StampFault.OTHER_RESOURCE: "is for another resource",
    StampFault.NOT_YET: "is dated ahead",
    StampFault.EXPIRED: "is too old",
    StampFault.SPENT: "has been spent before",
}


@stamps.command()
def mint(
    resource: Annotated[str, typer.Argument(help="Whom or what it is for, such as an address.")],
    bits: Bits = 20,
    extension: Annotated[str, typer.Option(help="Goes into the stamp's field of that name.")] = "",
) -> None:
    """Find a stamp by trying, and print it; each bit more doubles the work."""
    if bits > DEAR_BITS:
        text = f"--bits: {bits} bits take 2^{bits} hashes on average; write {DEAR_BITS} or fewer"
        raise typer.Exit(complain(text, EXIT_BAD_INPUT))
    random = secrets.token_urlsafe(RANDOM_BYTES)
    try:
        stamp, tries = mint_stamp(resource, bits=bits, now=datetime.now(UTC), random=random, extension=extension)
    except ValueError as error:
        raise typer.Exit(complain(str(error), EXIT_BAD_INPUT)) from None
    print(stamp)  # noqa: T201
    complain(f"{tries:,} hashes; 2^{bits} = {2**bits:,} are expected", 0)


@stamps.command()
def check(
    stamp: Annotated[str, typer.Argument(help="The stamp, with its colons.")],
    bits: Bits = 20,
    resource: Annotated[str | None, typer.Option(help="What it must be for; anything, if left out.")] = None,
    days: Annotated[int, typer.Option(min=0, max=36_500, help="Days for which it is good; 0: for ever.")] = VALID_DAYS,
    spent: Annotated[
        Path | None, typer.Option(help="File of the stamps taken so far, one a line; a good one is added.")
    ] = None,
) -> None:
    """Check a stamp by one hash; exit 1 if it is refused, 2 if it is none."""
    try:
        known = frozenset(spent.read_text("ascii").split("\n")) if spent is not None and spent.exists() else frozenset()
    except (OSError, UnicodeDecodeError):
        text = f"{spent}: cannot be read as stamps, one a line; write another file, or one that is not there yet"
        raise typer.Exit(complain(text, EXIT_BAD_INPUT)) from None
    valid = timedelta(days=days) if days else None
    fault = judge_stamp(stamp, bits=bits, now=datetime.now(UTC), resource=resource, valid=valid, spent=known)
    if fault is StampFault.MALFORMED:
        text = f"{stamp!r}: no stamp; one looks like 1:20:{datetime.now(UTC):%y%m%d}:resource::random:counter"
        raise typer.Exit(complain(text, EXIT_BAD_INPUT))
    if fault is not None:
        print(f"refused: {fault.value}: {_SAID[fault]}")  # noqa: T201
        raise typer.Exit(EXIT_FAILED)
    if spent is not None:
        try:
            with spent.open("a", encoding="ascii") as file:
                file.write(stamp + "\n")
        except OSError as error:
            text = f"{spent}: cannot be written: {error.strerror}; write a file in a folder that you may write to"
            raise typer.Exit(complain(text, EXIT_BAD_INPUT)) from None
    print(f"good: {count_zero_bits(stamp)} zero bits")  # noqa: T201
