"""What a command ends with, and how it says what is wrong.

0 done; 1 not delivered or not verified; 2 bad input; 3 data set not to be had; 128 + n ended by signal n.
"""

import sys
from contextlib import suppress
from typing import Final

EXIT_FAILED: Final = 1
EXIT_BAD_INPUT: Final = 2
EXIT_NO_DATASET: Final = 3


def complain(text: str, code: int = EXIT_FAILED) -> int:
    """Print a sentence on standard error; return the exit code, for the caller to end with."""
    with suppress(OSError):  # what cannot be said changes nothing
        print(make_printable(text), file=sys.stderr)  # noqa: T201
    return code


def make_printable(text: str) -> str:
    """Return a text in which what could steer a terminal is written out; a file or log may say anything."""
    return "".join(char if char.isprintable() or char == "\n" else f"\\x{ord(char):02x}" for char in text)
