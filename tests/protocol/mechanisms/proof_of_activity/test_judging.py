"""What a template, a signature and a block by activity must show, and what each is refused for."""

from typing import Any, ClassVar

import msgspec
import pytest

from protocol.codec import encode, encode_frame
from protocol.cosigning import draw_places
from protocol.events import Judged, MessageReceived
from protocol.light_client import LightClient
from protocol.mechanisms.proof_of_activity.group import Group
from protocol.mechanisms.proof_of_activity.messages import ActivityBlock, Template
from protocol.mechanisms.proof_of_activity.reasons import ActivityReason
from protocol.mechanisms.proof_of_work.difficulty import find_target
from protocol.messages import Message, Transaction
from protocol.node import Node
from protocol.rules import Rules
from protocol.stakes import StakeTable
from protocol.types import AccountId
from protocol.verdicts import ACCEPT, ChainReason, FrameReason, Ignore, LedgerReason, Reason, Reject, Verdict
from tests.protocol.mechanisms.proof_of_activity.chains import close, cosign, find_group, make_activity, mine, sign
from tests.protocol.mechanisms.proof_of_work.chains import HASHES
from tests.support.core import SLOT_NS, STRANGER, keys
from tests.support.goodness import has_shares

NOW = 400 * SLOT_NS
NODES = 5


@pytest.fixture(scope="module")
def rules() -> Rules:
    return Rules(make_activity(NODES))


@pytest.fixture(scope="module")
def template(rules: Rules) -> Template:
    """A template that has drawn three owners, none of them twice."""
    found = (mine(rules, rules.origin, serial=serial) for serial in range(100))
    return next(item for item in found if len(set(find_group(rules, rules.origin, item).places)) == 3)


def judge(rules: Rules, message: Message | bytes) -> Verdict:
    """Return what a party says of a message about the genesis: of blocks a light client, of all else a node."""
    is_block = isinstance(message, ActivityBlock)
    party = LightClient(rules, keys(1000)) if is_block else Node(rules, keys(1000))
    frame = message if isinstance(message, bytes) else encode_frame(rules.chain_id, message)
    commands = party.handle(MessageReceived("peer", frame), NOW)
    return next(command.verdict for command in commands if isinstance(command, Judged))


def test_whoever_worked_may_have_made_a_template_with_no_coins_at_all(rules: Rules) -> None:
    template = mine(rules, rules.origin, miner=STRANGER)
    assert judge(rules, template) is ACCEPT
    assert judge(rules, close(rules, rules.origin, template)) is ACCEPT


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"target": find_target(HASHES) * 2}, ActivityReason.WRONG_TARGET),
        ({"target": find_target(HASHES) // 2}, ActivityReason.WRONG_TARGET),
        ({"window_start": 1}, ActivityReason.WRONG_WINDOW),
        ({"height": 2}, ChainReason.WRONG_HEIGHT),
    ],
)
def test_work_does_not_make_a_wrong_template_right(rules: Rules, changes: dict[str, Any], reason: Reason) -> None:
    wrong = mine(rules, rules.origin, **changes)
    assert judge(rules, wrong) == Reject(reason)
    assert judge(rules, close(rules, rules.origin, wrong)) == Reject(reason)


def test_a_template_of_a_slot_to_come_blames_nobody(rules: Rules) -> None:
    assert judge(rules, mine(rules, rules.origin, slot=401)) == Ignore(ChainReason.FUTURE_SLOT)


def test_a_template_that_was_never_worked_for_is_refused(rules: Rules, template: Template) -> None:
    idle = sign(rules, msgspec.structs.replace(template, serial=template.serial + 1_000))
    stolen = sign(rules, msgspec.structs.replace(template, author=keys(1).public))
    for wrong in (idle, stolen):
        assert judge(rules, wrong) == Reject(ActivityReason.BAD_WORK)
        assert judge(rules, close(rules, rules.origin, wrong)) == Reject(ActivityReason.BAD_WORK)


def test_a_template_has_no_room_for_a_transfer(rules: Rules, template: Template) -> None:
    """Whatever stands in it beside its header makes it no message of the chain, by itself and inside a block."""
    paid = Transaction(author=keys(1).public, nonce=0, recipient=keys(2).public, amount=5, fee=1)
    fields = msgspec.msgpack.decode(encode(template))
    stuffed = [*fields[:-1], [msgspec.msgpack.decode(encode(sign(rules, paid)))], fields[-1]]
    assert judge(rules, encode((1, rules.chain_id, stuffed))) == Reject(FrameReason.MALFORMED)
    assert judge(rules, encode((1, rules.chain_id, fields))) is ACCEPT
    block = msgspec.msgpack.decode(encode(close(rules, rules.origin, template)))
    assert judge(rules, encode((1, rules.chain_id, [block[0], stuffed, *block[2:]]))) == Reject(FrameReason.MALFORMED)


def test_a_block_needs_every_signature(rules: Rules, template: Template) -> None:
    group = find_group(rules, rules.origin, template)
    assert judge(rules, close(rules, rules.origin, template)) is ACCEPT
    for missing in group.signers:
        rest = tuple(signer for signer in group.signers if signer != missing)
        block = close(rules, rules.origin, template, signers=rest)
        assert judge(rules, block) == Reject(ActivityReason.TOO_FEW_SIGNATURES)


def test_signatures_count_once_and_stand_in_the_order_of_the_draw(rules: Rules, template: Template) -> None:
    signers = find_group(rules, rules.origin, template).signers
    for wrong in (signers[::-1], (signers[0], signers[0]), (*signers, signers[1])):
        block = close(rules, rules.origin, template, signers=wrong)
        assert judge(rules, block) == Reject(ActivityReason.SIGNERS_NOT_ORDERED)


def test_nobody_signs_who_was_not_drawn(rules: Rules, template: Template) -> None:
    group = find_group(rules, rules.origin, template)
    other = next(keys(index).public for index in range(NODES) if keys(index).public not in group.places)
    block = close(rules, rules.origin, template, signers=(group.signers[0], other))
    assert judge(rules, block) == Reject(ActivityReason.NOT_DRAWN)
    taken = close(rules, rules.origin, template, author=other)
    assert judge(rules, taken) == Reject(ActivityReason.WRONG_CLOSER)


def test_a_signature_serves_no_other_template(rules: Rules, template: Template) -> None:
    signatures = close(rules, rules.origin, template).signatures
    other = next(
        item
        for item in (mine(rules, rules.origin, miner=1, serial=serial) for serial in range(500))
        if set(find_group(rules, rules.origin, item).signers) == {item.author for item in signatures}
    )
    reused = close(rules, rules.origin, other, signatures=signatures)
    assert judge(rules, reused) == Reject(ActivityReason.TEMPLATE_MISMATCH)


def test_a_forged_signature_inside_a_block_is_refused(rules: Rules, template: Template) -> None:
    block = close(rules, rules.origin, template)
    forged = msgspec.structs.replace(block.signatures[0], signature=block.signatures[1].signature)
    wrong = sign(rules, msgspec.structs.replace(block, signatures=(forged, *block.signatures[1:])))
    assert judge(rules, wrong) == Reject(ChainReason.BAD_SIGNATURE)
    unsigned = msgspec.structs.replace(template, signature=bytes(64))
    wrong = sign(rules, msgspec.structs.replace(block, template=unsigned))
    assert judge(rules, wrong) == Reject(ChainReason.BAD_SIGNATURE)


def test_nobody_pays_itself_more(rules: Rules, template: Template) -> None:
    block = close(rules, rules.origin, template)
    first = block.coinbase[0]
    more = (msgspec.structs.replace(first, amount=first.amount + 1), *block.coinbase[1:])
    assert judge(rules, close(rules, rules.origin, template, coinbase=more)) == Reject(LedgerReason.WRONG_COINBASE)


class TestSomeMayBeMissing:
    """Five coins are drawn, three of their owners are enough, and the miner closes."""

    RULES: ClassVar = Rules(make_activity(NODES, drawn=5, needed=3))

    def find(self, most: int) -> tuple[Template, Group]:
        """Return a template of a miner without coins that gives one owner so many places, and whom it draws."""
        for serial in range(2_000):
            template = mine(self.RULES, self.RULES.origin, miner=STRANGER, serial=serial)
            group = find_group(self.RULES, self.RULES.origin, template)
            if max(map(group.places.count, group.places)) == most:
                return template, group
        raise AssertionError("no such draw")

    def judge(self, template: Template, signers: tuple[AccountId, ...], **changes: Any) -> Verdict:
        return judge(self.RULES, close(self.RULES, self.RULES.origin, template, signers=signers, **changes))

    def test_three_are_enough_and_two_are_not(self) -> None:
        template, group = self.find(1)
        signers = group.signers
        for chosen in (signers, signers[:4], signers[1:4], (signers[0], signers[2], signers[4])):
            assert self.judge(template, chosen) is ACCEPT
        for chosen in (signers[:2], ()):
            assert self.judge(template, chosen) == Reject(ActivityReason.TOO_FEW_SIGNATURES)

    def test_only_the_miner_closes(self) -> None:
        template, group = self.find(1)
        assert group.closer == template.author
        assert self.judge(template, group.signers, author=group.places[-1]) == Reject(ActivityReason.WRONG_CLOSER)

    def test_an_owner_who_is_drawn_three_times_has_three_votes(self) -> None:
        template, group = self.find(3)
        often = max(group.signers, key=group.places.count)
        assert self.judge(template, (often,)) is ACCEPT


def draw(stakes: StakeTable) -> list[tuple[AccountId, ...]]:
    return [draw_places(number.to_bytes(32, "big"), stakes, 3) for number in range(2_000)]


def test_each_place_goes_by_stake() -> None:
    """Chi-squared, at one in a thousand."""
    owners = sorted(keys(index).public for index in range(4))
    draws = draw(StakeTable(dict(zip(owners, (100, 200, 300, 400), strict=True))))
    for place in range(3):
        found = [sum(drawn[place] == owner for drawn in draws) for owner in owners]
        assert has_shares(found, [1, 2, 3, 4])
        assert not has_shares(found, [1, 1, 1, 1])
    alone = sum(len(set(drawn)) == 1 for drawn in draws)
    assert has_shares([alone, 2_000 - alone], [0.1, 0.9])  # .1^3 + .2^3 + .3^3 + .4^3


def test_it_makes_no_difference_over_how_many_accounts_coins_are_spread() -> None:
    accounts = sorted(keys(index).public for index in range(7))
    draws = draw(StakeTable(dict(zip(accounts, (100, 200, 300, 100, 100, 100, 100), strict=True))))
    whole_group = sum(all(owner in accounts[3:] for owner in drawn) for drawn in draws)
    assert has_shares([whole_group, 2_000 - whole_group], [0.4**3, 1 - 0.4**3])


def test_nobody_is_drawn_where_nobody_has_a_bond() -> None:
    with pytest.raises(ValueError, match="no coins are bonded that could be drawn"):
        draw_places(bytes(32), StakeTable({}), 3)


def test_a_cosignature_of_one_without_coins_takes_no_room(rules: Rules, template: Template) -> None:
    assert judge(rules, cosign(rules, template, keys(STRANGER).public)) == Reject(ChainReason.NOT_BONDED)
