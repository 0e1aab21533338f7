"""Adversaries that misuse the connection itself: what they send is not even a frame."""

from collections.abc import Iterable
from typing import Annotated, Final, Literal, get_args

import numpy as np
from msgspec import Meta

from protocol.codec import encode_frame
from protocol.events import Broadcast
from protocol.types import Nanoseconds
from simulation.attacks.behaviour import SAYINGS, Action, Core, SendFragment
from simulation.attacks.coalition import Coalition
from simulation.attacks.layers import Adversary
from simulation.attacks.traits import Parameters, Traits

GIBIBYTE: Final = 1 << 30

Fragment = Literal["half", "cut", "gibibyte"]


class HalfFramerParameters(Parameters, frozen=True, kw_only=True):
    """What a half framer is told."""

    fragment: Annotated[
        Fragment,
        Meta(description="half of its first message, half and the link closed, or half where a gibibyte is announced"),
    ] = "half"


class HalfFramer(Adversary):
    """Goal: have others wait for the rest of a frame, or keep room for it.

    It knows what any node knows. In place of its first message it sends each neighbour the first half, and nothing
    after it; or closes the link then; or announces a gibibyte before it. Expected: nobody waits. A link over which more
    is announced than a link carries is closed (`closed`), one that its sender has closed is gone (`unlinked`), one that
    has stopped is told of (`stalled`) and nothing more comes over it. All other links go on; headers that drew it die,
    as with a silent node.
    """

    kind = "half_framer"
    does = "sends half a frame in place of its first message, and nothing after it"
    expected = "`stalled`, `unlinked` or `closed`, on its links alone; headers that drew it die"
    traits = Traits(passes_on=False, does_its_part=False, may_jam=False)
    parameters = HalfFramerParameters
    drawn = tuple(HalfFramerParameters(fragment=fragment) for fragment in get_args(Fragment))

    def __init__(self, generator: np.random.Generator, coalition: Coalition, *, fragment: Fragment) -> None:
        """Take what it sends."""
        super().__init__(generator, coalition)
        self._fragment = fragment
        self._is_done = False

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Send half of the first message, and nothing after it."""
        if self._is_done:
            return () if isinstance(action, SAYINGS) else (action,)
        if not isinstance(action, Broadcast):
            return (action,)
        self._is_done = True
        frame = encode_frame(core.rules.chain_id, action.message)
        announced = GIBIBYTE if self._fragment == "gibibyte" else len(frame)
        return (SendFragment(announced, frame[: len(frame) // 2], self._fragment == "cut", "fragment"),)
