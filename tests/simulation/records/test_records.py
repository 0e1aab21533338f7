import json
import string
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulation.records.fact import FactError
from simulation.records.lines import Line, RecordError, Value, parse_line
from simulation.records.reading import read_log, read_record
from simulation.records.record import Record
from tests.support.scenarios import line, made_up_run, note, opening, to_log

names = st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=12)
labels = st.from_regex(r"\A[a-z][a-z0-9_-]{0,20}\Z")
values = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(), labels
)
lines = st.builds(
    Line,
    st.integers(-(10**6), 10**12).map(lambda microseconds: microseconds / 1e6),
    st.sampled_from(["DEBUG", "INFO", "WARNING"]),
    labels,
    names,
    st.dictionaries(names.filter(lambda name: name not in {"time", "level", "who", "event"}), values, max_size=5),
)


@given(lines)
@example(line("a", "b", text="true"))
@example(line("a", "b", text="null", more=None))
@example(line("a", "b", text="1.5", number=1.5, whole=1))
@example(line("a", "b", text='say "a=b" \\', empty="", space=" "))
@example(line("a", "b", text="word\n"))
@example(line("a", "b", text="a\u2028b\x85c\x0bd"))
@example(line("a", "b", text="Infinity", other="NaN"))
def test_a_line_survives_its_text(written: Line) -> None:
    text = written.to_text()
    assert "\n" not in text
    assert "\r" not in text
    again = parse_line(text)
    assert again == written
    assert [type(value) for value in again.fields.values()] == [type(value) for value in written.fields.values()]
    assert again.to_text() == text


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan")])
def test_a_number_without_bounds_stays_a_number(number: float) -> None:
    again = parse_line(line("a", "b", number=number).to_text()).fields["number"]
    assert isinstance(again, float)
    assert str(again) == str(number)


@given(lines)
def test_text_and_json_carry_the_same(written: Line) -> None:
    facts = json.loads(written.to_json())
    parsed = parse_line(written.to_text())
    head: dict[str, Value] = {"time": parsed.time, "level": parsed.level, "who": parsed.who, "event": parsed.event}
    assert facts == {**head, **parsed.fields}
    assert "\n" not in written.to_json()


@pytest.mark.parametrize("text", ["word\n", "a\u2028b", "a\x85b", "a\x1cb", "a\rb", "a\x0cb", 'a "b"\n\nc'])
def test_no_text_breaks_a_log_into_more_lines(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("log") / "pot_sim.log"
    records = [opening(), note("good-0", "crashed", level="WARNING", why=text), note("run", "ended", reason="complete")]
    path.write_text(to_log(records), "utf-8")
    seen: list[Record] = []
    log = read_log(path, watch=seen.append)
    assert log.warnings == []
    assert seen == records


def test_the_words_of_older_logs_are_understood(tmp_path: Path) -> None:
    counts = note("run", "counted", what="rejected", kind="x", reason="y", author="bad", honest=True, count=2, amount=0)
    old, new = tmp_path / "old.log", tmp_path / "new.log"
    new.write_text(to_log([*made_up_run(), counts]), "utf-8")
    old.write_text(new.read_text("utf-8").replace(" rejected ", " refused ").replace("=rejected", "=refused"), "utf-8")
    found, expected = read_log(old), read_log(new)
    assert (found.warnings, found.tally) == ([], expected.tally)
    assert expected.tally.rejected["y"] == 2


@pytest.mark.parametrize(
    "text",
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
def test_a_line_that_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(RecordError, match="not a log line"):
        parse_line(text)


@given(st.text())
def test_any_text_is_a_line_or_refused(text: str) -> None:
    try:
        parsed = parse_line(text)
    except RecordError:
        return
    assert parse_line(parsed.to_text()) == parsed


def test_a_line_is_readable() -> None:
    sent = line("honest-3", "sent", kind="block", to="all", copies=2, hash="0xab12", why="two words", head=True)
    assert sent.to_text() == (
        '    1.000000 INFO    honest-3 sent kind=block to=all copies=2 hash=0xab12 why="two words" head=true'
    )


def test_the_records_of_a_run_survive_their_lines() -> None:
    texts = [record.to_line().to_text() for record in made_up_run()]
    assert [read_record(parse_line(text)) for text in texts] == made_up_run()


@pytest.mark.parametrize("value", ["[]", "{}", "1", "null", '"["'])
def test_a_word_that_is_none_is_no_fact(value: str) -> None:
    with pytest.raises(FactError):
        read_record(parse_line(f"    1.000000 INFO    honest-0 counted what={value} count=1 amount=0"))
