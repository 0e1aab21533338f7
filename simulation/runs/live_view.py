"""What a user sees while a run goes on."""

import time
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from simulation.records import PartyTally, Tally
from simulation.runs.closing_tables import count_alive, group_nodes
from simulation.runs.fitting_table import Column, build_fitting_table
from simulation.runs.mechanism_view import UNKNOWN, MechanismView

REFRESH_S: Final = 0.25
PLAIN_WIDTH: Final = 120

BAR_WIDTH: Final = 30
REST_WIDTH: Final = 50
"""What stands before and behind the bar."""

_WHO: Final = (Column("population", is_number=False), Column("role", rank=4, is_number=False), Column("nodes", rank=3))
_WHAT: Final = (Column("chain height"), Column("accepted"), Column("rejected"))
"""Columns before those of the mechanism, and behind them."""


class LiveView:
    """A table that follows the tally on a terminal; nothing where lines scroll instead."""

    def __init__(
        self,
        console: Console,
        tally: Tally,
        title: str,
        length: int,
        *,
        mechanism: MechanismView,
        is_counted: bool,
        is_shown: bool = False,
    ) -> None:
        """Prepare the view.

        Args:
            console: Where the user looks.
            tally: What is shown.
            title: What stands above.
            length: Blocks of the whole chain.
            mechanism: What is shown of the run's mechanism.
            is_counted: Whether parties count most of what they do, and say so only when the run ends.
            is_shown: Whether to show anything; on a terminal only.
        """
        self._console = console
        self._tally = tally
        self._is_counted = is_counted
        self._title = title
        self._length = length
        self._mechanism = mechanism
        self._started = time.monotonic()
        self._drawn = 0.0
        self._spinner = Spinner("dots")
        self._live = Live(console=console, auto_refresh=False, transient=True) if is_shown else None

    def __enter__(self) -> Self:
        """Show the view."""
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the view away."""
        if self._live:
            with suppress(OSError):
                self._live.stop()

    def update(self, phase: str) -> None:
        """Draw again, if it is time."""
        now = time.monotonic()
        if self._live and now >= self._drawn + REFRESH_S:
            self._drawn = now
            try:
                self._live.update(self._render(phase, now - self._started), refresh=True)
            except OSError:  # the terminal has been closed; the signal that says so is on its way
                self._live = None

    def _render(self, phase: str, elapsed: float) -> Group:
        employer = self._tally.employer
        self._spinner.update(text=Text(f"{self._title}  {elapsed:5.1f} s  {phase}", style="bold"))
        height = Table.grid(padding=(0, 1))
        width = max(BAR_WIDTH // 3, min(BAR_WIDTH, self._console.width - REST_WIDTH))
        bar = ProgressBar(total=self._length, completed=employer.height, width=width)
        told = self._mechanism.describe_head(self._tally)
        height.add_row("employer's chain", bar, f"{employer.height}/{self._length}", told)
        rows = []
        for name, members in group_nodes(self._tally).items():
            shown = self._describe_counted(members) if self._is_counted else self._describe(name, members)
            rows.append((name, members[0].role, count_alive(members), *shown))
        columns = (*_WHO, *self._mechanism.columns, *_WHAT)
        return Group(self._spinner, height, build_fitting_table(self._console.width, columns, rows))

    def _describe(self, name: str, members: list[PartyTally]) -> tuple[str, ...]:
        rejected = self._tally.rejected_from[name].total()
        labels = [label for label, node in self._tally.nodes.items() if node.population == name]
        return (
            *self._mechanism.describe_nodes(self._tally, labels),
            f"{min(node.height for node in members)}-{max(node.height for node in members)}",
            str(self._tally.accepted_from[name]),
            f"[red]{rejected}[/]" if rejected else "0",
        )

    def _describe_counted(self, members: list[PartyTally]) -> tuple[str, ...]:
        """Return what is known before the end: the first node of a role to have a block has said so."""
        own = (UNKNOWN,) * len(self._mechanism.columns)
        return (*own, f"up to {max(node.height for node in members)}", UNKNOWN, UNKNOWN)


def make_console(plain_width: int = PLAIN_WIDTH) -> Console:
    """Return the console.

    Args:
        plain_width: Characters of a line where there is no terminal: wide enough for the tables.
    """
    console = Console()
    return console if console.is_terminal else Console(width=plain_width)
