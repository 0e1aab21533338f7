"""A coalition that keeps back the blocks it wraps, and shows each when it undoes most."""

from collections import Counter

import msgspec
import pytest

from protocol.chain import BlockTree
from protocol.codec import encode_frame
from protocol.events import BlockAppended, Broadcast, ChainRecord, Command
from protocol.ledger import LedgerState
from protocol.mechanisms.proof_of_training.job import Confidence
from protocol.mechanisms.proof_of_training.messages import StakeholderSignature, TrainingDeclaration, WrappedBlock
from protocol.mechanisms.proof_of_training.repairs import VERSION_2
from protocol.messages import AnyBlock, HeadAnnouncement
from protocol.types import Hash32
from tests.support.core import Cluster, genesis, get_proposer, keys

OWNERS, MEMBERS, STAGES = 11, 5, 10
LOOK_NS, PATIENCE_NS = 20_000_000, 2_000_000_000


class Balance(Cluster):
    """Members keep back what they wrap, refuse to sign what others would wrap, and play two branches off."""

    def __init__(self, seed: int) -> None:
        start = genesis(
            OWNERS,
            stages=STAGES,
            repairs=VERSION_2,
            slot_ns=25_000_000,
            confidence=Confidence(rule="stake_share", value=500_000),
            declarations_per_slot=10**12,
            headers_per_slot=300_000,
        )
        super().__init__(msgspec.structs.replace(start, seed=seed))
        self.members = {str(index) for index in range(MEMBERS)}
        self.honest = sorted(set(self.parties) - self.members)
        self.rules = self.parties["0"].rules
        self.accounts = {keys(index).public for index in range(MEMBERS)}
        self.kept: dict[Hash32, tuple[int, WrappedBlock]] = {}
        """Blocks kept back, and since when."""
        self.filters.append(self.says)

    def says(self, name: str, target: str, command: Command) -> bool:
        """Return whether something is said; what a member keeps back it keeps from all."""
        message = command.message if isinstance(command, Broadcast) else None
        if name not in self.members or message is None:
            return True
        match message:
            case WrappedBlock() if message.height < STAGES:
                self.kept.setdefault(self.rules.hash_message(message), (self.now, message))
                return False
            case TrainingDeclaration():
                return message.parent not in self.kept
            case StakeholderSignature():
                return self.helps(name, message)
        return not isinstance(message, HeadAnnouncement)

    def helps(self, name: str, signature: StakeholderSignature) -> bool:
        proposal = get_proposer(self.parties[name]).read_round(signature.parent).proposals[signature.header]
        return proposal.book.wrapper in self.accounts or self.has_child(signature.parent)

    def has_child(self, parent: Hash32) -> bool:
        return any(block.parent == parent for _, block in self.kept.values())

    def play(self) -> int:
        """Run to the end; return how many blocks an honest node gave up at once at most."""
        while not all(self.parties[name].tree.is_whole for name in self.honest):
            end = self.now + LOOK_NS
            self.run(seconds=LOOK_NS / 1e9)
            self.now = end
            assert self.now < 300e9, "the job does not end"
            tree = self.parties[self.honest[0]].tree
            heads = Counter(self.parties[name].tree.head.hash for name in self.honest)
            head = tree.get(heads.most_common(1)[0][0])
            if head is not None:
                self.show_one(tree, head)
        moves = [(name, item.change) for _, name, item in self.log if isinstance(item, BlockAppended)]
        return max(len(change.abandoned) for name, change in moves if name in self.honest and change is not None)

    def show_one(self, tree: BlockTree[AnyBlock, LedgerState], head: ChainRecord) -> None:
        """Show a block that takes the head's place, once there is a kept one to come back with."""
        for block_hash, (since, block) in sorted(self.kept.items(), key=lambda item: item[1][1].slot):
            is_known, is_old = block.parent in tree, self.now - since > PATIENCE_NS
            undoes = block.height == head.height and block.slot < head.slot
            if is_known and (is_old or (undoes and self.has_child(head.hash))):
                del self.kept[block_hash]
                for name in self.parties:
                    self.send(name, "0", encode_frame(self.rules.chain_id, block))
                return


SEEDS = range(3)


@pytest.mark.many_runs
def test_blocks_kept_back_undo_one_block_at_most() -> None:
    assert max(Balance(seed).play() for seed in SEEDS) <= 1


@pytest.mark.many_runs
def test_where_declarations_decide_nothing_they_undo_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BlockTree, "back", lambda *_: None)
    assert max(Balance(seed).play() for seed in SEEDS) > 1
