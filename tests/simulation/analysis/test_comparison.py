import csv
import hashlib
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from simulation.analysis.comparison import build_frame, build_tables
from simulation.commands.cli import main
from simulation.records.lines import Value
from simulation.records.reading import LogError, RunLog, read_log
from simulation.records.record import Record
from simulation.records.tally import Tally
from tests.support.scenarios import appended, line, made_up_run, opening, to_log

TEXT = to_log(made_up_run())

ALWAYS = {
    "scenario", "seed", "engine", "mechanism", "code version", "data set", "nodes", "ended", "honest height",
    "honest agreement", "forks", "deepest reorganisation", "employer's height", "messages sent", "megabytes sent",
    "accepted", "rejected", "rejected by honest nodes, from", "rejected by honest nodes, for",
    "coins earned, by population", "transfers in the chain", "employer deceived", "training CPU s in the chain",
}  # fmt: skip
"""Rows that a run by training has, however little of its log is left."""


def write(folder: Path, text: str | bytes, name: str = "pot_sim.log") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def tally_of(records: list[Record]) -> Tally:
    tally = Tally()
    for record in records:
        tally.add(record)
    return tally


def show(log: RunLog) -> dict[str, str]:
    frame = build_frame([log])
    return {str(name): str(value) for name, value in frame[frame.columns[0]].items()}


def test_a_log_gives_the_tally_of_its_run(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, TEXT))
    assert log.tally == tally_of(made_up_run())
    assert log.warnings == []


def test_a_folder_stands_for_the_log_in_it(tmp_path: Path) -> None:
    write(tmp_path, TEXT)
    assert read_log(tmp_path).tally == read_log(tmp_path / "pot_sim.log").tally


def test_a_run_is_called_by_its_folder_and_a_log_by_its_own_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("pot_sim.log", "first.log", "second.log"):
        write(tmp_path / "runs", TEXT, name)
    monkeypatch.chdir(tmp_path / "runs")
    paths = ["../runs", ".", "../runs/first.log", "../runs/second.log", "pot_sim.log"]
    columns = build_frame([read_log(Path(path)) for path in paths]).columns
    assert list(columns) == ["1: runs", "2: runs", "3: runs/first.log", "4: runs/second.log", "5: pot_sim.log"]


def test_nothing_but_the_log_is_needed(tmp_path: Path) -> None:
    write(tmp_path / "run", TEXT)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["pot_sim.log"]
    assert show(read_log(tmp_path / "run"))["test accuracy"] == "87.50%"


def test_each_figure_of_the_table(tmp_path: Path) -> None:
    shown = show(read_log(write(tmp_path, TEXT)))
    assert shown == {
        "scenario": "made-up",
        "seed": "7",
        "engine": "processes",
        "mechanism": "proof_of_training",
        "code version": "1.0.0+00000000",
        "data set": "digits",
        "nodes": "2 good (honest)\n1 bad (data_injection)",
        "ended": "complete",
        "honest height": "2",
        "honest agreement": "1.00",
        "forks": "0",
        "deepest reorganisation": "0",
        "reorganisations a node": "0.00",
        "settled block undone": "no",
        "last block replaced": "no",
        "employer's height": "2",
        "test accuracy": "87.50%",
        "trigger success": "12.50%",
        "poisoned stages, honest": "0",
        "poisoned stages, employer": "0",
        "employer deceived": "no",
        "messages sent": "8",
        "megabytes sent": "0.00",
        "accepted": "3",
        "rejected": "4",
        "rejected by honest nodes, from": "bad 3",
        "rejected by honest nodes, for": "different-weights 1\nbad-signature 1\nmalformed 1",
        "attackers' work rejected": "100.00%",
        "rejected work that is attackers'": "100.00%",
        "honest work rejected": "0.00%",
        "coverage of the data set": "100%",
        "blocks made, by population": "bad 0.0%\ngood 100.0%",
        "declarations to a block": "0.50",
        "accuracy, honest branch": "87.50%",
        "seconds to a block": "1.500",
        "messages to a block": "4.0",
        "coins earned, by population": "bad 0.0\ngood 19.5",
        "coins a CPU s, by population": "bad 0.0\ngood 5.6",
        "transfers in the chain": "4",
        "wall s": "9.5",
        "CPU s": "11.2",
        "memory MB": "512",
        "training CPU s in the chain": "3.5",
        "training CPU s discarded": "4.0",
    }


@pytest.mark.parametrize(
    "damage", [b"\xff\xfe\x00garbage\n", b"Traceback (most recent call last):\n", b"\n", b"3.5 x\n"]
)
def test_a_damaged_line_is_left_out_with_a_warning(damage: bytes, tmp_path: Path) -> None:
    lines = TEXT.encode().splitlines(keepends=True)
    log = read_log(write(tmp_path, b"".join([*lines[:5], damage, *lines[5:]])))
    assert log.tally == tally_of(made_up_run())
    assert len(log.warnings) == 1
    assert "1 damaged lines left out, the first is line 6" in log.warnings[0]


@pytest.mark.parametrize("field", ["height", "reorg", "transactions"])
@pytest.mark.parametrize("value", ["many", None, True, 1.5])
def test_a_number_that_is_none_damages_its_line_and_does_not_count_as_0(
    field: str, value: Value, tmp_path: Path
) -> None:
    records = made_up_run()
    number = max(place for place, record in enumerate(records) if record.event == "appended")
    bad = appended("employer", 2, "0xb2", "0xb1", "0xaa2").to_line()
    bad.fields[field] = value
    log = read_log(write(tmp_path, to_log([*records[:number], bad, *records[number + 1 :]])))
    assert log.tally == tally_of([*records[:number], *records[number + 1 :]])
    told = f"1 damaged lines left out, the first is line {number + 1} ({field}: not a number: {value})"
    assert log.warnings == [f"{tmp_path / 'pot_sim.log'}: {told}"]


def test_an_edited_log_is_said_to_be_changed_where_a_summary_knows_it(tmp_path: Path) -> None:
    path = write(tmp_path, TEXT)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / "summary.json").write_text(json.dumps({"files": {"pot_sim.log": digest}}), "utf-8")
    assert read_log(tmp_path).warnings == []
    write(tmp_path, TEXT.replace("accuracy=0.875", "accuracy=0.999"))
    log = read_log(tmp_path)
    assert log.warnings == [f"{path}: changed since the run ended: summary.json has another digest of it"]
    assert show(log)["test accuracy"] == "99.90%"


@pytest.mark.parametrize("steering", ["\x1b[31m", "\x07", "\u202e"])
def test_what_a_damaged_log_says_does_not_steer_the_terminal(
    steering: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    escaped = json.dumps(f"x{steering}")
    edited = TEXT.replace("scenario=made-up", f"scenario={escaped}").replace("reorg=0", f"reorg={escaped}", 1)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, edited)
    assert main(["compare", str(tmp_path / "one"), str(tmp_path / "two")]) == 0
    told = capsys.readouterr()
    written = f"\\x{ord(steering[0]):02x}"
    assert steering[0] not in told.out + told.err
    assert written in told.out
    assert written in told.err


def test_of_a_log_that_holds_two_runs_the_first_is_used(tmp_path: Path) -> None:
    log = read_log(write(tmp_path, TEXT + TEXT + TEXT[:-5]))
    assert log.tally == tally_of(made_up_run())
    line = len(made_up_run()) + 1
    told = f"line {line} begins another run; that line and all after it are left out"
    assert log.warnings == [f"{tmp_path / 'pot_sim.log'}: {told}"]


def test_a_line_whose_fields_are_lost_is_left_out_and_the_rest_is_used(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """Whichever line is cut behind its event, what the others say is still shown."""
    records = made_up_run()
    lines = TEXT.splitlines(keepends=True)
    for number, record in enumerate(records[1:], start=1):
        with subtests.test(record.event, number=number):
            short = line(record.who, record.event, time=record.time).to_text()
            log = read_log(write(tmp_path, "".join([*lines[:number], f"{short}\n", *lines[number + 1 :]])))
            assert set(show(log)) >= ALWAYS


def test_a_cut_off_log_gives_a_warning_and_what_is_whole(tmp_path: Path) -> None:
    records = made_up_run()
    log = read_log(write(tmp_path, to_log(records[:-8])))
    assert log.tally == tally_of(records[:-8])
    assert any("cut off" in warning for warning in log.warnings)
    assert show(log)["ended"] == "unfinished"


CUTS = range(len(to_log(made_up_run()[:1]).encode()), len(TEXT.encode()) - 1, 5)


@pytest.mark.many_runs
def test_a_log_cut_at_any_byte_is_shown_and_tells_only_what_its_whole_lines_tell(tmp_path: Path) -> None:
    """A line without its end may say less, or another number, than was written."""
    records = made_up_run()
    wrong = []
    for cut in CUTS:
        text = TEXT.encode()[:cut]
        kept = text.count(b"\n")
        log = read_log(write(tmp_path, text))
        assert log.warnings, f"cut at byte {cut}"
        if text + b"\n" != to_log(records[: kept + 1]).encode() and log.tally != tally_of(records[:kept]):
            wrong.append(text.rsplit(b"\n", 1)[-1].decode())
        assert set(show(log)) >= ALWAYS, f"cut at byte {cut}"
    assert wrong == []


@pytest.mark.parametrize("gone", ["scenario", "seed", "engine", "code_version", "dataset"])
def test_an_opening_line_that_lacks_something_is_no_opening_line(gone: str, tmp_path: Path) -> None:
    first = opening().to_line()
    del first.fields[gone]
    with pytest.raises(LogError):
        read_log(write(tmp_path, to_log([first, *made_up_run()[1:]])))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", "not the log of a run"),
        ("hello\nworld\n", "not the log of a run"),
        (to_log(made_up_run()[1:]), "opening line is missing"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not the log of a run"),
    ],
)
def test_what_is_no_log_is_refused(text: str | bytes, wanted: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    with pytest.raises(LogError, match=wanted) as caught:
        read_log(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["nowhere", "nowhere/pot_sim.log", "."])
def test_a_log_that_is_not_there_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(LogError, match="cannot be read"):
        read_log(tmp_path / name)


def test_the_table_shows_every_run_and_row(tmp_path: Path) -> None:
    other = [opening(scenario="other", seed=8), *made_up_run()[1:]]
    logs = [read_log(write(tmp_path / "a", TEXT)), read_log(write(tmp_path / "b", to_log(other)))]
    console = Console(width=160, record=True, quiet=True)
    with console.capture() as captured:
        console.quiet = False
        (table,) = build_tables(build_frame(logs), 120)
        console.print(table)
    text = captured.get()
    assert "1: a" in text
    assert "2: b" in text
    for row, wanted in (("scenario", ["made-up", "other"]), ("seed", ["7", "8"]), ("engine", ["processes"] * 2)):
        line = next(line for line in text.splitlines() if line.startswith(row))
        assert line.split()[1:] == wanted
    assert all(row in text for row in show(logs[0]))
    assert set(show(logs[0])) > ALWAYS


@pytest.mark.parametrize(("width", "count"), [(80, 15), (120, 10), (1000, 1), (10, 30)])
def test_runs_that_do_not_fit_side_by_side_stand_below_each_other(tmp_path: Path, width: int, count: int) -> None:
    log = read_log(write(tmp_path / "a-run", TEXT).parent)
    tables = build_tables(build_frame([log] * 30), width)
    assert len(tables) == count
    console = Console(width=max(width, 60))
    with console.capture() as captured:
        for table in tables:
            console.print(table)
    words = captured.get().split()
    assert words.count("a-run") == 30
    assert words.count("made-up") == 30


# ---- the command ----


def test_the_command_prints_values_for_a_spreadsheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [str(write(tmp_path / name, TEXT).parent) for name in ("a", "b")]
    assert main(["compare", *folders, "--csv"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows[0] == ["figure", "1: a", "2: b"]
    assert {row[0]: row[1:] for row in rows[1:]}["seed"] == ["7", "7"]
    assert [row[0] for row in rows[1:]] == list(show(read_log(Path(folders[0]))))


def test_the_command_prints_two_logs_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "a", TEXT)
    cut = write(tmp_path / "b", to_log(made_up_run()[:-1]))
    assert main(["compare", str(tmp_path / "a"), str(cut)]) == 0
    told = capsys.readouterr()
    assert "made-up" in told.out
    assert "unfinished" in told.out
    assert "cut off" in told.err


@pytest.mark.parametrize("names", [["a"], ["a", "nowhere"], ["nowhere", "a"], ["a", "c"]])
def test_the_command_refuses_what_it_cannot_compare(
    names: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "a", TEXT)
    write(tmp_path / "c", "no log\n")
    assert main(["compare", *(str(tmp_path / name) for name in names)]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert len(told.err.splitlines()) == 1


# ---- keys in which the scenarios differ ----


def write_run(folder: Path, keys: str, name: str = "made-up") -> RunLog:
    path = write(folder, TEXT)
    write(folder, f"name: {name}\nseed: 7\nengine: processes\n{keys}", "scenario.yaml")
    return read_log(path)


def find_keys(*logs: RunLog) -> dict[str, list[str]]:
    frame = build_frame(logs)
    return {str(name)[4:]: list(row) for name, row in frame.iterrows() if str(name).startswith("key ")}


def test_the_keys_in_which_scenarios_differ_are_rows_of_their_own(tmp_path: Path) -> None:
    one = "job: {stages: 3, rate: 1.0e-05}\npopulations:\n- {name: a.b, count: 3}\n- {name: bad, count: 1, pay: 2}\n"
    other = "job: {stages: 4, rate: 1.0e-05}\npopulations:\n- {name: a.b, count: 5}\npartitions: [{from_s: 1.0}]\n"
    keys = find_keys(write_run(tmp_path / "a", one + "partitions: []\n"), write_run(tmp_path / "b", other))
    assert keys == {
        "job.stages": ["3", "4"],
        "populations.a.b.count": ["3", "5"],
        "populations.bad": ["3 keys", "-"],
        "partitions": ["[]", "1 key"],
    }


def test_runs_of_one_scenario_differ_in_no_key(tmp_path: Path) -> None:
    logs = [write_run(tmp_path / name, f"description: {name}\njob: {{stages: 3}}\n") for name in ("a", "b")]
    assert find_keys(*logs) == {}


@pytest.mark.parametrize(
    "beside",
    [
        None,
        "name: somebody else's\nseed: 7\nengine: processes\njob: {stages: 9}\n",
        "name: [\n",
        "name: made-up\nseed: 7\nengine: processes\n" + "#" * (2**19 + 1),
    ],
    ids=["none", "of another run", "damaged", "too long"],
)
def test_a_log_without_its_own_scenario_is_compared_all_the_same(beside: str | None, tmp_path: Path) -> None:
    logs = [write_run(tmp_path / name, f"job: {{stages: {name}}}\n") for name in ("1", "2")]
    path = write(tmp_path / "3", TEXT)
    if beside is not None:
        write(path.parent, beside, "scenario.yaml")
    assert find_keys(*logs, read_log(path)) == {"job.stages": ["1", "2", "?"]}
    assert find_keys(logs[0], read_log(path)) == {}


def test_a_small_scenario_that_stands_for_very_many_keys_is_not_walked_to_its_end(tmp_path: Path) -> None:
    bomb = "x0: &x0 {a: 1}\n" + "".join(
        f"x{n}: &x{n} {{{', '.join(f'k{i}: *x{n - 1}' for i in range(9))}}}\n" for n in range(1, 12)
    )
    logs = [write_run(tmp_path / "a", bomb), write_run(tmp_path / "b", "job: 1\n")]
    assert "x0" in find_keys(*logs)


def test_a_console_shows_a_dozen_keys_and_says_how_many_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    long = "a_key_of_a_section_with_a_name_that_does_not_fit_the_screen"
    for run in ("a", "b"):
        keys = "".join(f"  {long}_{n:02}: '{run} [/] \\e[31m'\n" for n in range(15))
        write_run(tmp_path / run, f"job:\n{keys}".replace("'", '"'))
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 0
    told = capsys.readouterr().out
    above, below = told.split("and 3 keys more, which --csv prints")
    assert above.count("a [/] \\x1b") == above.count("b [/] \\x1b") == 12
    assert "scenario" in below
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--csv"]) == 0
    assert capsys.readouterr().out.count(f"key job.{long}_") == 15
