"""What a run costs: CPU-seconds and proportional memory of all its processes."""

import resource
import time
from collections.abc import Iterable
from typing import Final

import psutil

INTERVAL_S: Final = 0.5
"""Least time between two readings of memory."""

MAX_LOAD: Final = 0.01
"""Share of one core that reading memory may take; readings become rarer where there are many processes."""

MIB: Final = 1 << 20


class Meter:
    """Adds up what the starting process, the forkserver and the parties use."""

    def __init__(self, server_pid: int | None) -> None:
        """Start the clock.

        Args:
            server_pid: Process that parties are forked from; it collects the CPU time of those that have ended.
        """
        self.pss_max = 0
        """Largest sum of proportional set sizes seen, in bytes."""
        self._started = time.monotonic()
        self._server = psutil.Process(server_pid) if server_pid is not None else None
        self._server_cpu_before = self._read_server_cpu()
        self._own_cpu_before = self._read_own_cpu()
        self._next_reading = 0.0

    def sample(self, pids: Iterable[int]) -> None:
        """Read the memory of all processes, unless that was done a moment ago."""
        now = time.monotonic()
        if now < self._next_reading:
            return
        total, cpu_before = 0, time.thread_time()
        processes = [psutil.Process(), *([self._server] if self._server else [])]
        for process in (*processes, *(psutil.Process(pid) for pid in pids if psutil.pid_exists(pid))):
            try:
                total += process.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.AccessDenied, AttributeError):
                continue  # it has just ended, or this system knows no proportional size
        self.pss_max = max(self.pss_max, total)
        self._next_reading = now + max(INTERVAL_S, (time.thread_time() - cpu_before) / MAX_LOAD)

    def get_wall_s(self) -> float:
        """Return the seconds since the clock was started."""
        return time.monotonic() - self._started

    def get_cpu_s(self) -> float:
        """Return the CPU-seconds of this process, the forkserver and all parties that have ended."""
        return self._read_own_cpu() - self._own_cpu_before + self._read_server_cpu() - self._server_cpu_before

    def _read_server_cpu(self) -> float:
        if self._server is None:
            return 0.0
        try:
            times = self._server.cpu_times()
        except psutil.NoSuchProcess:
            return 0.0
        return float(times.user + times.system + times.children_user + times.children_system)

    @staticmethod
    def _read_own_cpu() -> float:
        usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
        return sum(usage.ru_utime + usage.ru_stime for usage in usages)
