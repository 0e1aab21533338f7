"""Changes to messages, and signatures under them: what whoever has keys can do.

Owners of keys may cheat here: most changed messages carry their author's own valid signature, so that what is tested is
not the signature check alone.
"""

from collections.abc import Iterable, Mapping
from random import Random
from typing import Final, TypeVar

import msgspec

from protocol.chain import BlockTree
from protocol.crypto import KeyPair
from protocol.events import ChainRecord
from protocol.ledger import LedgerState
from protocol.messages import NEIGHBOURLY, AnyBlock, Message, Transaction
from protocol.rules import Rules
from protocol.types import HASH_BYTES, Hash32
from simulation.commands.checks.fuzzing.mutations import STRANGE, TEXTS, change_number, flip_bits
from simulation.commands.checks.fuzzing.seen import Seen

STAMPED_SHARE: Final = 0.8
"""Share of forged transfers that are stamped where the chain asks for that."""

StructT = TypeVar("StructT", bound=msgspec.Struct)


class Forge:
    """Changes what has been seen."""

    def __init__(self, rng: Random, rules: Rules, keys: Iterable[KeyPair], seen: Seen) -> None:
        """Take what messages are forged with.

        Args:
            rng: Owner of all draws.
            rules: The chain's rules.
            keys: Keys that messages are signed with.
            seen: What there is to be changed.
        """
        self.rng: Final = rng
        self.rules: Final = rules
        self.seen: Final = seen
        self.keys: Final[Mapping[bytes, KeyPair]] = {pair.public: pair for pair in keys}
        self.signers: Final = tuple(self.keys.values())
        self.tree: BlockTree[AnyBlock, LedgerState] | None = None
        """Blocks that the victim knows; None while nobody is under fire."""

    def find_parent(self, parent: Hash32) -> ChainRecord | None:
        """Return a block that the victim knows, with the ledger after it."""
        return self.tree.get(parent) if self.tree is not None else None

    def draw_transfers(self) -> tuple[Transaction, ...]:
        """Return up to three transfers that somebody has sent."""
        transfers = self.seen.find(Transaction)
        return tuple(self.rng.sample(transfers, self.rng.randint(0, min(3, len(transfers)))))

    def replant(self, message: msgspec.Struct, parent: Hash32, height: int) -> msgspec.Struct:
        """Return a message on another parent, which may be named in a part of it; as it is where it names none."""
        fields = message.__struct_fields__
        if "parent" in fields:
            return self.sign_as_author(msgspec.structs.replace(message, parent=parent, height=height))
        if isinstance(message, tuple(NEIGHBOURLY)):
            return message
        for name in fields:
            part = getattr(message, name)
            if isinstance(part, msgspec.Struct) and "parent" in part.__struct_fields__:
                planted = self.replant(part, parent, height)
                return self.sign_as_author(msgspec.structs.replace(message, **{name: planted}))
        return message

    # ---- one field, however deep ----

    def alter(self, record: StructT) -> StructT:
        """Return a record with one field changed, and with its signature made anew or not."""
        name = self.rng.choice([field for field in record.__struct_fields__ if field != "signature"])
        value = self._alter_field((type(record), name), getattr(record, name))
        return self._sign(msgspec.structs.replace(record, **{name: value}))

    def _alter_field(self, field: tuple[type, str], value: object) -> object:
        draw = self.rng.random()
        if draw < 0.25 and self.seen.values[field]:
            return self.rng.choice(self.seen.values[field])
        if draw < 0.30:
            return self.rng.choice(STRANGE)
        if isinstance(value, tuple):
            return self._alter_list(field, value)
        return self._alter_value(value)

    def _alter_value(self, value: object) -> object:
        match value:
            case msgspec.Struct():
                return self.alter(value)
            case int():
                return change_number(self.rng, value)
            case bytes():
                return self._alter_bytes(value)
            case _:
                return self.rng.choice(TEXTS)

    def _alter_bytes(self, value: bytes) -> bytes:
        rng = self.rng
        draw = rng.random()
        if draw < 0.4 and len(value) == HASH_BYTES:
            return rng.choice([*self.seen.hashes, *self.keys])
        if draw < 0.6:
            return flip_bits(rng, value)
        return rng.choice((rng.randbytes(len(value)), bytes(len(value)), value[:-1], value + b"\x00"))

    def _alter_list(self, field: tuple[type, str], items: tuple[object, ...]) -> tuple[object, ...]:
        rng = self.rng
        if items and rng.random() < 0.5:
            index = rng.randrange(len(items))
            return (*items[:index], self._alter_value(items[index]), *items[index + 1 :])
        others = rng.choice(self.seen.values[field] or [()])
        donated = others if isinstance(others, tuple) else ()
        changes = ((), items[1:], items[:-1], items[::-1], items + items[:1], items + donated, donated + items)
        return rng.choice(changes)

    # ---- signatures ----

    def _sign(self, record: StructT) -> StructT:
        """Return a record signed by its author, by somebody else, in somebody else's name, or not again."""
        if not isinstance(record, Message):
            return record
        draw = self.rng.random()
        if draw < 0.75:
            return self.sign_as_author(record)
        other = self.rng.choice(self.signers)
        if draw < 0.85:
            return self._sign_with(other, record)
        if draw < 0.95:
            return self._sign_with(other, msgspec.structs.replace(record, author=other.public))
        return record

    def sign_as_author(self, record: StructT) -> StructT:
        """Return a record signed by its author, if there is one whose key is known."""
        author = getattr(record, "author", None)
        pair = self.keys.get(author) if isinstance(author, bytes) else None
        return record if pair is None else self._sign_with(pair, record)

    def _sign_with(self, pair: KeyPair, record: StructT) -> StructT:
        """Return a record signed by a pair; a transfer most often with the stamp that a chain may ask for."""
        is_stamped = isinstance(record, Transaction) and self.rules.mechanism.stamp_bits
        if is_stamped and self.rng.random() < STAMPED_SHARE:
            return self.rules.sign(pair, record)  # type: ignore[type-var] # fields may be of any type
        signed: StructT = pair.sign(self.rules.chain_id, record)  # type: ignore[type-var] # fields may be of any type
        return signed
