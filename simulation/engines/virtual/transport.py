"""How frames get from party to party in simulated time: offered, declined, or under way until they arrive.

A frame is offered by its hash, as in networks that announce before they send: who has judged it before, or has it under
way to arrive no later, does not take it again. Where it turns out to have no room for the copy that it gets, the others
are offered again.
"""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

from protocol.types import Hash32
from simulation.attacks import SendFragment
from simulation.engines import HEADER, NetworkModel, Planner
from simulation.engines.virtual.queue import EventQueue

MAX_FLIGHTS: Final = 256
"""Frames whose arrivals are remembered; one that is forgotten is offered and dropped at its arrival."""

_JUDGED: Final = -1
"""In place of an arrival: the party has judged the frame."""

_UNKNOWN: Final = -2
"""In place of an arrival: nothing is known of the party and the frame."""

_NEVER: Final = 2**62
"""Later than any arrival."""


class Receiver(Protocol):
    """A party as its links see it."""

    label: str
    is_up: bool

    def has_seen(self, frame_hash: Hash32) -> bool:
        """Return whether the party has judged a frame before."""

    def has_turned_away(self, frame_hash: Hash32) -> bool:
        """Return whether the party has just had no room for a frame that came over some link."""

    def receive(self, source: str, frame: bytes) -> None:
        """Take a frame that has arrived."""

    def receive_fragment(self, source: str, fragment: SendFragment) -> None:
        """Take a part of a frame, after which nothing more is sent over its link."""

    def record_declined(self, count: int) -> None:
        """Count frames that a neighbour, or the party itself, did not take."""


@dataclass(frozen=True, slots=True)
class Sender:
    """A party as the transport sees it."""

    label: str
    place: int | None
    plan: Planner


class FrameInFlight:
    """A frame and where it is."""

    __slots__ = ("due", "frame", "hash", "offers")

    def __init__(self, frame: bytes, frame_hash: Hash32, receivers: int) -> None:
        """Know nothing yet of any of so many receivers."""
        self.frame = frame
        self.hash = frame_hash
        self.due = array("q", [_UNKNOWN]) * receivers
        """When it arrives at each party, or `_JUDGED`, or `_UNKNOWN`."""
        self.offers: dict[int, list[Sender]] = {}
        """Who else offered it to a party while it was under way, should the party have no room for the copy it gets."""


class FrameTransport:
    """All links of a virtual run."""

    def __init__(
        self,
        queue: EventQueue,
        network: NetworkModel,
        hash_frame: Callable[[bytes], Hash32],
    ) -> None:
        """Carry frames as a network model has it.

        Args:
            queue: Where arrivals are scheduled.
            network: Says when copies arrive.
            hash_frame: What a frame is recognised by.
        """
        self._receivers: list[Receiver] = []
        """All parties, in the order they were registered; below they are named by their place here."""
        self._queue = queue
        self._network = network
        self._hash_frame = hash_frame
        self._flights: dict[Hash32, FrameInFlight] = {}

    def send(self, sender: Sender, targets: Sequence[int], frame: bytes) -> int:
        """Offer a frame to parties and schedule its arrivals; return how many declined.

        Args:
            sender: Who sends it.
            targets: Places of the receivers.
            frame: What to carry.
        """
        flight = self._find_flight(frame)
        due, now, size, plan = flight.due, self._queue.now, len(frame), sender.plan
        if sender.place is not None:
            due[sender.place] = _JUDGED
        soonest = now + self._network.least_ns
        declined = 0
        for place in targets:
            expected = due[place]
            if expected <= soonest:
                if expected >= now or expected == _JUDGED:
                    declined += 1
                    if expected >= now:
                        flight.offers.setdefault(place, []).append(sender)
                    continue
                expected = _NEVER  # nothing is known, or it arrived and could not be judged yet: it may come again
            for at in plan(self._receivers[place].label, size, now):
                if expected <= at:
                    declined += 1
                    flight.offers.setdefault(place, []).append(sender)
                    continue
                due[place] = expected = at
                self._queue.schedule(at, partial(self._arrive, sender.label, place, flight))
        return declined

    def send_fragment(self, sender: Sender, targets: Sequence[int], fragment: SendFragment) -> None:
        """Schedule the arrivals of a part of a frame: nobody can know it by its hash, so it is offered to nobody.

        Args:
            sender: Who sends it.
            targets: Places of the receivers.
            fragment: What to carry.
        """
        now, size = self._queue.now, HEADER.size + len(fragment.carried)
        for place in targets:
            arrivals = sender.plan(self._receivers[place].label, size, now)
            if arrivals:
                self._queue.schedule(min(arrivals), partial(self._arrive_in_part, sender.label, place, fragment))

    def register(self, label: str, receiver: Receiver | None) -> Sender:
        """Take a party in; return what `send` knows it by. One that receives nothing has no place.

        All parties are registered before the first frame is sent.
        """
        place = None
        if receiver is not None:
            place = len(self._receivers)
            self._receivers.append(receiver)
        return Sender(label, place, self._network.get_planner(label))

    def forget(self, place: int) -> None:
        """Forget what a party has: it lost its memory."""
        for flight in self._flights.values():
            flight.due[place] = _UNKNOWN

    def _find_flight(self, frame: bytes) -> FrameInFlight:
        frame_hash = self._hash_frame(frame)
        found = self._flights.get(frame_hash)
        if found is None:
            found = self._flights[frame_hash] = FrameInFlight(frame, frame_hash, len(self._receivers))
            if len(self._flights) > MAX_FLIGHTS:
                del self._flights[next(iter(self._flights))]
        return found

    def _arrive(self, source: str, place: int, flight: FrameInFlight) -> None:
        target = self._receivers[place]
        if not target.is_up:
            return
        if flight.due[place] == _JUDGED:
            target.record_declined(1)
            return
        target.receive(source, flight.frame)
        if target.has_seen(flight.hash):
            flight.due[place] = _JUDGED
        elif flight.offers and target.has_turned_away(flight.hash):
            self._offer_again(place, flight)
            return
        flight.offers.pop(place, None)

    def _arrive_in_part(self, source: str, place: int, fragment: SendFragment) -> None:
        target = self._receivers[place]
        if target.is_up:
            target.receive_fragment(source, fragment)

    def _offer_again(self, place: int, flight: FrameInFlight) -> None:
        """Let the next neighbour that was declined bring its copy: there may be room for what comes over its link."""
        target, now = self._receivers[place], self._queue.now
        offers = flight.offers.get(place, [])
        while offers and flight.due[place] <= now:
            sender = offers.pop(0)
            for at in sender.plan(target.label, len(flight.frame), now):
                flight.due[place] = at if flight.due[place] <= now else min(at, flight.due[place])
                self._queue.schedule(at, partial(self._arrive, sender.label, place, flight))
