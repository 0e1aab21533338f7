"""Frames that no honest party sends: honest ones bent, broken or signed anew, and bytes from nowhere."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Final

import msgspec

from protocol.codec import MAX_FRAME_BYTES, WIRE_VERSION, encode
from protocol.crypto import KeyPair
from protocol.messages import BlockResponse, LateBlock, Message, Sighting
from protocol.rules import Rules
from protocol.settling import compute_sighting_digest
from protocol.types import HASH_BYTES
from simulation.commands.checks.fuzzing.forge import Forge
from simulation.commands.checks.fuzzing.kit import FuzzKit
from simulation.commands.checks.fuzzing.mutations import (
    change_envelope,
    cut,
    draw_value,
    flip_bits,
    is_readable,
    put_in,
    splice,
)
from simulation.commands.checks.fuzzing.seen import Seen

FLOOD: Final = 500
"""Weight of messages that must wait, in a mixture that fills the inbox."""

REPEATS: Final = (33, 65, 1_501)
"""How often an element is repeated: just above what an answer, a locator and a header may hold."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A frame and how it was made."""

    way: str
    frame: bytes


class Mutator:
    """Makes frames from what it has seen of a run. Every draw comes from one generator."""

    def __init__(self, rng: Random, rules: Rules, keys: Iterable[KeyPair], kit: FuzzKit) -> None:
        """Start with an empty collection; let `seen` learn at least one message before the first draw.

        Args:
            rng: Owner of all draws.
            rules: The chain's rules.
            keys: Keys that frames are signed with.
            kit: Knows the mechanism.
        """
        self.seen: Final = Seen(rng, rules, kit.list_named(rules.mechanism))
        self.forge: Final = Forge(rng, rules, keys, self.seen)
        self._rng = rng
        self._rules = rules
        self._sent: list[bytes] = []
        self._own_ways = tuple(kit.list_ways(self.forge))
        self._ways = self._list_ways()
        self._weights = [way[1] * rng.choice((0, 1, 1, 6)) for way in self._ways]  # each seed has its own mixture
        self._weights[0] += FLOOD if rng.random() < 0.15 else 1

    def _list_ways(self) -> tuple[tuple[str, float, Callable[[], bytes]], ...]:
        pick, rng = self.seen.pick, self._rng
        return (
            ("message on an unknown parent", 5, lambda: self._frame(self._orphan())),
            ("message with a changed field", 40, lambda: self._frame(self._change(pick()))),
            ("message on another parent", 5, lambda: self._frame(self._transplant())),
            *((way.name, way.weight, self._frame_made(way.make)) for way in self._own_ways),
            ("late block", 2, lambda: self._frame(self._sight())),
            ("too much of something", 0.5, lambda: self._frame(self._repeat())),
            ("answer nobody asked for", 2, lambda: self._frame(self._answer())),
            ("honest frame of another time", 8, lambda: self._frame(pick())),
            ("frame sent before", 4, lambda: rng.choice(self._sent or [b""])),
            ("random bytes", 3, lambda: rng.randbytes(rng.choice((0, 1, 2, 40, 400)))),
            ("flipped bits", 8, lambda: flip_bits(rng, self._frame(pick()))),
            ("cut frame", 4, lambda: cut(rng, self._frame(pick()))),
            ("bytes put in", 4, lambda: put_in(rng, self._frame(pick()))),
            ("two frames in one", 4, lambda: splice(rng, self._frame(pick()), self._frame(pick()))),
            ("changed envelope", 6, lambda: change_envelope(rng, self._frame(pick()))),
            ("random values in an envelope", 8, self._draw_tree),
            ("deep nesting", 0.5, lambda: self._wrap(b"\x91" * rng.choice((100, 5_000, 100_000)))),
            ("oversized", 0.2, lambda: self._frame(pick()).ljust(MAX_FRAME_BYTES + rng.randint(0, 1))),
        )

    def draw(self) -> Mutant:
        """Return the next frame."""
        way, _, make = self._rng.choices(self._ways, self._weights)[0]
        mutant = Mutant(way, make())
        if len(mutant.frame) < MAX_FRAME_BYTES // 64:
            self.seen.keep(self._sent, mutant.frame)
        return mutant

    # ---- whole messages ----

    def _frame(self, message: msgspec.Struct) -> bytes:
        return self._wrap(encode(message))

    def _frame_made(self, make: Callable[[], msgspec.Struct]) -> Callable[[], bytes]:
        return lambda: self._frame(make())

    def _wrap(self, body: bytes) -> bytes:
        return encode((WIRE_VERSION, self._rules.chain_id, msgspec.Raw(body)))

    def _change(self, message: Message) -> Message:
        changed: Message = self.forge.alter(message)
        self.seen.add_descendant(changed)
        return changed

    def _transplant(self) -> msgspec.Struct:
        """Return a message that names a known block as its parent, with the height that fits."""
        parent, height = self._rng.choice(self.seen.places)
        return self.forge.replant(self.seen.pick(), parent, height + 1)

    def _orphan(self) -> msgspec.Struct:
        parent, height = self._rng.randbytes(HASH_BYTES), self.seen.height + self._rng.randint(0, 1)
        return self.forge.replant(self.seen.pick_on_parent(), parent, height)

    def _sight(self) -> msgspec.Struct:
        """Return a block, often another one than the nodes have, with words of some owners of keys as witnesses."""
        block = self._rng.choice((self.seen.pick, *(way.make for way in self._own_ways)))()
        digest = compute_sighting_digest(self._rules.chain_id, self._rng.choice(self.seen.hashes))
        if isinstance(block, self._rules.mechanism.block) and is_readable(block):
            digest = compute_sighting_digest(self._rules.chain_id, self._rules.hash_message(block))
        chosen = self._rng.sample(self.forge.signers, self._rng.randint(0, 2))
        words = [Sighting(witness=pair.public, signature=pair.sign_hash(digest)) for pair in chosen]
        ordered = words if self._rng.random() < 0.2 else sorted(words, key=lambda item: item.witness)
        author = self._rng.choice(self.forge.signers).public
        return self.forge.sign_as_author(LateBlock(block=block, sightings=tuple(ordered), author=author))

    def _repeat(self) -> msgspec.Struct:
        """Return a message with one element of a list many times over."""
        message = self.seen.pick()
        names = [name for name in message.__struct_fields__ if isinstance(getattr(message, name), tuple)]
        if not names:
            return message
        name = self._rng.choice(names)
        repeated = getattr(message, name)[:1] * self._rng.choice(REPEATS)
        return self.forge.sign_as_author(msgspec.structs.replace(message, **{name: repeated}))

    def _answer(self) -> msgspec.Struct:
        """Return an answer of blocks that are old, new, changed or of the wrong order."""
        kind = self._rules.mechanism.block
        blocks = [*self.seen.find(kind), *(item for item in self.seen.descendants if isinstance(item, kind))]
        chosen = tuple(self._rng.choices(blocks, k=self._rng.randint(1, 4))) if blocks else ()
        author = self._rng.choice(self.forge.signers).public
        return self.forge.sign_as_author(BlockResponse(blocks=chosen, author=author))

    # ---- no message at all ----

    def _draw_tree(self) -> bytes:
        """Return a frame whose body is made of random values, behind the tag of a real message or not."""
        rng = self._rng
        kind = rng.choice(list(self.seen.messages))
        length = len(kind.__struct_fields__) + rng.choice((-1, 0, 0, 0, 0, 1))
        tree = [kind.__struct_config__.tag, *(draw_value(rng, 3) for _ in range(length))]
        return self._wrap(msgspec.msgpack.encode(tree if rng.random() < 0.7 else draw_value(rng, 5)))
