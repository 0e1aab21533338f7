"""The protocol with one defence taken away: each function removes one rule, so that an attack shows its effect."""

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from protocol import ledger, mempool
from protocol.catch_up import CatchUp
from protocol.chain import BlockTree
from protocol.codec import DecodeError
from protocol.inbox import Inbox
from protocol.ledger import Account, LedgerState
from protocol.mechanism import Context
from protocol.mechanisms.proof_of_training.judging import TrainingContext, TrainingJudge
from protocol.mechanisms.proof_of_training.messages import BlockHeader
from protocol.mechanisms.proof_of_training.proposer import TrainingProposer
from protocol.mechanisms.proof_of_training.reasons import TrainingReason
from protocol.mempool import Mempool
from protocol.messages import BlockRequest, Message, Transaction
from protocol.participant import Participant
from protocol.rules import Rules
from protocol.stakes import StakeTable
from protocol.turn import RecentSet, Turn
from protocol.types import AccountId
from protocol.verdicts import ACCEPT, ChainReason, Ignore, LedgerReason, Reason, Reject, Verdict
from simulation.engines.caching_rules import CachingRules


def accept_instead(
    monkeypatch: pytest.MonkeyPatch, *replaced: Verdict, of: str, owner: type[Any] = TrainingProposer
) -> None:
    """Let a method of nodes accept where it would give one of some verdicts."""
    judge = getattr(owner, of)

    def judge_badly(self: Any, *arguments: Any) -> Verdict:
        verdict: Verdict = judge(self, *arguments)
        return ACCEPT if verdict in replaced else verdict

    monkeypatch.setattr(owner, of, judge_badly)


# ---- training ----


def trust_proposers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nodes accept the headers of others, whatever their own training gave."""
    judge_header = TrainingJudge.judge_header

    def trust_header(pot: TrainingJudge, context: TrainingContext, header: BlockHeader) -> Verdict:
        return judge_header(pot, msgspec.structs.replace(context, own=None), header)

    monkeypatch.setattr(TrainingJudge, "judge_header", trust_header)


def take_any_commitment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a commitment count whoever has signed whatever."""

    def is_fine(*_: object, **__: object) -> bool:
        return True

    monkeypatch.setattr(TrainingJudge, "is_committed", is_fine)


def leave_the_window_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let declarations count after the secret is public."""
    accept_instead(monkeypatch, Ignore(TrainingReason.WINDOW_CLOSED), of="judge_declaration")


def include_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let proposers include declarations whose commitment they have not checked; headers are checked as ever."""
    accept_instead(monkeypatch, Reject(TrainingReason.BAD_COMMITMENT), of="judge_declaration")


# ---- rights ----


def believe_every_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everybody speak in every slot."""

    def judge_right(*_: object) -> Verdict:
        return ACCEPT

    monkeypatch.setattr(TrainingJudge, "judge_right", judge_right)


def allow_future_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold slots against the parent's only, not against the clock."""
    judge = Rules.judge_position

    def judge_position(rules: Rules, context: Context[Any], height: int, slot: int) -> Verdict:
        verdict = judge(rules, context, height, slot)
        return ACCEPT if verdict == Ignore(ChainReason.FUTURE_SLOT) else verdict

    monkeypatch.setattr(Rules, "judge_position", judge_position)


def allow_two_stories(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an author say two things in one slot or round."""
    accept_instead(monkeypatch, Reject(ChainReason.EQUIVOCATION), of="judge_declaration")
    accept_instead(monkeypatch, Reject(ChainReason.EQUIVOCATION), of="judge_header")


def count_identities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every bonded key one vote, whatever it has bonded."""
    start = StakeTable.__init__

    def start_equal(table: StakeTable, stakes: dict[AccountId, int]) -> None:
        start(table, {owner: min(stake, 1) for owner, stake in stakes.items()})

    monkeypatch.setattr(StakeTable, "__init__", start_equal)


def propose_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody propose where there is a header already, so that one that dies is the end."""
    propose = TrainingProposer.propose

    def propose_first(proposer: TrainingProposer, turn: Turn, slot: int) -> None:
        if not proposer.read_round(proposer.head.hash).proposals:
            propose(proposer, turn, slot)

    monkeypatch.setattr(TrainingProposer, "propose", propose_first)


# ---- bytes, signatures, memory ----


def skip_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Believe the name on every message."""

    def is_signed(_: CachingRules, message: Message) -> bool:
        return True

    monkeypatch.setattr(CachingRules, "is_signed", is_signed)


def fail_at_malformed_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the decoder raise what nobody catches."""
    decode = CachingRules.decode

    def decode_badly(rules: CachingRules, frame: bytes) -> Message:
        try:
            return decode(rules, frame)
        except DecodeError as error:
            raise ValueError(error.reason.value) from None

    monkeypatch.setattr(CachingRules, "decode", decode_badly)


def forget_what_was_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nodes take a frame, and count a message, as often as it comes."""

    def forget(_: RecentSet[bytes], key: bytes) -> None:
        pass

    def has_seen(_: Participant, frame_hash: bytes) -> bool:
        return False

    monkeypatch.setattr(RecentSet, "remember", forget)
    monkeypatch.setattr(Participant, "has_seen", has_seen)
    for method in ("judge_declaration", "judge_header", "judge_signature"):
        accept_instead(monkeypatch, Ignore(ChainReason.DUPLICATE), of=method)


def keep_everything_that_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the messages that wait all the room they take."""

    def has_room(*_: object) -> bool:
        return True

    monkeypatch.setattr(Inbox, "has_room", has_room)
    monkeypatch.setattr(Inbox, "_make_room", has_room)


def never_ask_for_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take catch-up away."""

    def ask(*_: object, **__: object) -> None:
        pass

    monkeypatch.setattr(CatchUp, "ask", ask)


# ---- money ----


def ignore_nonces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every transfer be paid that its author has the coins for, whatever its number."""

    def find_fault(payer: Account | None, transaction: Transaction, **_: object) -> Reason | None:
        if payer is None:
            return LedgerReason.UNKNOWN_ACCOUNT
        return LedgerReason.OVERDRAFT if transaction.amount + transaction.fee > payer.balance else None

    def judge(pool: Mempool, state: LedgerState, transaction: Transaction) -> Verdict:
        return ACCEPT

    def add(pool: Mempool, state: LedgerState, transaction: Transaction) -> None:
        key = int.from_bytes(transaction.signature[:8], "big")
        pool._pending.setdefault(transaction.author, {})[key] = transaction

    def select(pool: Mempool, state: LedgerState, limit: int) -> tuple[Transaction, ...]:
        chosen: list[Transaction] = []
        for author, pending in sorted(pool._pending.items()):
            left = state.get_account(author).balance
            for _, transaction in sorted(pending.items()):
                if transaction.amount + transaction.fee <= left:
                    left -= transaction.amount + transaction.fee
                    chosen.append(transaction)
        return tuple(chosen[:limit])

    def keep_all(pool: Mempool, state: LedgerState, returned: Iterable[Transaction]) -> None:
        pass

    monkeypatch.setattr(ledger, "find_transfer_fault", find_fault)
    monkeypatch.setattr(mempool, "find_transfer_fault", find_fault)
    for name, method in (("judge", judge), ("add", add), ("select", select), ("on_head_changed", keep_all)):
        monkeypatch.setattr(Mempool, name, method)


def keep_what_came_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a place in the pool to whoever comes first, for good."""

    def has_room(pool: Mempool, state: LedgerState, transaction: Transaction) -> bool:
        return len(pool) < mempool.MAX_POOL

    monkeypatch.setattr(Mempool, "_has_room", has_room)
    monkeypatch.setattr(mempool, "MAX_BLOCKS_STUCK", 1_000_000)


def answer_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send blocks to whoever asks, as often as it asks."""

    def is_due(*_: object) -> bool:
        return True

    def serve(catch_up: CatchUp, turn: Turn, peer: str, request: BlockRequest, tree: BlockTree[Any, Any]) -> None:
        catch_up._served.clear()
        serve_once(catch_up, turn, peer, request, tree)

    serve_once = CatchUp.serve
    monkeypatch.setattr(CatchUp, "is_due", is_due)
    monkeypatch.setattr(CatchUp, "serve", serve)
