"""What miners have in common that keep blocks to themselves: whom they tell, and what others have seen."""

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, Final

from protocol.codec import encode_frame
from protocol.events import BlockAppended, Broadcast, ChainRecord, Relay, Send
from protocol.inbox import Delivery
from protocol.mechanism import NodeView
from protocol.mechanisms.proof_of_work.messages import WorkedBlock
from protocol.mechanisms.proof_of_work.miner import Miner, Templates
from protocol.messages import BlockResponse, HeadAnnouncement, Transaction
from protocol.turn import SELF, Turn
from protocol.types import AccountId, Hash32, Nanoseconds, PeerId
from simulation.attacks import Action, Coalition, Core


def list_told(told: Coalition | None, account: AccountId) -> tuple[PeerId, ...]:
    """Return the link names of those that a miner tells of its blocks before others."""
    return () if told is None else told.list_others(account)


class PrivateMiner(Miner):
    """A miner whose blocks its coalition alone gets, until they are shown. What it does follows from what it hears."""

    told: Coalition | None
    """Who gets its blocks before others do; None for nobody."""
    shown: set[Hash32]
    """Hashes of its coalition's blocks, or its own, that others have or are about to get."""

    def __init__(self, mechanism: Templates, node: NodeView) -> None:
        """Begin with nothing of its own."""
        super().__init__(mechanism, node)
        self.public: ChainRecord = node.tree.genesis
        """The heaviest block that others have, the first of several."""
        self._members: Final = frozenset([node.keys.public] if self.told is None else self.told.accounts)

    @abstractmethod
    def note(self, turn: Turn, record: ChainRecord) -> None:
        """Act on a block that has been appended, whoever made it."""

    def restore(self, before: Any) -> None:  # noqa: ANN401 - its proposer of then
        """Take over what others had when the node went down; a branch of its own is forgotten."""
        self.public = before.public

    def offer(self, turn: Turn, block: WorkedBlock) -> None:
        """Take a block that was found: send it to members alone."""
        signed = self.node.keys.sign(self.node.rules.chain_id, block)
        for peer in list_told(self.told, self.node.keys.public):
            turn.add(Send(peer, signed))
        frame = encode_frame(self.node.rules.chain_id, signed)
        key = self.node.rules.hash_message(signed)
        turn.pending.append(Delivery(SELF, signed, frame, key, len(frame)))

    def end(self, turn: Turn) -> None:
        """Look at each block of the turn, then go on mining."""
        for command in tuple(turn.commands):
            if isinstance(command, BlockAppended):
                if not self.is_own(command.record):
                    self.shown.update(record.hash for record in self._list_hidden(command.record))
                self.note(turn, command.record)
        super().end(turn)

    def choose_transactions(self) -> tuple[Transaction, ...]:
        """Return the transfers of a block: none where it is not built on what the node takes for the head."""
        is_on_head = self.choose_parent().hash == self.node.tree.head.hash
        return super().choose_transactions() if is_on_head else ()

    def is_own(self, record: ChainRecord) -> bool:
        """Return whether a member has made a block."""
        return record.block is not None and record.block.author in self._members

    def show(self, turn: Turn, tip: ChainRecord, up_to: int | None = None) -> None:
        """Send everybody the hidden blocks of a branch, the lowest first.

        Args:
            turn: The call it is part of.
            tip: The last block of the branch.
            up_to: Height of the last one that is shown; None for all.
        """
        for record in reversed(self._list_hidden(tip)):
            if record.block is None or (up_to is not None and record.height > up_to):
                continue
            self.shown.add(record.hash)
            if record.block.author == self.node.keys.public:
                turn.add(Broadcast(record.block))
            else:
                turn.add(Relay(encode_frame(self.node.rules.chain_id, record.block), SELF))

    def _list_hidden(self, record: ChainRecord) -> list[ChainRecord]:
        """Return the coalition's blocks below a block, itself too, that others do not have, the highest first.

        What somebody else has built on, others have: so it ends at the first one that is not the coalition's, except
        for the block that is asked about.
        """
        hidden = [record] if self.is_own(record) else []
        below = self.node.tree.get(record.parent)
        if record.hash in self.shown:
            return []
        while below is not None and self.is_own(below) and below.hash not in self.shown:
            hidden.append(below)
            below = self.node.tree.get(below.parent)
        return hidden


class Hiding:
    """A layer that keeps a core from telling others of blocks that they shall not have yet."""

    told: Coalition | None
    """Who gets its blocks before others do; None for nobody."""
    shown: set[Hash32]

    def speak(self, core: Core, action: Action, now: Nanoseconds) -> Iterable[Action]:
        """Announce hidden heads to members alone, and leave hidden blocks out of answers to others."""
        members = list_told(self.told, core.keys.public)
        match action:
            case Broadcast(message=HeadAnnouncement() as message) if self._is_hidden(core, message.head):
                return [Send(peer, message) for peer in members]
            case Send(peer=peer, message=BlockResponse() as answer) if peer not in members:
                return (Send(peer, self._cut(core, answer)),)
            case _:
                return (action,)

    def _is_hidden(self, core: Core, block_hash: Hash32) -> bool:
        block = core.tree.require(block_hash).block
        if block is None or block_hash in self.shown:
            return False
        return block.author == core.keys.public or (self.told is not None and block.author in self.told.accounts)

    def _cut(self, core: Core, answer: BlockResponse[Any]) -> BlockResponse[Any]:
        """Return an answer that ends below the first hidden block."""
        blocks = []
        for block in answer.blocks:
            if self._is_hidden(core, core.rules.hash_message(block)):
                break
            blocks.append(block)
        if len(blocks) == len(answer.blocks):
            return answer
        rest: BlockResponse[Any] = BlockResponse(blocks=tuple(blocks), author=core.keys.public)
        return core.keys.sign(core.rules.chain_id, rest)
