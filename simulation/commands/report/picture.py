"""What a picture is before it is a file: a figure, the words that go with it, and the numbers it shows."""

from dataclasses import dataclass

from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers as text, for those who cannot see the picture and those who want them exactly."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of a report."""

    name: str
    """What its files are called."""
    title: str
    alt: str
    """What is to be seen, in words."""
    note: str
    """How to read it."""
    figure: Figure
    table: Table


@dataclass(frozen=True, slots=True)
class Missing:
    """A picture that is left out."""

    title: str
    why: str
    """A sentence."""
