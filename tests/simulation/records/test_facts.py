"""Facts become fields and facts again, and fields that are no fact are refused by name."""

import subprocess
import sys
from typing import Annotated, Any, ClassVar, Final, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, structs

from simulation.records import fact as fact_module
from simulation.records.fact import (
    Fact,
    FactError,
    Part,
    list_facts,
    list_parts,
    read_fact,
    register_facts,
    register_parts,
)
from simulation.records.facts import NodeDescribed, PartyEnded, PartyStarted
from simulation.records.lines import DEBUG, INFO, WARNING, Value, parse_json, parse_line
from simulation.records.message_facts import Appended, BlockPart, Counted, CountedPart, Sent, SentCount
from simulation.records.reading import read_record
from simulation.records.record import Record, short_hash
from simulation.records.tally import Tally
from simulation.records.training_facts import Evaluated, Trained, TrainingBlock

NUMBERS: Final = st.floats(-1e15, 1e15, allow_nan=False)
TEXTS: Final[dict[str, st.SearchStrategy[Any]]] = {
    r"\A(nan|-?inf)\Z": st.sampled_from(["nan", "inf", "-inf"]),
    "recalls": st.lists(st.floats(0, 1).map("{:.4f}".format)).map(" ".join),
}


def draw_field(hint: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for what a field may hold."""
    if get_origin(hint) is Annotated:
        kind, meta = get_args(hint)[:2]
        assert isinstance(meta, Meta)
        if kind is str:
            return TEXTS.get(meta.pattern or "", TEXTS["recalls"])
        return st.floats(0, 1) if meta.le == 1 else NUMBERS if kind is float else st.integers(meta.ge or 0, 2**63 - 1)  # type: ignore[arg-type]
    if get_args(hint):
        return st.one_of([draw_field(kind) for kind in get_args(hint)])
    return {str: st.text(), bool: st.booleans(), type(None): st.none()}[hint]


def draw_struct(kind: type[Any]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind, include_extras=True)
    fields = {
        name: st.one_of([draw_struct(part) for part in list_parts(kind)])
        if isinstance(hints[name], type) and issubclass(hints[name], Part)
        else draw_field(hints[name])
        for name in kind.__struct_fields__
    }
    return st.builds(kind, **fields)


FACTS: Final = st.one_of([draw_struct(kind) for kind in list_facts()])


def try_to_read(event: str, fields: dict[str, Value]) -> Fact | FactError:
    try:
        return read_fact(event, fields)
    except FactError as error:
        return error


@pytest.mark.many_runs
@given(FACTS, st.sampled_from([INFO, DEBUG, WARNING]))
def test_every_fact_survives_both_logs(fact: Fact, level: str) -> None:
    record = Record(1.5, level, "honest-0", fact)
    line = record.to_line()
    assert line.event == record.event == fact.event
    assert read_record(line) == record
    assert read_record(parse_line(line.to_text())) == record
    assert read_record(parse_json(line.to_json())) == record


@given(FACTS)
def test_the_tally_takes_every_fact_there_is(fact: Fact) -> None:
    Tally().add(Record(1.5, fact.level, "honest-0", fact))


@given(FACTS, st.data())
def test_whatever_is_put_in_place_of_a_field_is_a_fact_or_refused_by_name(fact: Fact, data: st.DataObject) -> None:
    fields = fact.to_fields()
    name = data.draw(st.sampled_from([*fields, "another"]))
    fields[name] = data.draw(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)))
    found = try_to_read(fact.event, fields)
    if isinstance(found, Fact):
        assert found.to_fields().keys() == fields.keys()
    else:
        assert (found.event, found.field) == (fact.event, name)


@given(FACTS)
def test_a_field_too_few_or_too_many_is_refused_by_name(fact: Fact) -> None:
    fields = fact.to_fields()
    required = {field.name for field in structs.fields(fact) if field.required}
    for name in fields.keys() & required:
        with pytest.raises(FactError, match=f"^{fact.event}: {name}: missing$"):
            read_fact(fact.event, {key: value for key, value in fields.items() if key != name})
    with pytest.raises(FactError, match=f"^{fact.event}: another: no field of this event$"):
        read_fact(fact.event, {**fields, "another": 1})


# ---- one of each kind of damage ----

NODE: Final = NodeDescribed(population="p", role="honest", stake=1)
ENDED: Final = PartyEnded(outcome="finished", height=1, head="0x1", reorg=0, balance=1.0)
BLOCK: Final = Appended(
    height=1,
    block="0x1",
    parent="0x0",
    part=TrainingBlock(weights="0xw", proposer="a", wrapper="b", declarations=2),
    transactions=0,
    head=True,
    reorg=0,
)
MEASURED: Final = Evaluated(height=1, block="0x1", accuracy=0.5, trigger_success=0.5, recalls="0.5 1")
TRAINED: Final = Trained(stage=0, weights="0xw", steps=1, loss=0.5, losses="0.5", data="clean", cpu_s=1.0)
COUNTED: Final = Counted(part=SentCount("block"), count=1, amount=2)


@pytest.mark.parametrize(
    ("fact", "field", "value", "problem"),
    [
        (NODE, "stake", "many", "not a number: many"),
        (NODE, "stake", None, "not a number: None"),
        (NODE, "stake", True, "not a number: True"),
        (NODE, "stake", 1.5, "not a number: 1.5"),
        (NODE, "stake", -1, "below 0"),
        (NODE, "stake", 2**63, "not a number of a run: 9223372036854775808"),
        (NODE, "population", 3, "not what a run writes: 3"),
        (NODE, "population", None, "not what a run writes: None"),
        (NODE, "poison", None, "not what a run writes: None"),
        (NODE, "share", None, "not a number: None"),
        (ENDED, "balance", "much", "not a number: much"),
        (ENDED, "balance", False, "not a number: False"),
        (ENDED, "balance", float("nan"), "not a number of a run: nan"),
        (ENDED, "balance", float("-inf"), "not a number of a run: -inf"),
        (ENDED, "balance", 10**400, f"not a number of a run: 1{'0' * 39}"),
        (ENDED, "height", -1, "below 0"),
        (BLOCK, "height", 0, "not a number of a run: 0"),
        (BLOCK, "head", 1, "not what a run writes: 1"),
        (BLOCK, "head", "true", "not what a run writes: true"),
        (BLOCK, "weights", 3, "not what a run writes: 3"),
        (BLOCK, "declarations", "two", "not a number: two"),
        (BLOCK, "part", "x", "no field of this event"),
        (MEASURED, "accuracy", 1.5, "not a number of a run: 1.5"),
        (MEASURED, "accuracy", -0.1, "not a number of a run: -0.1"),
        (MEASURED, "recalls", "0.5 half", "not what a run writes: 0.5 half"),
        (TRAINED, "loss", "much", "not a number: much"),
        (TRAINED, "loss", float("nan"), "not a number of a run: nan"),
        (COUNTED, "what", "nothing", "unknown"),
        (COUNTED, "kind", 1, "not what a run writes: 1"),
        (COUNTED, "weights", "0xw", "no field of this event"),
        (PartyStarted(3), "pid", "three", "not a number: three"),
    ],
)
def test_a_damaged_field_is_refused_by_name(fact: Fact, field: str, value: Value, problem: str) -> None:
    assert read_fact(fact.event, fact.to_fields()) == fact
    with pytest.raises(FactError) as caught:
        read_fact(fact.event, {**fact.to_fields(), field: value})
    assert (caught.value.event, caught.value.field, caught.value.problem) == (fact.event, field, problem)
    assert str(caught.value) == f"{fact.event}: {field}: {problem}"


def test_an_event_that_is_none_is_refused() -> None:
    with pytest.raises(FactError, match=r"^dance: no event of a run$"):
        read_fact("dance", {})


@pytest.mark.parametrize("pid", [None, 3])
def test_null_is_kept_where_a_record_writes_it(pid: int | None) -> None:
    assert PartyStarted(pid).to_fields() == {"pid": pid}
    assert read_fact("started", {"pid": pid}) == PartyStarted(pid)


# ---- the order of fields ----


def test_what_there_is_nothing_to_say_of_is_left_out_and_the_rest_keeps_its_order() -> None:
    assert list(Sent(kind="block", height=1, header="0x1", to="all", copies=2, bytes=10).to_fields()) == [
        *("kind", "height", "header", "to", "copies", "bytes")
    ]
    assert list(NODE.to_fields()) == ["population", "role", "stake"]
    assert list(structs.replace(NODE, poison="truncated", share=0.5).to_fields())[3:] == ["poison", "share"]


def test_a_part_stands_in_the_middle_of_its_fact() -> None:
    assert list(BLOCK.to_fields()) == [
        *("height", "block", "parent", "weights", "proposer", "wrapper", "declarations"),
        *("transactions", "head", "reorg"),
    ]
    assert COUNTED.to_fields() == {"what": "sent", "kind": "block", "count": 1, "amount": 2}


# ---- what a mechanism adds ----


class Mined(Fact, frozen=True):
    """A fact of a mechanism that the simulator does not have."""

    event: ClassVar[str] = "mined"
    level: ClassVar[str] = DEBUG
    subject: ClassVar[str] = "a node"

    nonce: int


class MinedBlock(BlockPart, frozen=True):
    """What it has to say of a block."""

    nonce: int


class OrphanCount(CountedPart, frozen=True, tag_field="what", tag="orphaned"):
    """What it counts."""


@pytest.fixture
def mechanism(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a mechanism add what it tells, for one test."""
    monkeypatch.setattr(fact_module, "_TYPES", {**fact_module._TYPES})
    monkeypatch.setattr(fact_module, "_PARTS", type(fact_module._PARTS)(list, {Appended: [*list_parts(Appended)]}))
    register_facts(Mined)
    register_parts(Appended, MinedBlock)
    register_parts(Counted, OrphanCount)


@pytest.mark.usefixtures("mechanism")
def test_a_mechanism_registers_facts_and_parts_of_its_own() -> None:
    for fact in (Mined(7), structs.replace(BLOCK, part=MinedBlock(7)), BLOCK):
        assert read_fact(fact.event, fact.to_fields()) == fact
    assert list(structs.replace(BLOCK, part=MinedBlock(7)).to_fields())[2:5] == ["parent", "nonce", "transactions"]


def test_an_event_belongs_to_one_type() -> None:
    class Again(Fact, frozen=True):
        event: ClassVar[str] = "sent"

    register_facts(Sent)
    with pytest.raises(ValueError, match="sent: both Sent and Again"):
        register_facts(Again)


@pytest.mark.parametrize("fact", [Mined(7), Counted(part=OrphanCount(), count=1, amount=0)], ids=repr)
def test_a_fact_that_the_tally_does_not_know_is_an_error(fact: Fact) -> None:
    with pytest.raises(TypeError, match=r"no figure knows of (Mined|OrphanCount)"):
        Tally().add(Record(1.0, INFO, "honest-0", fact))


def test_a_block_of_another_mechanism_is_counted_and_is_not_poisoned() -> None:
    tally = Tally()
    tally.add(Record(1.0, INFO, "employer", structs.replace(BLOCK, part=MinedBlock(7))))
    assert tally.employer.height == 1
    assert not tally.is_poisoned("0x1")
    assert tally.sum_training_cpu() == (0, 0)


def test_a_hash_is_shown_by_its_first_digits() -> None:
    assert short_hash(bytes(range(32))) == "0x000102030405"
    assert short_hash(b"") == "none"


def test_whoever_reads_a_log_knows_the_blocks_of_every_mechanism() -> None:
    told = "from simulation.records import reading; from simulation.records.fact import list_parts; "
    listed = "from simulation.records.message_facts import Appended; print(*(p.__name__ for p in list_parts(Appended)))"
    found = subprocess.run([sys.executable, "-c", told + listed], check=True, capture_output=True, text=True).stdout
    assert set(found.split()) >= {"TrainingBlock", "MinedBlock", "LedBlock", "VotedBlock", "ClosedBlock"}
