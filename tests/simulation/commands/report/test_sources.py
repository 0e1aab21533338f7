import hashlib
import json
from pathlib import Path

import pytest

from simulation.commands.report.sources import Run, SourceError, read_run, read_source
from simulation.commands.report.sweep_table import SweepTable
from simulation.records.lines import Line, RecordError, Value, parse_json
from simulation.records.reading import read_log, read_record
from simulation.records.record import Record
from tests.support.reports import evaluated, make_run, write_log, write_run, write_sweep
from tests.support.scenarios import appended, made_up_run, note, to_log, trained


@pytest.mark.parametrize("record", made_up_run(), ids=lambda record: record.event)
def test_a_line_of_events_gives_its_record_back(record: Record) -> None:
    assert read_record(parse_json(record.to_line().to_json())) == record


@pytest.mark.parametrize(
    "line",
    [
        "",
        "[]",
        "{}",
        "3",
        "null",
        '"text"',
        "[" * 100_000,
        '{"time": 1, "level": "INFO", "who": "a", "event": "b", "field": []}',
        '{"time": 1, "level": "INFO", "who": "a", "event": "b", "field": {"x": 1}}',
        '{"time": "1", "level": "INFO", "who": "a", "event": "b"}',
        '{"time": true, "level": "INFO", "who": "a", "event": "b"}',
        '{"time": 1' + "0" * 400 + ', "level": "INFO", "who": "a", "event": "b"}',
        '{"time": 1, "level": "LOUD", "who": "a", "event": "b"}',
        '{"time": 1, "level": "INFO", "who": 3, "event": "b"}',
        '{"time": 1, "level": "INFO", "who": "a", "event": null}',
        '{"time": 1, "level": "INFO", "who": "a"}',
        '{"time": 1, "level": "INFO", "who": "a", "event": "b"',
    ],
)
def test_what_is_no_record_is_refused(line: str) -> None:
    with pytest.raises(RecordError):
        parse_json(line)


def test_both_logs_of_a_run_give_the_same_figures(tmp_path: Path) -> None:
    events, log = read_run(write_run(tmp_path / "a")), read_run(write_log(tmp_path / "b"))
    assert events.tally == log.tally == read_log(tmp_path / "b").tally
    assert events.series == log.series
    assert events.warnings == log.warnings == []


def test_events_are_read_where_a_folder_has_both(tmp_path: Path) -> None:
    write_log(tmp_path, made_up_run()[:-4])
    assert read_run(write_run(tmp_path)).log.path.name == "events.jsonl"
    assert read_run(tmp_path / "pot_sim.log").log.path.name == "pot_sim.log"


def test_what_is_collected_agrees_with_the_tally(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    copies: dict[str, int] = {}
    for (kind, _), count in run.series.sent.items():
        copies[kind] = copies.get(kind, 0) + count
    assert copies == run.tally.sent == {"transaction": 3, "declaration": 3, "relayed": 2}
    assert set(run.series.first_appended) == set(run.tally.blocks) == {"0xb1", "0xb2"}
    assert run.series.losses == {
        ("clean", 0, "0xaa1"): 0.5,
        ("clean", 1, "0xaa2"): 0.5,
        ("poisoned", 0, "0xbb1"): 0.5,
    }
    assert run.series.has_balances
    assert not run.series.is_counted


# ---- damaged logs ----


def test_a_log_cut_in_the_middle_of_a_line_says_where(tmp_path: Path) -> None:
    records = made_up_run()
    whole = [record.to_line().to_json() for record in records[:-3]]
    (tmp_path / "events.jsonl").write_text("\n".join([*whole, records[-3].to_line().to_json()[:40]]), "utf-8")
    run = read_run(tmp_path)
    assert run.tally == make_run(tmp_path / "whole", records[:-3]).tally
    assert f"cut off in line {len(whole) + 1}, which is left out" in run.warnings[0]
    assert "closing line is missing" in run.warnings[1]


def test_lines_that_are_no_records_are_counted_and_the_first_is_named(tmp_path: Path) -> None:
    lines = (write_run(tmp_path) / "events.jsonl").read_text("utf-8").splitlines()
    edited = [*lines[:6], "<<<<<<< mine", *lines[6:], "Traceback:", ""]
    (tmp_path / "events.jsonl").write_text("\n".join(edited), "utf-8")
    run = read_run(tmp_path)
    assert run.tally == make_run(tmp_path / "whole").tally
    assert len(run.warnings) == 1
    assert "2 damaged lines left out, the first is line 7" in run.warnings[0]


def test_a_log_that_is_not_the_one_the_summary_knows_is_said_to_be_changed(tmp_path: Path) -> None:
    events = write_run(tmp_path) / "events.jsonl"
    digest = hashlib.sha256(events.read_bytes()).hexdigest()
    (tmp_path / "summary.json").write_text(json.dumps({"files": {"events.jsonl": digest}}), "utf-8")
    assert read_run(tmp_path).warnings == []
    events.write_text(events.read_text("utf-8").replace('"accuracy": 0.875', '"accuracy": 0.999'), "utf-8")
    warnings = read_run(tmp_path).warnings
    assert len(warnings) == 1
    assert "changed since the run ended" in warnings[0]


@pytest.mark.parametrize("summary", ["", "[]", "{}", '{"files": []}', '{"files": {}}', "[" * 100_000])
def test_a_summary_that_says_nothing_is_not_asked(summary: str, tmp_path: Path) -> None:
    (write_run(tmp_path) / "summary.json").write_text(summary, "utf-8")
    assert read_run(tmp_path).warnings == []


def change(record: Record, **changes: Value) -> Line:
    """Return a record's line with other fields."""
    written = record.to_line()
    return Line(written.time, written.level, written.who, written.event, {**written.fields, **changes})


def sent(**changes: Value) -> Line:
    return Line(1.0, "INFO", "a", "sent", {"kind": "x", "to": "all", "copies": 1, "bytes": 1, **changes})


def ended(time: float) -> Line:
    return Line(time, "INFO", "run", "ended", {"reason": "complete"})


FINAL = note("a", "final", outcome="finished", height=1, head="0x1", reorg=0, balance=1.0)

NO_NUMBERS: list[Line] = [
    ended(-1.0),
    ended(float("nan")),
    ended(float("inf")),
    sent(bytes=10**40),
    change(FINAL, balance=float("nan")),
    change(FINAL, balance=float("-inf")),
    sent(copies=-1),
    change(appended("a", 1, "0x1", "0x0", "0xw"), height=0),
    change(appended("a", 1, "0x1", "0x0", "0xw"), height=-3),
    change(evaluated("0x1", 0.5), accuracy=1.5),
    change(evaluated("0x1", 0.5), accuracy=-0.1),
    change(evaluated("0x1", 0.5), accuracy="0.5"),
    change(evaluated("0x1", 0.5), accuracy=True),
    change(trained("a", 1, "0xw"), loss="much"),
    Line(1.0, "INFO", "a", "trained", {}),
]


@pytest.mark.parametrize("written", NO_NUMBERS, ids=repr)
def test_numbers_that_no_run_writes_are_no_record(written: Line) -> None:
    with pytest.raises(RecordError):
        read_record(written)


def test_what_is_damaged_above_is_a_record_without_the_damage() -> None:
    for written in (ended(1.0), sent(), *(change(record) for record in (FINAL, evaluated("0x1", 0.5)))):
        assert read_record(written).to_line() == written


@pytest.mark.parametrize("loss", ["nan", "inf", 0.25, 3])
def test_training_that_went_wrong_is_still_a_record(loss: Value) -> None:
    assert read_record(change(trained("a", 1, "0xw"), loss=loss)).fields["loss"] == loss


def test_a_line_with_such_a_number_is_left_out_of_the_tally(tmp_path: Path) -> None:
    damaged = change(appended("good-0", 3, "0xb9", "0xb2", "0xaa2"), height=2**80)
    records: list[Record | Line] = [*made_up_run()[:-1], damaged, made_up_run()[-1]]
    for run in (make_run(tmp_path, records), read_run(write_log(tmp_path / "log", records))):
        assert run.tally == make_run(tmp_path / "whole").tally
        assert f"1 damaged lines left out, the first is line {len(records) - 1}" in run.warnings[0]


def test_a_log_line_of_a_thousand_brackets_is_no_record(tmp_path: Path) -> None:
    text = to_log(made_up_run()) + "    1.000000 INFO    good-0 sent kind=" + "[" * 100_000 + "\n"
    (tmp_path / "pot_sim.log").write_text(text, "utf-8")
    assert "1 damaged lines" in read_run(tmp_path).warnings[0]


# ---- what is named ----


def test_a_run_and_a_sweep_are_told_apart(tmp_path: Path) -> None:
    assert isinstance(read_source(write_run(tmp_path / "run")), Run)
    assert isinstance(read_source(tmp_path / "run" / "events.jsonl"), Run)
    assert isinstance(read_source(write_sweep(tmp_path / "sweep")), SweepTable)


def test_what_is_neither_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "sweep.yaml").write_text("name: x\n", "utf-8")
    (tmp_path / "other.log").write_text("hello\n", "utf-8")
    (tmp_path / "bytes.jsonl").write_bytes(bytes(range(256)))
    for name, said in (
        ("missing", "not there"),
        ("empty", "neither a run nor a sweep"),
        ("unfinished", "has the sweep finished?"),
        ("other.log", "not the log of a run"),
        ("bytes.jsonl", "not the log of a run"),
    ):
        with pytest.raises(SourceError, match=r"^[^\n]*$") as error:
            read_source(tmp_path / name)
        assert said in str(error.value)
        assert str(tmp_path / name) in str(error.value)


@pytest.mark.parametrize(
    ("scenario", "mechanism"),
    [
        (None, "proof_of_training"),
        ("name: older than the key\n", "proof_of_training"),
        ("mechanism: {name: proof_of_training}\n", "proof_of_training"),
        ("mechanism: {name: round_robin, length: 6}\n", "round_robin"),
        ("mechanism: stake_bft\n", "stake_bft"),
        ("mechanism: [no name]\n", "proof_of_training"),
        ("mechanism: {", "proof_of_training"),
    ],
)
def test_the_scenario_beside_a_log_tells_the_mechanism(scenario: str | None, mechanism: str, tmp_path: Path) -> None:
    write_run(tmp_path)
    if scenario is not None:
        (tmp_path / "scenario.yaml").write_text(scenario, "utf-8")
    assert read_run(tmp_path).mechanism == mechanism
