import json
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulation.analysis.comparison import read_log
from simulation.records.record import Record, RecordError, Value, parse_line
from tests.support.scenarios import made_up_run, note, opening

names = st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=12)
labels = st.from_regex(r"\A[a-z][a-z0-9_-]{0,20}\Z")
values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(), labels
)
records = st.builds(
    Record,
    st.integers(-(10**6), 10**12).map(lambda microseconds: microseconds / 1e6),
    st.sampled_from(["DEBUG", "INFO", "WARNING"]),
    labels,
    names,
    st.dictionaries(names.filter(lambda name: name not in {"time", "level", "who", "event"}), values, max_size=5),
)


@given(records)
@example(note("a", "b", text="true"))
@example(note("a", "b", text="null", more=None))
@example(note("a", "b", text="1.5", number=1.5, whole=1))
@example(note("a", "b", text='say "a=b" \\', empty="", space=" "))
@example(note("a", "b", text="word\n"))
@example(note("a", "b", text="a\u2028b\x85c\x0bd"))
@example(note("a", "b", text="Infinity", other="NaN"))
def test_a_record_survives_its_line(record: Record) -> None:
    line = record.to_line()
    assert "\n" not in line
    assert "\r" not in line
    again = parse_line(line)
    assert again == record
    assert [type(value) for value in again.fields.values()] == [type(value) for value in record.fields.values()]
    assert again.to_line() == line


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_a_number_without_bounds_stays_a_number(number: float) -> None:
    again = parse_line(note("a", "b", number=number).to_line()).fields["number"]
    assert isinstance(again, float)
    assert str(again) == str(number)


@given(records)
def test_line_and_json_carry_the_same_facts(record: Record) -> None:
    facts = json.loads(record.to_json())
    parsed = parse_line(record.to_line())
    head: dict[str, Value] = {"time": parsed.time, "level": parsed.level, "who": parsed.who, "event": parsed.event}
    assert facts == {**head, **parsed.fields}
    assert "\n" not in record.to_json()


@pytest.mark.parametrize("text", ["word\n", "a\u2028b", "a\x85b", "a\x1cb", "a\rb", "a\x0cb", 'a "b"\n\nc'])
def test_no_text_breaks_a_log_into_more_lines(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("log") / "pot_sim.log"
    lines = [opening(), note("good-0", "crashed", level="WARNING", why=text), note("run", "ended", reason="complete")]
    path.write_text("".join(f"{record.to_line()}\n" for record in lines), "utf-8")
    seen: list[Record] = []
    log = read_log(path, watch=seen.append)
    assert log.warnings == []
    assert seen == lines


@pytest.mark.parametrize(
    "line",
    [
        "",
        "words",
        "1.0 INFO run run",
        "1.000000 LOUD run run",
        "1.000000 INFO run",
        "x.000000 INFO run run",
        '1.000000 INFO run run a="x',
        "1.000000 INFO run run a=1.2.3",
        "1.000000 INFO run run a=",
        '1.000000 INFO run run a="\\q"',
        "1.000000 INFO run run words",
        "1.000000 INFO run run a=1 words b=2",
        "1.000000 INFO run run a=1=b=2",
        "Traceback (most recent call last):",
        '{"time": 1.0, "level": "INFO"}',
    ],
)
def test_a_line_that_is_no_record_is_refused(line: str) -> None:
    with pytest.raises(RecordError, match="not a log line"):
        parse_line(line)


@given(st.text())
def test_any_text_is_a_record_or_refused(text: str) -> None:
    try:
        record = parse_line(text)
    except RecordError:
        return
    assert parse_line(record.to_line()) == record


def test_a_line_is_readable() -> None:
    record = note("honest-3", "sent", kind="block", to="all", copies=2, hash="0xab12", why="two words", head=True)
    assert record.to_line() == (
        '    1.000000 INFO    honest-3 sent kind=block to=all copies=2 hash=0xab12 why="two words" head=true'
    )


def test_the_records_of_a_run_survive_their_lines() -> None:
    assert [parse_line(record.to_line()) for record in made_up_run()] == made_up_run()
