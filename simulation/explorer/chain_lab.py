"""A chain as its bytes, block by block: edit one byte, check the chain, and see from where it does not hold."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from protocol.mechanism import Mechanism
from protocol.messages import AnyBlock
from protocol.rules import Rules
from simulation.explorer.places import PlaceError
from simulation.foundation import SimulationError
from simulation.records import CHAIN_NAME, short_hash
from simulation.runs import JudgedChain, StoredChain, judge_chain, read_stored_chain

HOLDS, BROKEN, BEHIND = "holds", "BROKEN", "stands on a broken block"


class EditError(SimulationError):
    """There is no such byte to edit; the text says which there are."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of checking a chain."""

    rows: list[dict[str, Any]]
    """A row for each block, the genesis first."""
    broken_at: int | None
    """Height of the first block that does not hold; None where all do."""
    why: str | None
    """What is wrong with it, in words."""


class ChainLab:
    """Blocks as bytes. Those that were edited remember what they were."""

    def __init__(self, mechanism: Mechanism, blocks: list[bytes] | None = None) -> None:
        """Take a chain.

        Args:
            mechanism: How its blocks are agreed on, and what it starts from.
            blocks: Canonical bytes of the blocks, lowest first.
        """
        self.mechanism = mechanism
        self.rules = Rules(mechanism)
        self._blocks = list(blocks or [])
        self._former: dict[int, bytes] = {}

    @property
    def height(self) -> int:
        """How many blocks there are."""
        return len(self._blocks)

    @property
    def edited(self) -> list[int]:
        """The heights of edited blocks."""
        return sorted(self._former)

    def get_bytes(self, height: int) -> bytes:
        """Return the bytes of a block.

        Raises:
            EditError: There is no such block.
        """
        if not 1 <= height <= self.height:
            raise EditError(f"height {height}: write one from 1 to {self.height}; the genesis is what all agree on")
        return self._blocks[height - 1]

    def append(self, block: bytes) -> None:
        """Put a block on top."""
        self._blocks.append(block)

    def edit(self, height: int, place: int, value: int) -> None:
        """Replace one byte of a block.

        Raises:
            EditError: There is no such block or byte, or it has this value already.
        """
        before = self.get_bytes(height)
        if not 0 <= place < len(before):
            raise EditError(f"byte {place}: write one from 0 to {len(before) - 1}, which the block has")
        if not 0 <= value <= 255:
            raise EditError(f"value {value}: write one from 0 to 255, which a byte can be")
        if before[place] == value:
            raise EditError(f"byte {place} is {value} already; write another value")
        after = before[:place] + bytes([value]) + before[place + 1 :]
        if after == self._former.setdefault(height, before):
            del self._former[height]
        self._blocks[height - 1] = after

    def restore(self) -> None:
        """Undo all edits."""
        for height, before in self._former.items():
            self._blocks[height - 1] = before
        self._former.clear()

    def judge(self) -> JudgedChain:
        """Return what of the chain holds, judged from the genesis up by the rules that every node has."""
        blocks: list[AnyBlock] = []
        for packed in self._blocks:
            block = self._decode(packed)
            if block is None:
                return judge_chain(StoredChain(self.mechanism, tuple(blocks), "its bytes stand for no block"))
            blocks.append(block)
        return judge_chain(StoredChain(self.mechanism, tuple(blocks), None))

    def check(self) -> Checked:
        """Check every block: its bytes, its parent's hash, its proof, signatures and coins."""
        judged = self.judge()
        good = len(judged.records) - 1
        first = judged.rules.origin
        rows = [{"height": 0, "hash": short_hash(first.hash), "parent": "", "names its parent": "", "block": HOLDS}]
        before: bytes | None = first.hash
        for height, packed in enumerate(self._blocks, start=1):
            block = self._decode(packed)
            own = self.rules.hash_message(block) if block is not None else None
            parent = short_hash(block.parent) if block is not None else "?"
            name = short_hash(own) if own is not None else "?"
            verdict = HOLDS if height <= good else BROKEN if height == good + 1 else BEHIND
            link = "yes" if block is not None and block.parent == before else "no"
            rows.append({"height": height, "hash": name, "parent": parent, "names its parent": link, "block": verdict})
            before = own
        is_whole = judged.fault is None
        why = None if judged.fault is None else judged.fault.removeprefix(f"{CHAIN_NAME}: ")
        return Checked(rows, None if is_whole else good + 1, why)

    def describe(self, height: int) -> dict[str, str]:
        """Return what a block's bytes say, field by field; nothing where they stand for no block.

        Raises:
            EditError: There is no such block.
        """
        block = self._decode(self.get_bytes(height))
        if block is None:
            return {}
        return {name: _show(getattr(block, name)) for name in block.__struct_fields__}

    def _decode(self, packed: bytes) -> AnyBlock | None:
        """Return the block with these bytes; None where they are none, or not the only ones it could have."""
        try:
            block = self.rules.decode_block(packed)
        except (msgspec.MsgspecError, ValueError):
            return None
        return block if self.rules.encode(block) == packed else None


def read_lab(folder: Path) -> ChainLab:
    """Return the chain of a run's folder as bytes; the file stays as it is.

    Raises:
        ChainFileError: Not even its genesis can be read.
        PlaceError: There is no chain.
    """
    path = folder / CHAIN_NAME
    if not path.is_file():
        raise PlaceError(f"{folder}: there is no {CHAIN_NAME} in it; choose the folder of a run that has ended")
    stored = read_stored_chain(path)
    rules = Rules(stored.mechanism)
    return ChainLab(stored.mechanism, [rules.encode(block) for block in stored.blocks])


def _show(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return f"{len(value)}: " + ", ".join(_show(item) for item in value) if value else "none"
    return str(msgspec.to_builtins(value, enc_hook=str)) if isinstance(value, msgspec.Struct) else str(value)
