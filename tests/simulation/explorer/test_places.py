from pathlib import Path

import pytest

from simulation.explorer.places import PlaceError, find_place, list_runs, list_sweeps


@pytest.fixture(autouse=True)
def working(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    working = tmp_path / "working"
    (working / "runs" / "one").mkdir(parents=True)
    (working / "runs" / "one" / "summary.json").touch()
    (working / "runs" / "empty").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "summary.json").touch()
    (working / "runs" / "link").symlink_to(tmp_path / "outside")
    monkeypatch.chdir(working)
    return working


@pytest.mark.parametrize("told", ["..", "../outside", "runs/link", "runs/../../outside", "/", "/etc"])
def test_nothing_outside_of_the_working_folder_is_opened(told: str) -> None:
    with pytest.raises(PlaceError, match="outside of the working folder"):
        find_place(told)


@pytest.mark.parametrize("told", ["runs/gone", "runs/one/summary.json", "~", "runs/\0", "x" * 5000])
def test_what_is_no_folder_is_said_to_be_none(told: str) -> None:
    with pytest.raises(PlaceError, match=r"no such folder|not a folder"):
        find_place(told)


def test_an_absolute_path_inside_is_found(working: Path) -> None:
    assert find_place(working / "runs" / "one") == Path("runs/one")


def test_only_folders_of_runs_inside_are_offered(working: Path) -> None:
    (working / "here").mkdir()
    (working / "here" / "summary.json").touch()
    assert list_runs([Path("here"), Path("runs/empty")])[:1] == ["here"]
    assert "runs/empty" not in list_runs([])
    assert "runs/link" not in list_runs([])
    assert list_sweeps([]) == []


def test_a_link_to_elsewhere_hides_no_run(working: Path) -> None:
    for name in ("a", "z"):
        (working / "runs" / name).mkdir()
        (working / "runs" / name / "summary.json").touch()
    assert set(list_runs([])) == {"runs/a", "runs/one", "runs/z"}
