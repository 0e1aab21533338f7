"""Parties that go down and come back, as the scenario has it."""

from collections.abc import Callable, Mapping
from functools import partial

from simulation.engines.parties import Journals
from simulation.engines.virtual.ending import Ending
from simulation.engines.virtual.party import VirtualParty
from simulation.engines.virtual.queue import EventQueue
from simulation.foundation import NANOSECONDS
from simulation.records import CameUp, Fact, WentDown
from simulation.scenario import Outage


class Outages:
    """Takes parties down and brings them back."""

    def __init__(
        self,
        queue: EventQueue,
        parties: Mapping[str, VirtualParty],
        ending: Ending,
        journals: Journals,
        *,
        record: Callable[[Fact, str], None],
        start: Callable[[VirtualParty], None],
    ) -> None:
        """Take what is needed.

        Args:
            queue: Where outages are scheduled.
            parties: All of them, by label.
            ending: Counts who is there.
            journals: Where a party's coming back is noted.
            record: Takes a fact and the party it is about.
            start: Starts a party that has come back.
        """
        self._queue = queue
        self._parties = parties
        self._ending = ending
        self._journals = journals
        self._record = record
        self._start = start

    def schedule(self, outage: Outage) -> None:
        """Let an outage happen; a party that is down from the beginning only comes."""
        party = self._parties[outage.node]
        if outage.down_s > 0:
            self._queue.schedule(round(outage.down_s * NANOSECONDS), partial(self._take_down, party))
        if outage.up_s is not None:
            self._queue.schedule(round(outage.up_s * NANOSECONDS), partial(self._bring_back, party, outage.disk))

    def _take_down(self, party: VirtualParty) -> None:
        party.go_down()
        self._record(WentDown(), party.label)
        self._ending.note_down(party.label)

    def _bring_back(self, party: VirtualParty, disk: str) -> None:
        self._ending.note_return(party.label)
        party.come_back(is_disk_kept=disk == "kept")
        self._record(CameUp(disk), party.label)
        self._journals.write_restart(party.label, is_disk_kept=disk == "kept")
        self._start(party)
