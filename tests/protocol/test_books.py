"""Books count signers, never messages; each is compared with a version too simple to be wrong."""

from fractions import Fraction
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from protocol.cosigning import SignatureBook
from protocol.mechanisms.proof_of_training.job import Confidence
from protocol.mechanisms.proof_of_training.messages import StakeholderSignature
from protocol.mechanisms.proof_of_training.round import Proposal, Round, has_confidence
from protocol.stakes import StakeTable
from protocol.types import PARTS_PER_MILLION
from tests.support.core import Scene

OWNERS: Final = tuple(bytes([number]) * 32 for number in range(8))
owners = st.sampled_from(OWNERS)
streams = st.lists(st.tuples(owners, st.integers(0, 3)), max_size=20)


def sign(author: bytes, version: int) -> StakeholderSignature:
    return StakeholderSignature(
        height=1, parent=bytes(32), header=bytes(32), author=author, signature=bytes([version]) * 64
    )


@given(st.lists(owners, min_size=1, unique=True), streams)
def test_the_signature_book_agrees_with_the_slow_version(chosen: list[bytes], stream: list[tuple[bytes, int]]) -> None:
    book: SignatureBook[StakeholderSignature] = SignatureBook(tuple(chosen))
    for author, version in stream:
        book.add(sign(author, version))
    signers = chosen[:-1]
    firsts = [next((item for item in stream if item[0] == signer), None) for signer in signers]
    assert book.wrapper == chosen[-1]
    assert book.is_complete == (None not in firsts)
    assert book.get_signatures() == tuple(sign(*item) for item in firsts if item is not None)
    sent = [author for author, _ in stream]
    assert all((owner in book) == (owner in sent and owner in signers) for owner in OWNERS)


def slow_has_confidence(rule: Confidence, stakes: dict[bytes, int], authors: list[bytes]) -> bool:
    distinct = [author for number, author in enumerate(authors) if author not in authors[:number]]
    if rule.rule == "count":
        return len(distinct) >= rule.value
    held = sum((Fraction(stakes.get(author, 0)) for author in distinct), Fraction(0))
    return held > Fraction(rule.value, PARTS_PER_MILLION) * sum(stakes.values())


rules = st.one_of(
    st.builds(Confidence, rule=st.just("count"), value=st.integers(0, 9)),
    st.builds(Confidence, rule=st.just("stake_share"), value=st.sampled_from([0, 250_000, 333_333, 500_000, 999_999])),
)
stake_tables = st.dictionaries(owners, st.sampled_from([0, 1, 2, 3, 10**15]), min_size=1)


@given(rules, stake_tables, st.lists(owners))
def test_confidence_agrees_with_the_slow_version(
    rule: Confidence, stakes: dict[bytes, int], authors: list[bytes]
) -> None:
    expected = slow_has_confidence(rule, stakes, authors)
    assert has_confidence(rule, StakeTable(stakes), frozenset(authors)) == expected


def test_a_share_of_the_stake_must_be_passed_and_not_only_reached() -> None:
    half = Confidence(rule="stake_share", value=500_000)
    stakes = StakeTable({OWNERS[0]: 50, OWNERS[1]: 49, OWNERS[2]: 1})
    assert not has_confidence(half, stakes, frozenset({OWNERS[0]}))
    assert not has_confidence(half, stakes, frozenset({OWNERS[1], OWNERS[2]}))
    assert has_confidence(half, stakes, frozenset({OWNERS[0], OWNERS[2]}))


def test_a_round_keeps_the_first_declaration_of_each_author_by_ascending_author() -> None:
    scene = Scene()
    book = Round()
    sent = [scene.declaration(index) for index in (3, 1, 2)]
    for declaration in [*sent, scene.declaration(1, slot=30), scene.declaration(2, data="poison")]:
        book.add_declaration(declaration)
    poisoned = scene.declaration(4, data="poison")
    book.add_declaration(poisoned)
    stakes = scene.node.tree.head.state.stakes
    chosen = book.choose_declarations(stakes, 1_000, sent[0].weights_digest)
    assert chosen == tuple(sorted(sent, key=lambda item: item.author))
    assert book.choose_declarations(stakes, 1_000, poisoned.weights_digest) == (poisoned,)
    assert not book.is_revealed


def test_a_header_closes_the_round_and_is_found_by_author_and_slot() -> None:
    scene = Scene()
    book, header = Round(), scene.header()
    before = book.snapshot()
    book.add_proposal(OWNERS[0], Proposal(header, SignatureBook(scene.stakeholders(header))))
    assert book.is_revealed
    assert book.get_header_in_slot(header.author, header.slot) == OWNERS[0]
    assert book.get_header_in_slot(header.author, header.slot + 1) is None
    assert book.get_header_in_slot(OWNERS[1], header.slot) is None
    assert book.snapshot() != before
