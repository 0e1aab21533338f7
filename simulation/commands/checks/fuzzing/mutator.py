"""Frames that no honest party sends: honest ones bent, broken or signed anew, and bytes from nowhere.

Every draw comes from one generator. Owners of keys may cheat here: most changed messages carry their author's own valid
signature, so that what is tested is not the signature check alone.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final, TypeVar

import msgspec

from protocol.codec import MAX_FRAME_BYTES, WIRE_VERSION, DecodeError, encode
from protocol.crypto import KeyPair
from protocol.mechanisms.proof_of_training.mechanism import get_training
from protocol.mechanisms.proof_of_training.messages import BlockHeader, TrainedBlock, WrappedBlock
from protocol.messages import BlockResponse, LateBlock, Message, Sighting, Transaction
from protocol.rules import Rules
from protocol.settling import compute_sighting_digest
from protocol.types import HASH_BYTES
from simulation.commands.checks.fuzzing.colluding_block import build_colluding_block, wrap_as_colluders
from simulation.commands.checks.fuzzing.mutations import (
    STRANGE,
    TEXTS,
    change_envelope,
    change_number,
    cut,
    draw_value,
    flip_bits,
    is_readable,
    put_in,
    splice,
)

KEPT: Final = 128
"""Examples kept of each kind at most; a younger one takes the place of any."""

LATEST: Final = 16
"""Frames that count as the latest ones."""

FLOOD: Final = 500
"""Weight of messages that must wait, in a mixture that fills the inbox."""

REPEATS: Final = (33, 65, 1_501)
"""How often an element is repeated: just above what an answer, a locator and a header may hold."""

StructT = TypeVar("StructT", bound=msgspec.Struct)
MessageT = TypeVar("MessageT", WrappedBlock, Transaction)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A frame and how it was made."""

    way: str
    frame: bytes


class Mutator:
    """Makes frames from what it has seen of a run."""

    def __init__(self, rng: Random, rules: Rules, keys: Iterable[KeyPair]) -> None:
        """Start with an empty collection; `learn` at least one message before the first draw.

        Args:
            rng: Owner of all draws.
            rules: The chain's rules.
            keys: Keys that frames are signed with.
        """
        self.height = 1
        """Height that the victim works on; most messages are taken from there."""
        self._rng = rng
        self._rules = rules
        self._keys: Mapping[bytes, KeyPair] = {pair.public: pair for pair in keys}
        self._signers = list(self._keys.values())
        self._known: dict[bytes, Message] = {}
        self._latest: deque[Message] = deque(maxlen=LATEST)
        self._messages: dict[type[Message], list[Message]] = {}
        self._descendants: list[Message] = []
        """Changed messages, to be changed again."""
        self._values: dict[tuple[type, str], list[object]] = defaultdict(list)
        """What stood in each field of each type."""
        self._places: list[tuple[bytes, int]] = [(rules.chain_id, 0)]
        """Hashes and heights of blocks."""
        self._hashes: list[bytes] = [rules.chain_id]
        self._sent: list[bytes] = []
        self._ways = self._list_ways()
        self._weights = [way[1] * rng.choice((0, 1, 1, 6)) for way in self._ways]  # each seed has its own mixture
        self._weights[0] += FLOOD if rng.random() < 0.15 else 1

    def _list_ways(self) -> tuple[tuple[str, float, Callable[[], bytes]], ...]:
        return (
            ("message on an unknown parent", 5, lambda: self._frame(self._orphan())),
            ("message with a changed field", 40, lambda: self._frame(self._change(self._pick()))),
            ("message on another parent", 5, lambda: self._frame(self._transplant())),
            ("block with other transfers", 4, lambda: self._frame(self._rewrap())),
            ("block all stakeholders cheat for", 5, lambda: self._frame(self._collude())),
            ("late block", 2, lambda: self._frame(self._sight())),
            ("too much of something", 0.5, lambda: self._frame(self._repeat())),
            ("answer nobody asked for", 2, lambda: self._frame(self._answer())),
            ("honest frame of another time", 8, lambda: self._frame(self._pick())),
            ("frame sent before", 4, lambda: self._rng.choice(self._sent or [b""])),
            ("random bytes", 3, lambda: self._rng.randbytes(self._rng.choice((0, 1, 2, 40, 400)))),
            ("flipped bits", 8, lambda: flip_bits(self._rng, self._frame(self._pick()))),
            ("cut frame", 4, lambda: cut(self._rng, self._frame(self._pick()))),
            ("bytes put in", 4, lambda: put_in(self._rng, self._frame(self._pick()))),
            ("two frames in one", 4, lambda: splice(self._rng, self._frame(self._pick()), self._frame(self._pick()))),
            ("changed envelope", 6, lambda: change_envelope(self._rng, self._frame(self._pick()))),
            ("random values in an envelope", 8, self._draw_tree),
            ("deep nesting", 0.5, lambda: self._wrap(b"\x91" * self._rng.choice((100, 5_000, 100_000)))),
            ("oversized", 0.2, lambda: self._frame(self._pick()).ljust(MAX_FRAME_BYTES + self._rng.randint(0, 1))),
        )

    def draw(self) -> Mutant:
        """Return the next frame."""
        way, _, make = self._rng.choices(self._ways, self._weights)[0]
        mutant = Mutant(way, make())
        if len(mutant.frame) < MAX_FRAME_BYTES // 64:
            self._keep(self._sent, mutant.frame)
        return mutant

    def learn(self, frame: bytes) -> None:
        """Add a frame that a node or a user has sent to what is bent."""
        message = self._known.get(frame)
        if message is None:
            try:
                message = self._known[frame] = self._rules.decode(frame)
            except DecodeError:
                return  # a broken node may pass on anything
            self._messages.setdefault(type(message), []).append(message)
            self._collect(message)
        self._latest.append(message)

    def _collect(self, record: msgspec.Struct) -> None:
        """Keep the values of every field, however deep, and the hashes that others may refer to."""
        if isinstance(record, BlockHeader | WrappedBlock):
            record_hash = self._rules.hash_message(record)
            self._keep(self._hashes, record_hash)
            if isinstance(record, WrappedBlock):
                self._keep(self._places, (record_hash, record.height))
        for name in record.__struct_fields__:
            value = getattr(record, name)
            self._keep(self._values[type(record), name], value)
            for item in value if isinstance(value, tuple) else (value,):
                if isinstance(item, msgspec.Struct):
                    self._collect(item)

    def _keep(self, bucket: list[Any], value: object) -> None:
        if len(bucket) < KEPT:
            bucket.append(value)
        else:
            bucket[self._rng.randrange(KEPT)] = value

    # ---- whole messages ----

    def _frame(self, message: msgspec.Struct) -> bytes:
        return self._wrap(encode(message))

    def _wrap(self, body: bytes) -> bytes:
        return encode((WIRE_VERSION, self._rules.chain_id, msgspec.Raw(body)))

    def _pick(self) -> Message:
        """Return a message, most often an honest one of the height the victim works on."""
        draw = self._rng.random()
        if self._descendants and draw < 0.1:
            return self._rng.choice(self._descendants)
        if draw < 0.3:
            return self._rng.choice(self._latest)
        kinds = list(self._messages)
        choices = self._messages[self._rng.choices(kinds, [3 if hasattr(kind, "parent") else 1 for kind in kinds])[0]]
        message = self._rng.choice(choices)
        for _ in range(4):
            if getattr(message, "height", self.height) == self.height:
                break
            message = self._rng.choice(choices)
        return message

    def _get_known(self, kind: type[MessageT]) -> list[MessageT]:
        return [message for message in self._messages.get(kind, ()) if isinstance(message, kind)]

    def _change(self, message: Message) -> Message:
        changed: Message = self._alter(message)
        self._keep(self._descendants, changed)
        is_named = isinstance(changed, BlockHeader | WrappedBlock) and isinstance(changed.naming, Message)
        if is_named and self._rng.random() < 0.5:
            self._keep(self._hashes, self._rules.hash_message(changed))
        return changed

    def _transplant(self) -> msgspec.Struct:
        """Return a message that names a known block as its parent, with the height that fits."""
        parent, height = self._rng.choice(self._places)
        return self._replant(self._pick(), parent, height + 1)

    def _orphan(self) -> msgspec.Struct:
        kind = self._rng.choice([kind for kind in self._messages if hasattr(kind, "parent")] or list(self._messages))
        message = self._rng.choice(self._messages[kind])
        return self._replant(message, self._rng.randbytes(HASH_BYTES), self.height + self._rng.randint(0, 1))

    def _replant(self, message: msgspec.Struct, parent: bytes, height: int) -> msgspec.Struct:
        if isinstance(message, WrappedBlock) and isinstance(message.header, BlockHeader):
            header = self._replant(message.header, parent, height)
            return self._sign_as_author(msgspec.structs.replace(message, header=header))
        if "parent" not in message.__struct_fields__:
            return message
        return self._sign_as_author(msgspec.structs.replace(message, parent=parent, height=height))

    def _rewrap(self) -> msgspec.Struct:
        """Return a block of the same stage and stakeholders with other transfers, of whoever may choose them."""
        blocks, transfers = self._get_known(WrappedBlock), self._get_known(Transaction)
        if not blocks:
            return self._pick()
        block = self._rng.choice(blocks)
        chosen = tuple(self._rng.sample(transfers, self._rng.randint(0, min(3, len(transfers)))))
        if isinstance(block, TrainedBlock):
            secrets = defaultdict(bytes, {item.author: item.training_secret for item in block.signatures})
            secrets[block.author] = block.training_secret
            return wrap_as_colluders(self._rules, self._keys, block.header, chosen, secrets)
        stakeholders = (*(item.author for item in block.signatures), block.author)
        stakes = self._rules.origin.state.stakes  # those of the genesis, for ever
        coinbase = get_training(self._rules).build_coinbase(block.header, stakeholders, chosen, stakes)
        return self._sign_as_author(msgspec.structs.replace(block, transactions=chosen, coinbase=coinbase))

    def _collude(self) -> msgspec.Struct:
        """Return a block of a changed header that everybody it names has signed."""
        blocks = self._get_known(WrappedBlock)
        if not blocks:
            return self._pick()
        header = self._alter(self._rng.choice(blocks).header)
        bonded = self._rules.origin.state.stakes.owners
        is_known = isinstance(header.author, bytes) and header.author in bonded
        return build_colluding_block(self._rules, self._keys, header) if is_known and is_readable(header) else header

    def _sight(self) -> msgspec.Struct:
        """Return a block, often another one than the nodes have, with words of some owners of keys as witnesses."""
        block = self._rng.choice((self._pick, self._rewrap, self._rewrap, self._collude))()
        digest = compute_sighting_digest(self._rules.chain_id, self._rng.choice(self._hashes))
        if isinstance(block, WrappedBlock) and isinstance(block, self._rules.mechanism.block) and is_readable(block):
            digest = compute_sighting_digest(self._rules.chain_id, self._rules.hash_message(block))
        chosen = self._rng.sample(self._signers, self._rng.randint(0, 2))
        words = [Sighting(witness=pair.public, signature=pair.sign_hash(digest)) for pair in chosen]
        ordered = words if self._rng.random() < 0.2 else sorted(words, key=lambda item: item.witness)
        late = LateBlock(block=block, sightings=tuple(ordered), author=self._rng.choice(self._signers).public)
        return self._sign_as_author(late)

    def _repeat(self) -> msgspec.Struct:
        """Return a message with one element of a list many times over."""
        message = self._pick()
        names = [name for name in message.__struct_fields__ if isinstance(getattr(message, name), tuple)]
        if not names:
            return message
        name = self._rng.choice(names)
        repeated = getattr(message, name)[:1] * self._rng.choice(REPEATS)
        return self._sign_as_author(msgspec.structs.replace(message, **{name: repeated}))

    def _answer(self) -> msgspec.Struct:
        """Return an answer of blocks that are old, new, changed or of the wrong order."""
        changed = [message for message in self._descendants if isinstance(message, WrappedBlock)]
        blocks = [*self._get_known(WrappedBlock), *changed]
        chosen = tuple(self._rng.choices(blocks, k=self._rng.randint(1, 4))) if blocks else ()
        author = self._rng.choice(self._signers).public
        return self._sign_as_author(BlockResponse(blocks=chosen, author=author))

    # ---- one field, however deep ----

    def _alter(self, record: StructT) -> StructT:
        """Return a record with one field changed, and with its signature made anew or not."""
        name = self._rng.choice([field for field in record.__struct_fields__ if field != "signature"])
        value = self._alter_field((type(record), name), getattr(record, name))
        return self._sign(msgspec.structs.replace(record, **{name: value}))

    def _alter_field(self, field: tuple[type, str], value: object) -> object:
        draw = self._rng.random()
        if draw < 0.25 and self._values[field]:
            return self._rng.choice(self._values[field])
        if draw < 0.30:
            return self._rng.choice(STRANGE)
        if isinstance(value, tuple):
            return self._alter_list(field, value)
        return self._alter_value(value)

    def _alter_value(self, value: object) -> object:
        match value:
            case msgspec.Struct():
                return self._alter(value)
            case int():
                return change_number(self._rng, value)
            case bytes():
                return self._alter_bytes(value)
            case _:
                return self._rng.choice(TEXTS)

    def _alter_bytes(self, value: bytes) -> bytes:
        rng = self._rng
        draw = rng.random()
        if draw < 0.4 and len(value) == HASH_BYTES:
            return rng.choice([*self._hashes, *self._keys])
        if draw < 0.6:
            return flip_bits(rng, value)
        return rng.choice((rng.randbytes(len(value)), bytes(len(value)), value[:-1], value + b"\x00"))

    def _alter_list(self, field: tuple[type, str], items: tuple[object, ...]) -> tuple[object, ...]:
        rng = self._rng
        if items and rng.random() < 0.5:
            index = rng.randrange(len(items))
            return (*items[:index], self._alter_value(items[index]), *items[index + 1 :])
        others = rng.choice(self._values[field] or [()])
        donated = others if isinstance(others, tuple) else ()
        changes = ((), items[1:], items[:-1], items[::-1], items + items[:1], items + donated, donated + items)
        return rng.choice(changes)

    # ---- signatures ----

    def _sign(self, record: StructT) -> StructT:
        """Return a record signed by its author, by somebody else, in somebody else's name, or not again."""
        if not isinstance(record, Message):
            return record
        draw = self._rng.random()
        if draw < 0.75:
            return self._sign_as_author(record)
        other = self._rng.choice(self._signers)
        if draw < 0.85:
            return self._sign_with(other, record)
        if draw < 0.95:
            return self._sign_with(other, msgspec.structs.replace(record, author=other.public))
        return record

    def _sign_as_author(self, record: StructT) -> StructT:
        author = getattr(record, "author", None)
        pair = self._keys.get(author) if isinstance(author, bytes) else None
        return record if pair is None else self._sign_with(pair, record)

    def _sign_with(self, pair: KeyPair, record: StructT) -> StructT:
        signed: StructT = pair.sign(self._rules.chain_id, record)  # type: ignore[type-var] # fields may be of any type
        return signed

    # ---- no message at all ----

    def _draw_tree(self) -> bytes:
        """Return a frame whose body is made of random values, behind the tag of a real message or not."""
        rng = self._rng
        kind = rng.choice(list(self._messages))
        length = len(kind.__struct_fields__) + rng.choice((-1, 0, 0, 0, 0, 1))
        tree = [kind.kind, *(draw_value(rng, 3) for _ in range(length))]
        return self._wrap(msgspec.msgpack.encode(tree if rng.random() < 0.7 else draw_value(rng, 5)))
