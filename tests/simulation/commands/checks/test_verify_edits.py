"""`verify` after somebody has edited a run's folder in one place, and perhaps let the summary vouch for it."""

import copy
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from simulation.commands.checks.verify import RunFolderError, verify_run
from tests.support.stored_runs import (
    Place,
    change,
    draw_something,
    edit_scenario,
    edit_text,
    list_leaves,
    make_small,
    put,
    read_summary,
    renew_digests,
    run_made_up,
    take_out,
    write_summary,
)

pytestmark = pytest.mark.xdist_group("verify")

CORE = ("scenario.yaml", "pot_sim.log", "events.jsonl", "chain.jsonl")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that nobody has laid hands on."""
    raw = make_small(output={"pictures": True, "journal": True})
    return run_made_up(tmp_path_factory.mktemp("sound"), raw, draw_something)


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / sound.name))


def find_faults(folder: Path, *, retrain: bool = False) -> list[str]:
    return verify_run(folder, is_retraining=retrain, say=lambda line: None)


def find_only(folder: Path) -> str:
    """Return the one thing that is wrong."""
    faults = find_faults(folder)
    assert len(faults) == 1, faults
    return faults[0]


def dot(place: Place) -> str:
    return ".".join(map(str, place))


def name_places(faults: list[str]) -> set[str]:
    """Return the places in the summary that sentences name."""
    found = [re.match(r"summary\.json: ([\w.-]+)(?: is |: nothing)", fault) for fault in faults]
    assert all(found), faults
    return {match[1] for match in found if match}


def test_a_run_that_nobody_has_touched_is_verified(sound: Path) -> None:
    assert find_faults(sound) == []
    assert find_faults(sound, retrain=True) == []
    journals = {path.name for path in (sound / "journal").iterdir()}
    assert {f"journal/{name}" for name in journals} < set(read_summary(sound)["files"])


# ---- summary.json ----


def list_figures(summary: dict[str, Any]) -> list[tuple[Place, object]]:
    return [(place, value) for place, value in list_leaves(summary) if place[0] != "files"]


def test_every_changed_figure_is_named(folder: Path) -> None:
    summary = read_summary(folder)
    figures = list_figures(summary)
    assert len(figures) > 120
    for place, value in figures:
        put(summary, place, change(value))
    write_summary(folder, summary)
    wanted = {dot(place) + (".forged" if value == {} else "") for place, value in figures}
    assert name_places(find_faults(folder)) == wanted


def test_every_missing_figure_is_named(folder: Path) -> None:
    summary = read_summary(folder)
    figures = [place for place, _ in list_figures(summary) if not isinstance(place[-1], int)]
    for place in figures:
        take_out(summary, place)
    write_summary(folder, summary)
    faults = find_faults(folder)
    assert all(" is missing, " in fault for fault in faults)
    assert name_places(faults) == {dot(place) for place in figures}


def test_every_additional_key_is_named(folder: Path) -> None:
    summary = read_summary(folder)
    sections: list[Place] = [(), *(place[:-1] for place, _ in list_figures(summary) if isinstance(place[-1], str))]
    for place in set(sections):
        put(summary, (*place, "note"), "anything")
    write_summary(folder, summary)
    faults = find_faults(folder)
    assert all("nothing of that name belongs here" in fault for fault in faults)
    assert name_places(faults) == {dot((*place, "note")) for place in sections}


def test_one_figure_of_each_section_is_named_alone(sound: Path, folder: Path) -> None:
    """Some figures steer the check itself, so that a change of all of them at once might hide one."""
    whole = read_summary(sound)
    figures = {place[0]: (place, value) for place, value in list_figures(whole)}
    assert {"seed", "fingerprint", "broken_invariant", "events", "cost", "dataset", "employer"} < set(figures)
    for place, value in figures.values():
        changed, cut = copy.deepcopy(whole), copy.deepcopy(whole)
        put(changed, place, change(value))
        take_out(cut, place)
        for summary in (changed, cut):
            write_summary(folder, summary)
            assert find_only(folder).startswith(f"summary.json: {dot(place)} is "), place


@pytest.mark.parametrize("value", ["1", "true", "2.0", "[2]", "NaN", '"2"'])
def test_a_figure_of_another_type_is_another_figure(value: str, folder: Path) -> None:
    path = folder / "summary.json"
    text = path.read_text("utf-8")
    path.write_text(text.replace('"height": 2,', f'"height": {value},', 1), "utf-8")
    assert find_only(folder).startswith("summary.json: chain.height is ")


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda text: "[" * 100_000, "nested too deep"),
        (lambda text: text.replace('"seed"', '"seed": 8, "seed"', 1), "the key 'seed' stands twice"),
        (lambda text: text[:-5], "not JSON"),
        (lambda text: text.replace('"seed": 7', f'"seed": {"7" * 5000}', 1), "not JSON"),
    ],
    ids=["deep", "twins", "cut", "long number"],
)
def test_a_summary_that_no_run_writes_is_refused_in_a_sentence(edit: Any, told: str, folder: Path) -> None:
    path = folder / "summary.json"
    path.write_text(edit(path.read_text("utf-8")), "utf-8")
    with pytest.raises(RunFolderError) as caught:
        find_faults(folder)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_deep_figure_is_told_like_any_other(folder: Path) -> None:
    path = folder / "summary.json"
    text = path.read_text("utf-8").rstrip().removesuffix("}")
    path.write_text(f'{text}, "x": {"[" * 900}{"]" * 900}}}', "utf-8")
    assert find_only(folder) == "summary.json: x: nothing of that name belongs here"


# ---- the list of files ----


@pytest.mark.parametrize("name", [*CORE, "chain.png", "training.png", "journal/honest-0.jsonl"])
def test_an_entry_that_was_left_out_is_found(name: str, folder: Path) -> None:
    summary = read_summary(folder)
    del summary["files"][name]
    write_summary(folder, summary)
    assert find_only(folder) == f"{name}: summary.json does not list it among the files"


@pytest.mark.parametrize("name", [*CORE, "chain.png", "journal/honest-0.jsonl"])
def test_an_entry_with_another_digest_is_found(name: str, folder: Path) -> None:
    summary = read_summary(folder)
    summary["files"][name] = "00" * 32
    write_summary(folder, summary)
    assert find_only(folder).startswith(f"{name}: changed since the run")


@pytest.mark.parametrize("name", ["chain.png", "journal/honest-0.jsonl", "events.jsonl"])
def test_a_file_that_is_gone_is_found_although_no_entry_is_left_of_a_file_that_must_be(name: str, folder: Path) -> None:
    (folder / name).unlink()
    assert find_faults(folder)[0] == f"{name}: missing"
    if name in CORE:
        renewed = read_summary(folder)
        del renewed["files"][name]
        write_summary(folder, renewed)
        assert find_faults(folder)[0] == f"{name}: missing"


@pytest.mark.parametrize("name", ["note.txt", "weights/x", "journal/nobody.jsonl", "model.keras", "deep/er/x"])
@pytest.mark.parametrize("is_listed", [False, True])
def test_a_file_that_no_run_leaves_is_found(name: str, is_listed: bool, folder: Path) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("forged", "utf-8")
    if is_listed:
        summary = read_summary(folder)
        summary["files"][name] = ""
        write_summary(folder, summary)
        renew_digests(folder)
    faults = find_faults(folder)
    assert any(name.partition("/")[0] in fault for fault in faults), faults


def test_what_is_no_file_is_not_read(folder: Path) -> None:
    (folder / "empty").mkdir()
    assert find_only(folder) == "empty/: no run of this scenario leaves this"
    (folder / "empty").rmdir()
    (folder / "chain.png").unlink()
    (folder / "chain.png").symlink_to(folder / "nowhere")
    assert find_only(folder) == "chain.png: no run of this scenario leaves this"


# ---- scenario.yaml ----


@pytest.mark.parametrize("is_fingerprint_renewed", [False, True])
@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (("seed",), 8, "chain.jsonl: the genesis: job.weights_seed is "),
        (("protocol", "confidence", "count"), 3, "chain.jsonl: the genesis: parameters.confidence.value is 2, "),
        (
            ("protocol", "stakeholders"),
            1,
            "chain.jsonl: the genesis: parameters.stakeholders is 2, scenario.yaml gives 1",
        ),
        (
            ("job", "learning_rate"),
            0.5,
            "chain.jsonl: the genesis: job.learning_rate is 0.001, scenario.yaml gives 0.5",
        ),
        (("job", "layers"), [7], "chain.jsonl: the genesis: job.layers"),
        (("job", "stages"), 3, "chain.jsonl: the genesis: job.stages is 2, scenario.yaml gives 3"),
        (("job", "xla"), True, "chain.jsonl: the genesis: job.profile is "),
        (("populations", 0, "count"), 4, "chain.jsonl: the genesis: accounts.length is 6, scenario.yaml gives 7"),
        (("populations", 0, "stake"), 1.0, "chain.jsonl: the genesis: accounts."),
        (("populations", 0, "name"), "nice", "chain.jsonl: the genesis: accounts."),
        (("users", "count"), 3, "chain.jsonl: the genesis: accounts.length is 6, scenario.yaml gives 7"),
        (("name",), "majority", 'pot_sim.log: line 1: scenario is "in-memory", scenario.yaml gives "majority"'),
    ],
    ids=lambda value: dot(value) if isinstance(value, tuple) else "",
)
def test_a_changed_scenario_is_found_although_digests_and_fingerprint_were_renewed(
    place: Place, value: object, told: str, is_fingerprint_renewed: bool, folder: Path
) -> None:
    edit_scenario(folder, place, value, is_fingerprint_renewed=is_fingerprint_renewed)
    assert any(fault.startswith(told) for fault in find_faults(folder))


def test_who_poisons_what_is_held_against_the_log(folder: Path) -> None:
    edit_scenario(folder, ("populations", 1, "poison", "share"), 0.25, is_fingerprint_renewed=True)
    assert find_only(folder) == "pot_sim.log: line 6: share is 0.5, scenario.yaml gives 0.25"


@pytest.mark.parametrize(
    ("place", "value"), [(("network", "loss"), 0.9), (("run", "time_limit_s"), 299.0), (("description",), "another")]
)
def test_the_fingerprint_holds_what_only_the_scenario_says(place: Place, value: object, folder: Path) -> None:
    edit_scenario(folder, place, value, is_fingerprint_renewed=False)
    assert find_only(folder).startswith("pot_sim.log: line 1: fingerprint is ")


def test_a_run_of_a_mechanism_that_is_not_known_here_is_called_that(folder: Path) -> None:
    edit_scenario(folder, ("mechanism", "name"), "proof_of_patience", is_fingerprint_renewed=False)
    with pytest.raises(RunFolderError, match="a run of the mechanism 'proof_of_patience', which is not known here"):
        find_faults(folder)


# ---- the logs ----


def edit_both_logs(folder: Path, name: str, old: str, new: str) -> None:
    """Give a field another value wherever it stands, in both logs; each says it in its own way."""
    edit_text(folder, "pot_sim.log", lambda text: re.sub(rf"( {name}=){old}", rf"\g<1>{new}", text))
    edit_text(folder, "events.jsonl", lambda text: re.sub(rf'("{name}": "?){old}', rf"\g<1>{new}", text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (r"(?s).*", ""),
        (r"honest-1", "honest-2"),
        (r'("balance": )[1-9]\d*', r"\g<1>9"),
        (r'("loss": )\d', r"\g<1>7"),
        (r"(?s)\n[^\n]*\n\Z", "\n"),
        (r"(?s)\Z", "{}\n"),
        (r"(?s)\n\Z", ""),
        (r', "height"', ',  "height"'),
    ],
    ids=["emptied", "party", "balance", "loss", "line cut", "line added", "last byte", "form"],
)
def test_events_that_say_something_else_than_the_log_are_found(old: str, new: str, folder: Path) -> None:
    edit_text(folder, "events.jsonl", lambda text: re.sub(old, new, text, count=1))
    assert find_only(folder).startswith("events.jsonl: ")


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("balance", r"[1-9][\d.]+", "9999.5", "balance is 9999.5, the chain gives "),
        ("role", "honest", "adversary", 'role is "adversary", scenario.yaml gives "honest"'),
        ("data", "poisoned", "clean", "data is 'clean', the populations of the scenario make it 'poisoned'"),
        ("stake", r"\d+", "5", "stake is 5, scenario.yaml gives 1000000000"),
        ("seed", "7", "8", "seed is 8, scenario.yaml gives 7"),
        ("declarations", "[0-9]", "9", "declarations is 9, the block gives "),
        ("chain", "0x[0-9a-f]{4}", "0x0000", "chain is "),
        ("population", "bad", "honest", 'population is "honest", scenario.yaml gives "bad"'),
        ("outcome", "delivered", "stopped", "outcome is 'stopped', a party that ends at height 2 has 'delivered'"),
        ("samples", r"\d+", "0", "samples is missing or 0"),
    ],
)
def test_logs_that_say_something_else_than_scenario_and_chain_are_found(
    name: str, old: str, new: str, told: str, folder: Path
) -> None:
    edit_both_logs(folder, name, old, new)
    faults = find_faults(folder)
    assert faults[0].startswith("pot_sim.log: line ")
    assert told in faults[0]
    assert not any(fault.startswith("events.jsonl") for fault in faults)


def test_a_loss_that_another_node_contradicts_is_found(folder: Path) -> None:
    """What all nodes say alike is for training again to contradict."""
    line = next(text for text in (folder / "pot_sim.log").read_text("utf-8").splitlines() if " trained " in text)
    loss = re.search(r" loss=([\d.]+)", line)
    assert loss is not None
    edit_text(folder, "pot_sim.log", lambda text: text.replace(f" loss={loss[1]}", " loss=0.125", 1))
    edit_text(folder, "events.jsonl", lambda text: text.replace(f'"loss": {loss[1]}', '"loss": 0.125', 1))
    assert "another node has" in find_only(folder)
    edit_both_logs(folder, "loss", re.escape(loss[1]), "0.125")
    assert find_faults(folder) == []
    assert "loss is 0.125, training again gives " in find_faults(folder, retrain=True)[0]


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (lambda text: text.replace(" accepted ", " akzepted ", 1), "1 damaged lines left out"),
        (lambda text: text[: text.rindex("\n", 0, -1) + 1], "cut off"),
        (lambda text: text.replace("honest-0 started", "stranger started", 1), "is called 'stranger'"),
        (lambda text: text + text.splitlines()[-1] + "\n", "nothing happens after the closing record"),
        (lambda text: "", "its opening line is missing"),
        (lambda text: re.sub(r".* honest-1 node .*\n", "", text), "says nothing of honest-1, a node of scenario.yaml"),
        (lambda text: re.sub(r"(.* honest-1 node .*\n)", r"\1\1", text), "describes nodes twice"),
    ],
    ids=["word", "cut", "party", "twice", "emptied", "node left out", "node twice"],
)
def test_a_log_that_no_run_writes_is_found_although_its_digest_was_renewed(edit: Any, told: str, folder: Path) -> None:
    edit_text(folder, "pot_sim.log", edit)
    assert any(fault.startswith("pot_sim.log: ") and told in fault for fault in find_faults(folder))


def test_invariants_are_judged_again(folder: Path) -> None:
    """A log of an honest node that appends a block after it refused it shows a broken invariant."""
    lines = (folder / "pot_sim.log").read_text("utf-8").splitlines()
    place = next(index for index, text in enumerate(lines) if " honest-0 appended " in text)
    appended = dict(part.split("=") for part in lines[place].split()[4:])
    refused = (
        f"{lines[place].split(' INFO')[0]} INFO    honest-0 rejected kind=block height=1 author=honest-1 "
        f"header=0x0 block={appended['block']} peer=honest-1 reason=lottery-lost"
    )
    edit_text(folder, "pot_sim.log", lambda text: "".join(f"{x}\n" for x in [*lines[:place], refused, *lines[place:]]))
    fault = next(fault for fault in find_faults(folder) if "judged again" in fault)
    assert "refusal: honest-0 appended the block" in fault
    assert fault.endswith("it says null")


# ---- a folder of version 1.0 ----


def test_a_run_of_version_1_0_is_verified(tmp_path: Path) -> None:
    stored = Path(__file__).parents[3] / "stored" / "version-1.0"
    folder = Path(shutil.copytree(stored, tmp_path / "run"))
    draw_something(folder)
    assert find_faults(folder) == []
    assert find_faults(folder, retrain=True) == []
    summary = read_summary(folder)
    assert "chain.png" not in summary["files"]
    for place, value in list_figures(summary):
        put(summary, place, change(value))
    write_summary(folder, summary)
    named = name_places(find_faults(folder))
    assert {dot(place) for place, _ in list_figures(summary)} - named <= {"events"}


def test_what_version_1_0_rounded_otherwise_is_close_enough(tmp_path: Path) -> None:
    stored = Path(__file__).parents[3] / "stored" / "version-1.0"
    folder = Path(shutil.copytree(stored, tmp_path / "run"))
    summary = read_summary(folder)
    for change_s, is_held in ((1e-6, True), (1e-5, False)):
        edited = json.loads(json.dumps(summary))
        edited["measures"]["blocks"]["seconds_each"] += change_s
        write_summary(folder, edited)
        assert (find_faults(folder) == []) == is_held
