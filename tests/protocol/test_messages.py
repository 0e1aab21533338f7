"""Every field of every message, changed: exactly one reason each, and no mark left."""

from collections.abc import Callable
from typing import Final

import msgspec
import pytest

from protocol.catch_up import MAX_LOCATOR
from protocol.mechanisms.proof_of_training.messages import (
    MESSAGE_KINDS,
    BlockHeader,
    StakeholderSignature,
    TrainingDeclaration,
    WrappedBlock,
)
from protocol.mechanisms.proof_of_training.reasons import Right, TrainingMissing, TrainingReason
from protocol.messages import UNSIGNED, BlockRequest, BlockResponse, HeadAnnouncement, Message, Payout, Transaction
from protocol.verdicts import (
    ACCEPT,
    ChainMissing,
    ChainReason,
    FrameReason,
    Ignore,
    LedgerReason,
    Missing,
    Reject,
    Verdict,
    Wait,
)
from tests.support.core import STRANGER, Scene, keys

UNKNOWN: Final = bytes([7]) * 32
FUTURE: Final = 10_000
Expected = Verdict | Missing
Change = Callable[[Scene, Message], Message]
Case = tuple[str, str, Change, Expected]
"""Message kind, field, change of a valid message that its author then signs, and the verdict."""


def make_scene() -> Scene:
    """Return a node at height 1 whose accounts 1 and 2 have made one transfer each."""
    scene = Scene()
    scene.grow((scene.transfer(1, 2), scene.transfer(2, 1)))
    return scene


def make_valid(scene: Scene, kind: str) -> Message:
    """Return a message of this kind that the scene's node accepts, and prepare the node for it."""
    asker = keys(1).public
    match kind:
        case "transaction":
            return scene.transfer(nonce=1)
        case "declaration":
            return scene.declaration()
        case "header":
            return scene.header()
        case "stakeholder":
            header = scene.header()
            scene.deliver(header)
            signer = next(key for key in scene.stakeholders(header)[:-1] if key != keys(0).public)
            return scene.signature(header, signer)
        case "block":
            return scene.block(transactions=(scene.transfer(nonce=1), scene.transfer(2, 1, nonce=1)))
        case "head":
            return scene.sign(HeadAnnouncement(height=5, head=UNKNOWN, author=asker))
        case "request":
            return scene.sign(BlockRequest(locator=scene.node.tree.get_locator(), author=asker))
        case "response":
            scene.deliver(scene.sign(HeadAnnouncement(height=5, head=UNKNOWN, author=asker)))
            return scene.sign(BlockResponse(blocks=(scene.block(),), author=asker))
    raise AssertionError(f"no valid message of kind {kind}")


def agrees(verdict: Verdict, expected: Expected) -> bool:
    return verdict.missing is expected if isinstance(verdict, Wait) else verdict == expected


def set_to(**changes: object) -> Change:
    return lambda _, message: msgspec.structs.replace(message, **changes)


def set_losing_slot(right: Right) -> Change:
    def change(scene: Scene, message: Message) -> Message:
        slot = scene.find_slot(right, 1, scene.head, scene.head.slot + 60, wins=False)
        return msgspec.structs.replace(message, slot=slot)

    return change


def set_other_winner(scene: Scene, message: Message) -> Message:
    slot = scene.find_slot(Right.DECLARE, 2, scene.head, scene.head.slot + 1)
    return msgspec.structs.replace(message, author=keys(2).public, slot=slot)


def set_early_slot(scene: Scene, message: Message) -> Message:
    return msgspec.structs.replace(message, slot=scene.head.slot - 1)


def set_slot_before_declarations(scene: Scene, message: Message) -> Message:
    return msgspec.structs.replace(message, slot=scene.find_slot(Right.PROPOSE, 1, scene.head, scene.head.slot))


def set_to_wrapper(scene: Scene, message: Message) -> Message:
    """Let the last stakeholder sign, who was drawn to wrap."""
    return msgspec.structs.replace(message, author=scene.stakeholders(scene.header())[-1])


def set_to_first_signer(_: Scene, message: Message) -> Message:
    """Let somebody wrap who was drawn to sign."""
    assert isinstance(message, WrappedBlock)
    return msgspec.structs.replace(message, author=message.signatures[0].author)


def on_header(**changes: object) -> Change:
    """Change the header inside a block; whoever wraps cannot sign it for the header's author."""

    def change(_: Scene, message: Message) -> Message:
        assert isinstance(message, WrappedBlock)
        return msgspec.structs.replace(message, header=msgspec.structs.replace(message.header, **changes))

    return change


def on_tuple(field: str, pick: Callable[[Scene, tuple[Message, ...]], object]) -> Change:
    """Replace a tuple of a message by what ``pick`` makes of it."""
    return lambda scene, message: msgspec.structs.replace(message, **{field: pick(scene, getattr(message, field))})


def on_first(field: str, *, resign: bool = True, **changes: object) -> Change:
    """Change the first nested message of a tuple, signed again by its author or not; keep declarations sorted."""

    def pick(scene: Scene, items: tuple[Message, ...]) -> object:
        first = msgspec.structs.replace(items[0], **changes)
        return tuple(sorted((scene.sign(first) if resign else first, *items[1:]), key=lambda item: item.author))

    def keep(scene: Scene, items: tuple[Message, ...]) -> object:
        first = msgspec.structs.replace(items[0], **changes)
        return (scene.sign(first) if resign else first, *items[1:])

    return on_tuple(field, pick if field == "declarations" else keep)


def on_payout(**changes: object) -> Change:
    return on_tuple("coinbase", lambda _, lines: (msgspec.structs.replace(lines[0], **changes), *lines[1:]))


ZEROS: Final = bytes(64)
STRANGE_KEY: Final = keys(STRANGER).public
RESIGNED: Final[list[Case]] = [
    ("transaction", "author", set_to(author=STRANGE_KEY), Ignore(LedgerReason.UNKNOWN_ACCOUNT)),
    ("transaction", "nonce", set_to(nonce=0), Ignore(LedgerReason.NONCE_USED)),
    ("transaction", "nonce", set_to(nonce=1_002), Ignore(LedgerReason.NONCE_GAP)),
    ("transaction", "recipient", set_to(recipient=STRANGE_KEY), ACCEPT),
    ("transaction", "amount", set_to(amount=2**60), Ignore(LedgerReason.OVERDRAFT)),
    ("transaction", "fee", set_to(fee=2**60), Ignore(LedgerReason.OVERDRAFT)),
    ("declaration", "height", set_to(height=1), Reject(ChainReason.WRONG_HEIGHT)),
    ("declaration", "height", set_to(height=3), Reject(ChainReason.WRONG_HEIGHT)),
    ("declaration", "parent", set_to(parent=UNKNOWN), ChainMissing.BLOCK),
    ("declaration", "slot", set_losing_slot(Right.DECLARE), Reject(ChainReason.LOTTERY_LOST)),
    ("declaration", "slot", set_to(slot=FUTURE), Ignore(ChainReason.FUTURE_SLOT)),
    ("declaration", "slot", set_early_slot, Reject(ChainReason.SLOT_BEFORE_PARENT)),
    ("declaration", "author", set_other_winner, Reject(TrainingReason.BAD_COMMITMENT)),
    ("declaration", "author", set_to(author=STRANGE_KEY), Reject(ChainReason.NOT_BONDED)),
    ("declaration", "weights_digest", set_to(weights_digest=UNKNOWN), Reject(TrainingReason.DIFFERENT_WEIGHTS)),
    ("declaration", "profile", set_to(profile="other"), Reject(TrainingReason.WRONG_PROFILE)),
    ("declaration", "commitment", set_to(commitment=ZEROS), Reject(TrainingReason.BAD_COMMITMENT)),
    ("header", "height", set_to(height=1), Reject(ChainReason.WRONG_HEIGHT)),
    ("header", "height", set_to(height=3), Reject(ChainReason.WRONG_HEIGHT)),
    ("header", "parent", set_to(parent=UNKNOWN), ChainMissing.BLOCK),
    ("header", "slot", set_losing_slot(Right.PROPOSE), Reject(ChainReason.LOTTERY_LOST)),
    ("header", "slot", set_to(slot=FUTURE), Ignore(ChainReason.FUTURE_SLOT)),
    ("header", "slot", set_early_slot, Reject(ChainReason.SLOT_BEFORE_PARENT)),
    ("header", "slot", set_slot_before_declarations, Reject(TrainingReason.DECLARATION_AFTER_HEADER)),
    ("header", "author", set_to(author=STRANGE_KEY), Reject(ChainReason.NOT_BONDED)),
    ("header", "weights_digest", set_to(weights_digest=UNKNOWN), Reject(TrainingReason.DIFFERENT_WEIGHTS)),
    ("header", "training_secret", set_to(training_secret=UNKNOWN), Reject(TrainingReason.DIFFERENT_SECRET)),
    ("header", "declarations", set_to(declarations=()), Reject(TrainingReason.CONFIDENCE_NOT_REACHED)),
    (
        "header",
        "declarations",
        on_tuple("declarations", lambda _, d: d[:1]),
        Reject(TrainingReason.CONFIDENCE_NOT_REACHED),
    ),
    (
        "header",
        "declarations",
        on_tuple("declarations", lambda _, d: (*d, d[-1])),
        Reject(TrainingReason.DECLARATIONS_NOT_DISTINCT),
    ),
    (
        "header",
        "declarations",
        on_tuple("declarations", lambda _, d: d[::-1]),
        Reject(TrainingReason.DECLARATIONS_NOT_DISTINCT),
    ),
    ("stakeholder", "height", set_to(height=3), Reject(TrainingReason.HEADER_MISMATCH)),
    ("stakeholder", "parent", set_to(parent=UNKNOWN), ChainMissing.BLOCK),
    ("stakeholder", "parent", lambda s, m: msgspec.structs.replace(m, parent=s.chain_id), Ignore(ChainReason.STALE)),
    ("stakeholder", "header", set_to(header=UNKNOWN), TrainingMissing.HEADER),
    ("stakeholder", "author", set_to(author=STRANGE_KEY), Reject(ChainReason.NOT_BONDED)),
    ("stakeholder", "author", set_to_wrapper, Reject(TrainingReason.NOT_A_STAKEHOLDER)),
    (
        "block",
        "header",
        lambda s, m: msgspec.structs.replace(m, header=s.header(2)),
        Reject(TrainingReason.HEADER_MISMATCH),
    ),
    ("block", "signatures", on_tuple("signatures", lambda _, s: s[1:]), Reject(TrainingReason.WRONG_SIGNATURE_COUNT)),
    (
        "block",
        "signatures",
        on_tuple("signatures", lambda _, s: (*s, s[0])),
        Reject(TrainingReason.WRONG_SIGNATURE_COUNT),
    ),
    (
        "block",
        "signatures",
        on_tuple("signatures", lambda _, s: (s[0], s[0])),
        Reject(TrainingReason.NOT_A_STAKEHOLDER),
    ),
    ("block", "signatures", on_tuple("signatures", lambda _, s: s[::-1]), Reject(TrainingReason.NOT_A_STAKEHOLDER)),
    ("block", "transactions", set_to(transactions=()), Reject(LedgerReason.WRONG_COINBASE)),
    ("block", "transactions", on_tuple("transactions", lambda _, t: (t[0], t[0])), Reject(LedgerReason.NONCE_USED)),
    (
        "block",
        "transactions",
        on_tuple("transactions", lambda _, t: t[:1] * 101),
        Reject(LedgerReason.TOO_MANY_TRANSACTIONS),
    ),
    ("block", "coinbase", set_to(coinbase=()), Reject(LedgerReason.WRONG_COINBASE)),
    ("block", "coinbase", on_tuple("coinbase", lambda _, c: (*c, c[-1])), Reject(LedgerReason.WRONG_COINBASE)),
    ("block", "coinbase", on_tuple("coinbase", lambda _, c: c[::-1]), Reject(LedgerReason.WRONG_COINBASE)),
    ("block", "author", set_to(author=STRANGE_KEY), Reject(ChainReason.NOT_BONDED)),
    ("block", "author", set_to_first_signer, Reject(TrainingReason.WRONG_WRAPPER)),
    ("head", "height", set_to(height=0), Ignore(ChainReason.STALE)),
    ("head", "head", lambda s, m: msgspec.structs.replace(m, head=s.head.hash), ACCEPT),
    ("head", "author", set_to(author=STRANGE_KEY), ACCEPT),
    ("request", "locator", set_to(locator=(UNKNOWN,) * (MAX_LOCATOR + 1)), Reject(FrameReason.OVERSIZED)),
    ("request", "locator", set_to(locator=(UNKNOWN,) * MAX_LOCATOR), ACCEPT),
    ("request", "author", set_to(author=STRANGE_KEY), ACCEPT),
    ("response", "blocks", set_to(blocks=()), ACCEPT),
    ("response", "author", set_to(author=STRANGE_KEY), ACCEPT),
]

DECLARATION, SIGNATURE, TRANSACTION = "declarations", "signatures", "transactions"
NESTED: Final[list[tuple[str, str, Change, Expected]]] = [
    (DECLARATION, "height", on_first(DECLARATION, height=1), Reject(TrainingReason.DECLARATION_MISMATCH)),
    (DECLARATION, "parent", on_first(DECLARATION, parent=UNKNOWN), Reject(TrainingReason.DECLARATION_MISMATCH)),
    (DECLARATION, "slot", on_first(DECLARATION, slot=399), Reject(TrainingReason.DECLARATION_AFTER_HEADER)),
    (DECLARATION, "slot", on_first(DECLARATION, slot=0), Reject(ChainReason.SLOT_BEFORE_PARENT)),
    (DECLARATION, "author", on_first(DECLARATION, author=STRANGE_KEY), Reject(ChainReason.NOT_BONDED)),
    (
        DECLARATION,
        "weights_digest",
        on_first(DECLARATION, weights_digest=UNKNOWN),
        Reject(TrainingReason.DECLARATION_MISMATCH),
    ),
    (DECLARATION, "profile", on_first(DECLARATION, profile="other"), Reject(TrainingReason.WRONG_PROFILE)),
    (DECLARATION, "commitment", on_first(DECLARATION, commitment=ZEROS), Reject(TrainingReason.BAD_COMMITMENT)),
    (DECLARATION, "signature", on_first(DECLARATION, resign=False, signature=ZEROS), Reject(ChainReason.BAD_SIGNATURE)),
    (SIGNATURE, "height", on_first(SIGNATURE, height=3), Reject(TrainingReason.HEADER_MISMATCH)),
    (SIGNATURE, "parent", on_first(SIGNATURE, parent=UNKNOWN), Reject(TrainingReason.HEADER_MISMATCH)),
    (SIGNATURE, "header", on_first(SIGNATURE, header=UNKNOWN), Reject(TrainingReason.HEADER_MISMATCH)),
    (SIGNATURE, "author", on_first(SIGNATURE, author=STRANGE_KEY), Reject(TrainingReason.NOT_A_STAKEHOLDER)),
    (SIGNATURE, "signature", on_first(SIGNATURE, resign=False, signature=ZEROS), Reject(ChainReason.BAD_SIGNATURE)),
    (TRANSACTION, "author", on_first(TRANSACTION, author=STRANGE_KEY), Reject(LedgerReason.UNKNOWN_ACCOUNT)),
    (TRANSACTION, "nonce", on_first(TRANSACTION, nonce=0), Reject(LedgerReason.NONCE_USED)),
    (TRANSACTION, "nonce", on_first(TRANSACTION, nonce=2), Reject(LedgerReason.NONCE_GAP)),
    (TRANSACTION, "recipient", on_first(TRANSACTION, recipient=STRANGE_KEY), ACCEPT),
    (TRANSACTION, "amount", on_first(TRANSACTION, amount=2**60), Reject(LedgerReason.OVERDRAFT)),
    (TRANSACTION, "fee", on_first(TRANSACTION, fee=8), Reject(LedgerReason.WRONG_COINBASE)),
    (TRANSACTION, "signature", on_first(TRANSACTION, resign=False, signature=ZEROS), Reject(ChainReason.BAD_SIGNATURE)),
    ("header", "height", on_header(height=3), Reject(ChainReason.WRONG_HEIGHT)),
    ("header", "parent", on_header(parent=UNKNOWN), ChainMissing.BLOCK),
    *(
        ("header", name, on_header(**{name: value}), Reject(ChainReason.BAD_SIGNATURE))
        for name, value in {
            "slot": 300,
            "author": STRANGE_KEY,
            "weights_digest": UNKNOWN,
            "training_secret": UNKNOWN,
            "declarations": (),
            "signature": ZEROS,
        }.items()
    ),
    ("coinbase", "account", on_payout(account=STRANGE_KEY), Reject(LedgerReason.WRONG_COINBASE)),
    ("coinbase", "amount", on_payout(amount=1), Reject(LedgerReason.WRONG_COINBASE)),
]
TYPES: Final[dict[str, type[msgspec.Struct]]] = {
    "transaction": Transaction,
    "declaration": TrainingDeclaration,
    "header": BlockHeader,
    "stakeholder": StakeholderSignature,
    "block": WrappedBlock,
    "head": HeadAnnouncement,
    "request": BlockRequest,
    "response": BlockResponse,
}
NESTED_TYPES: Final[dict[str, type[msgspec.Struct]]] = {
    "header": BlockHeader,
    DECLARATION: TrainingDeclaration,
    SIGNATURE: StakeholderSignature,
    TRANSACTION: Transaction,
    "coinbase": Payout,
}
FIELDS: Final = [(kind, field) for kind, struct in TYPES.items() for field in struct.__struct_fields__]


def differ(value: object) -> object:
    """Return another value of the same type."""
    match value:
        case int():
            return value + 1
        case str():
            return value + "x"
        case bytes():
            return bytes([value[0] ^ 1]) + value[1:]
        case tuple():
            return value[1:]
        case BlockHeader():
            return msgspec.structs.replace(value, slot=value.slot + 1)
    raise AssertionError(f"no other value for {value!r}")


def test_the_tables_cover_every_field_of_every_message() -> None:
    assert tuple(TYPES) == MESSAGE_KINDS
    signed = {(kind, field) for kind, field in FIELDS if field != "signature"}
    assert {(kind, field) for kind, field, _, _ in RESIGNED} == signed
    nested = {(field, name) for field, struct in NESTED_TYPES.items() for name in struct.__struct_fields__}
    assert {(field, name) for field, name, _, _ in NESTED} == nested


@pytest.mark.parametrize("kind", MESSAGE_KINDS)
def test_an_honest_node_accepts_the_valid_message(kind: str) -> None:
    scene = make_scene()
    assert [item.verdict for item in scene.deliver(make_valid(scene, kind))][:1] == [ACCEPT]


@pytest.mark.parametrize(("kind", "field"), FIELDS)
def test_a_change_without_a_new_signature_is_a_bad_signature(kind: str, field: str) -> None:
    scene = make_scene()
    message = make_valid(scene, kind)
    changed = msgspec.structs.replace(message, **{field: differ(getattr(message, field))})
    assert scene.judge(changed) == Reject(ChainReason.BAD_SIGNATURE)
    assert scene.judge(message) == ACCEPT, "the true message must still be welcome"


@pytest.mark.parametrize(("kind", "field"), FIELDS)
@pytest.mark.parametrize("value", [-1, 2**63, 1.5, b"short", "text", None, (None,)], ids=repr)
def test_a_value_its_type_does_not_allow_is_malformed(kind: str, field: str, value: object) -> None:
    if field == "profile" and isinstance(value, str):
        value = b"text"
    scene = make_scene()
    changed = msgspec.structs.replace(make_valid(scene, kind), **{field: value})
    assert scene.judge(changed) == Reject(FrameReason.MALFORMED)


@pytest.mark.parametrize(("kind", "field", "change", "expected"), RESIGNED)
def test_a_change_signed_by_its_author_has_its_own_reason(
    kind: str, field: str, change: Change, expected: Expected
) -> None:
    scene = make_scene()
    verdict = scene.judge(scene.sign(change(scene, make_valid(scene, kind))))
    assert agrees(verdict, expected), f"{field}: {verdict}"


@pytest.mark.parametrize("kind", MESSAGE_KINDS)
@pytest.mark.parametrize("forgery", ["zeros", "other key", "other chain", "other purpose"])
def test_a_signature_serves_one_key_chain_and_purpose(kind: str, forgery: str) -> None:
    scene = make_scene()
    message = make_valid(scene, kind)
    owner = scene.keys[message.author]
    forged = {
        "zeros": UNSIGNED,
        "other key": keys(STRANGER).sign(scene.chain_id, message).signature,
        "other chain": owner.sign(UNKNOWN, message).signature,
        "other purpose": owner.sign_hash(UNKNOWN),
    }[forgery]
    assert scene.judge(msgspec.structs.replace(message, signature=forged)) == Reject(ChainReason.BAD_SIGNATURE)


@pytest.mark.parametrize(("field", "name", "change", "expected"), NESTED)
def test_a_change_inside_a_nested_message_has_its_own_reason(
    field: str, name: str, change: Change, expected: Expected
) -> None:
    scene = make_scene()
    message = make_valid(scene, "header" if field == DECLARATION else "block")
    verdict = scene.judge(scene.sign(change(scene, message)))
    assert agrees(verdict, expected), f"{name}: {verdict}"


@pytest.mark.parametrize(
    ("outer", "field", "name"),
    [
        ("header" if field == DECLARATION else "block", field, name)
        for field in (DECLARATION, SIGNATURE, TRANSACTION)
        for name in NESTED_TYPES[field].__struct_fields__
    ],
)
def test_a_nested_message_changed_without_its_own_signature_is_refused(outer: str, field: str, name: str) -> None:
    scene = make_scene()
    message = make_valid(scene, outer)
    first = getattr(message, field)[0]
    changed = on_first(field, resign=False, **{name: differ(getattr(first, name))})(scene, message)
    is_misplaced = field == DECLARATION and name in ("height", "parent", "weights_digest")
    reason = TrainingReason.DECLARATION_MISMATCH if is_misplaced else ChainReason.BAD_SIGNATURE
    assert scene.judge(scene.sign(changed)) == Reject(reason)


@pytest.mark.parametrize(("kind", "field", "change", "expected"), [case for case in RESIGNED if case[0] == "header"])
def test_a_faulty_header_has_the_same_reason_inside_a_whole_block(
    kind: str, field: str, change: Change, expected: Expected
) -> None:
    scene = make_scene()
    header = scene.sign(change(scene, make_valid(scene, kind)))
    assert isinstance(header, BlockHeader)
    assert agrees(scene.judge(scene.block(header)), expected), field


@pytest.mark.parametrize(("field", "name", "change", "expected"), [case for case in NESTED if case[0] == DECLARATION])
def test_a_faulty_declaration_has_the_same_reason_inside_a_whole_block(
    field: str, name: str, change: Change, expected: Expected
) -> None:
    scene = make_scene()
    header = scene.sign(change(scene, make_valid(scene, "header")))
    assert isinstance(header, BlockHeader)
    assert scene.judge(scene.block(header)) == expected, f"{field}.{name}"
