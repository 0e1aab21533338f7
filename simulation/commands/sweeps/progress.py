"""What a user sees while a sweep goes on: one line, drawn again on a terminal and now and then printed elsewhere."""

import time
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

REDRAW_S: Final = 0.25
PRINT_S: Final = 10.0
"""How often a line is printed where there is no terminal."""


class Progress:
    """Counts cells: done, rate, remaining time."""

    def __init__(self, console: Console, name: str, total: int, done: int) -> None:
        """Prepare the line.

        Args:
            console: Where the user looks.
            name: Of the sweep.
            total: All cells.
            done: Those finished in earlier runs.
        """
        self._console = console
        self._name = name
        self._total = total
        self._before = done
        self.done = done
        self.failed = 0
        self._shown = time.monotonic()
        self._first: float | None = None
        """When the first cell ended: workers take a while to start, which says nothing about the rate."""
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def __enter__(self) -> Self:
        """Show the line."""
        if self._live:
            self._live.start()
            self._show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state of it behind."""
        with suppress(OSError):
            if self._live:
                self._live.stop()
            if self.done + self.failed > self._before:
                self._console.print(self.describe(), highlight=False, markup=False)

    def add(self, *, is_failed: bool) -> None:
        """Count a cell that has ended."""
        self.done += not is_failed
        self.failed += is_failed
        self._first = self._first or time.monotonic()
        is_over = self.done + self.failed == self._total
        if not is_over and time.monotonic() - self._shown >= (REDRAW_S if self._live else PRINT_S):
            self._show()

    def describe(self) -> str:
        """Return the line."""
        rate, left = self._compute_rate(), self._total - self.done - self.failed
        parts = [f"{self._name}: {self.done:,} of {self._total:,} cells"]
        if self.failed:
            parts.append(f"{self.failed:,} failed")
        if rate:
            parts.append(f"{rate:.1f} a second")
        if left and rate:
            parts.append(f"{format_seconds(left / rate)} remaining")
        return ", ".join(parts)

    def _compute_rate(self) -> float | None:
        """Return the cells a second that ended after the first one; None while that is unknown."""
        later = self.done + self.failed - self._before - 1
        elapsed = time.monotonic() - self._first if self._first is not None else 0.0
        return later / elapsed if later > 0 and elapsed > 0 else None

    def _show(self) -> None:
        self._shown = time.monotonic()
        if self._live is None:
            self._console.print(self.describe(), highlight=False, markup=False)
            return
        line = Table.grid(padding=(0, 1))
        line.add_column()
        line.add_column(no_wrap=True)
        line.add_row(ProgressBar(total=self._total, completed=self.done + self.failed, width=12), self.describe())
        try:
            self._live.update(line, refresh=True)
        except OSError:  # the terminal has been closed; the signal that says so is on its way
            self._live = None


def format_seconds(seconds: float) -> str:
    """Return a time in hours, minutes and seconds."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
