"""Plug-ins are loaded by scenarios that name them, are told from others by their source, and fail in one sentence."""

import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulation.commands import cli
from simulation.foundation import plugin_loading
from simulation.foundation.plugin_table import list_in_force, put_in_force
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import CONFIGS, load_scenario, load_stored_scenario
from simulation.scenario.scenario import Scenario
from tests.simulation.plugins.material import INVERTED, poisoned, save_lab, write

TWICE = INVERTED.replace("import register_poison", "import register_poison  # other bytes")


@pytest.fixture(autouse=True)
def _leave_nothing_in_force() -> Iterator[None]:
    yield
    put_in_force(())


def load(folder: Path, source: str = INVERTED) -> Scenario:
    write(folder, source)
    return load_scenario(save_lab(folder, poisoned()))


def refuse(path: Path, **options: object) -> str:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path, **options)  # type: ignore[arg-type]
    return str(caught.value)


def test_a_scenario_without_plugins_says_nothing_of_them() -> None:
    scenario = load_scenario(CONFIGS / "honest.yaml")
    assert "plugins" not in scenario.to_yaml()
    assert scenario.plugins == []


def test_the_source_counts_and_not_the_place(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    first, same = load(tmp_path / "one"), load(tmp_path / "two")
    other = load(tmp_path / "two", INVERTED.replace("255", "254"))
    assert first.compute_fingerprint("1") == same.compute_fingerprint("1") != other.compute_fingerprint("1")
    assert "file: plugins/my_lab.py" in first.to_yaml()
    assert str(tmp_path) not in first.to_yaml()


def test_what_a_plugin_offers_is_there_for_its_own_scenarios_only(tmp_path: Path) -> None:
    with_it = save_lab(tmp_path, poisoned())
    load(tmp_path)
    assert [plugin.name for plugin in list_in_force()] == ["my_lab.py"]
    without = save_lab(tmp_path, poisoned(), plugins=[])
    assert "populations.1.poison.kind: write 'appended_mislabelled'" in refuse(without)
    assert list_in_force() == ()
    with_it = save_lab(tmp_path, poisoned())
    assert load_scenario(with_it).populations[1].poison.kind == "inverted"  # type: ignore[union-attr]


def test_a_plugin_may_be_named_for_one_command(tmp_path: Path) -> None:
    lab = write(tmp_path, INVERTED)
    plain = save_lab(tmp_path, poisoned(), plugins=[])
    assert [item.name for item in load_scenario(plain, plugins=[lab]).plugins] == ["my_lab.py"]
    told = refuse(plain, plugins=[tmp_path / "other.py"])
    assert told.startswith("--plugin ")
    assert "other.py: cannot be read: No such file or directory; name a file of Python" in told


def test_own_keys_are_read_strictly(tmp_path: Path) -> None:
    write(tmp_path, INVERTED)
    assert load_scenario(save_lab(tmp_path, poisoned(white=200))).populations[1].poison.own == {"white": 200}  # type: ignore[union-attr]
    assert "populations.1.poison.white: write a whole number, not 'a lot'" in refuse(
        save_lab(tmp_path, poisoned(white="a lot"))
    )
    assert "populations.1.poison.whitee: unknown key; did you mean 'white'?" in refuse(
        save_lab(tmp_path, poisoned(whitee=200))
    )
    assert "populations.1.poison.target: unknown key; allowed here: kind, share, white" in refuse(
        save_lab(tmp_path, poisoned(target=3))
    )
    told = refuse(save_lab(tmp_path, poisoned(kind="upturned")))
    assert "populations.1.poison.kind: no poison is called 'upturned'; there are appended_mislabelled, " in told
    assert told.endswith(", inverted")


def test_keys_of_its_own_reach_another_process(tmp_path: Path) -> None:
    write(tmp_path, INVERTED)
    poison = load_scenario(save_lab(tmp_path, poisoned(white=9))).populations[1].poison
    assert pickle.loads(pickle.dumps(poison)) == poison  # noqa: S301 - just made


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("def f(:\n    pass\n", r"my_lab\.py:1: not valid Python: "),
        ("x = 1\n\n1 / 0\n", r"my_lab\.py:3: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\n", r"my_lab\.py:1: SystemExit: 3"),
        ("import no_such_library\n", r"my_lab\.py:1: ModuleNotFoundError: No module named 'no_such_library'"),
        (
            "import helper\n",
            r"No module named 'helper': a plug-in is one file, what lies beside it is not found; put it",
        ),
        (
            "import simulation.plugins as p\n@p.register_picture('spread')\ndef draw(run): pass\n",
            r'my_lab\.py:2: register_picture takes a name and words; write @register_picture\("a_name", title="..."',
        ),
        ("x = 1\n", r"my_lab\.py: registers nothing; call a function of simulation\.plugins"),
        (INVERTED.replace('"inverted"', '"backdoor"'), r"my_lab\.py:5: there is a poison called 'backdoor' already"),
        (INVERTED.replace('"inverted"', '"Not a name"'), r"my_lab\.py:5: 'Not a name' names no poison: write 1 to 40"),
        (
            INVERTED.replace("white: int = 255", "white=255"),
            r"my_lab\.py:5: invert must say of which type its key white",
        ),
        (INVERTED.replace(", rng, *", ", *"), r"my_lab\.py:5: invert must take \(images, labels, chosen, rng\)"),
        (INVERTED.replace("white: int", "share: int"), r"my_lab\.py:5: every poison has the key share"),
        (INVERTED.replace("white: int", "copy: int"), r"my_lab\.py:5: a key cannot be called copy"),
        (INVERTED + INVERTED, r"my_lab\.py:13: there is a poison called 'inverted' already; give it another name"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_with_its_line(tmp_path: Path, source: str, told: str) -> None:
    write(tmp_path, source)
    write(tmp_path, "", "helper.py")
    found = refuse(save_lab(tmp_path, poisoned()))
    assert re.search(told, found), found
    assert "\n" not in found


@pytest.mark.parametrize(
    ("plugins", "told"),
    [
        ("my_lab.py", "plugins: write a list, such as [first, second], not 'my_lab.py'"),
        (["my_lab.txt"], "plugins.0: write the path of a file that ends in .py, or the name of an installed"),
        ([3], "plugins.0: write the path of a file of Python, such as my_lab.py, not 3"),
        ([{"file": "my_lab.py", "size": 3}], "plugins.0: write the path of a file of Python"),
        ([{"file": "my_lab.py", "digest": "0" * 64}], "my_lab.py: another version of the plug-in: SHA-256 "),
        (["my_lab.py", "deep/my_lab.py"], "plugins.1: two plug-ins are called my_lab.py; rename one of the files"),
        (["my_lab.py", "twice.py"], "there is a poison called 'inverted' already; give it another name"),
        (["."], "plugins.0: write the path of a file that ends in .py, or the name of an installed package, not '.'"),
        (["no_such_package"], "plugins.0: no package offers the plug-in 'no_such_package' (entry points proof_of_"),
    ],
)
def test_what_no_plugin_is_is_refused(tmp_path: Path, plugins: list[object], told: str) -> None:
    (tmp_path / "deep").mkdir()
    for place, name in ((tmp_path, "my_lab.py"), (tmp_path / "deep", "my_lab.py"), (tmp_path, "twice.py")):
        write(place, TWICE if name == "twice.py" else INVERTED, name)
    assert told in refuse(save_lab(tmp_path, poisoned(), plugins=plugins))


def test_a_loop_without_an_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin_loading, "LOAD_LIMIT_S", 0.3)
    write(tmp_path, "while True:\n    pass\n")
    told = refuse(save_lab(tmp_path, poisoned()))
    assert re.search(r"my_lab\.py:[12]: not loaded within 0 s; is there a loop without an end\?", told), told


def test_the_commands_say_so_and_end_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, "1 / 0\n")
    assert cli.main(["validate", str(save_lab(tmp_path, poisoned()))]) == 2
    assert "my_lab.py:1: ZeroDivisionError" in capsys.readouterr().err


def test_the_code_of_a_stored_run_is_not_executed_unasked(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    source = f"open({str(mark)!r}, 'w').close()\n{INVERTED}"
    (tmp_path / "lab").mkdir()
    stored = load(tmp_path / "lab")
    folder = tmp_path / "run"
    (folder / "plugins").mkdir(parents=True)
    write(folder / "plugins", source)
    digest = stored.plugins[0].digest
    text = stored.to_yaml().replace(digest, plugin_loading.hash_source(source.encode()))
    (folder / "scenario.yaml").write_text(text, "utf-8")
    with pytest.raises(ScenarioError, match="its code would be executed; read it, then add --trust-plugins"):
        load_stored_scenario(folder / "scenario.yaml")
    mine = write(tmp_path, INVERTED)
    with (
        plugin_loading.permit_plugins(plugin_loading.Permission((mine,))),
        pytest.raises(ScenarioError, match=r"my_lab\.py is another version of it"),
    ):
        load_stored_scenario(folder / "scenario.yaml")
    assert not mark.exists()
    with plugin_loading.permit_plugins(plugin_loading.Permission(is_folder_trusted=True)):
        load_stored_scenario(folder / "scenario.yaml")
    assert mark.exists()


def test_an_installed_package_is_told_by_all_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package, told = tmp_path / "site" / "lab_package", tmp_path / "site" / "lab_package-1.0.dist-info"
    package.mkdir(parents=True)
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: lab-package\nVersion: 1.0\n", "utf-8")
    (told / "entry_points.txt").write_text("[proof_of_training.plugins]\nlab_package = lab_package.parts\n", "utf-8")
    write(package, "", "__init__.py")
    write(package, "WHITE = 255\n", "helper.py")
    write(package, INVERTED.replace("from simulation", "from lab_package import helper\nfrom simulation"), "parts.py")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    file = save_lab(tmp_path, poisoned(), plugins=["lab_package"])
    scenario = load_scenario(file)
    assert scenario.populations[1].poison.kind == "inverted"  # type: ignore[union-attr]
    assert scenario.plugins[0].to_stored()["file"] == "package:lab_package"
    (tmp_path / "stored.yaml").write_text(scenario.to_yaml(), "utf-8")
    put_in_force(())
    assert load_stored_scenario(tmp_path / "stored.yaml") == scenario
    write(package, "WHITE = 254  # another version\n", "helper.py")
    assert "the package 'lab_package' is another version: SHA-256 " in refuse(tmp_path / "stored.yaml")
    assert load_scenario(file).compute_fingerprint("1") != scenario.compute_fingerprint("1")
