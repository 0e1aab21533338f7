"""Installed packages as plug-ins: each entry point is one of its own, whatever was loaded before it in the process."""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulation.foundation.plugin_loading import Permission, load_package, permit_plugins
from simulation.foundation.plugin_table import PluginError, list_in_force, put_in_force
from simulation.scenario.errors import ScenarioError, UntrustedPluginError
from simulation.scenario.loading import load_scenario, load_stored_scenario
from simulation.scenario.plugin_keys import put_plugins_in_force
from simulation.scenario.scenario import Scenario
from tests.simulation.plugins.material import INVERTED, save_lab, write

RING = """
from simulation.plugins import register_topology


@register_topology("{name}")
def link(labels, rng):
    return [(labels[place - 1], labels[place]) for place in range(len(labels))]
"""

_serial = itertools.count()


@pytest.fixture(autouse=True)
def _leave_nothing_in_force() -> Iterator[None]:
    yield
    put_in_force(())


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def install(site: Path, points: dict[str, str], **files: str) -> str:
    """Install a package that no other test has; return its name, which stands for ``PKG`` in what is given."""
    name = f"lab{next(_serial)}"
    package, told = site / name, site / f"{name}-1.0.dist-info"
    package.mkdir()
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", "utf-8")
    lines = "".join(f"{point} = {module}\n" for point, module in points.items()).replace("PKG", name)
    (told / "entry_points.txt").write_text(f"[proof_of_training.plugins]\n{lines}", "utf-8")
    for file, source in {"__init__": "", **files}.items():
        write(package, source.replace("PKG", name), f"{file}.py")
    return name


def list_offered(point: str) -> list[str]:
    return [registration.what for registration in load_package(point).registrations]


def test_two_entry_points_of_one_package_are_two_plugins(tmp_path: Path, site: Path) -> None:
    install(site, {"two_a": "PKG.a", "two_b": "PKG.b"}, a=RING.format(name="ring_a"), b=RING.format(name="ring_b"))
    assert (list_offered("two_a"), list_offered("two_b")) == (["topology 'ring_a'"], ["topology 'ring_b'"])
    scenarios = {
        (name, last): load_scenario(
            save_lab(tmp_path, plugins=[f"two_{last}", f"two_{name}"], network={"topology": f"ring_{name}"})
        )
        for name, last in ("ab", "ba")
    }
    assert len({scenario.compute_fingerprint("1") for scenario in scenarios.values()}) == 2
    first, second = (
        load_scenario(save_lab(tmp_path, plugins=[f"two_{name}"], network={"topology": f"ring_{name}"}))
        for name in "ab"
    )
    assert first.plugins[0].digest != second.plugins[0].digest
    put_plugins_in_force(first.plugins)
    assert [plugin.name for plugin in list_in_force()] == ["two_a"]


@pytest.mark.parametrize("order", [("base", "both"), ("both", "base")])
def test_what_two_of_a_package_share_is_there_once_and_of_one_class(
    tmp_path: Path, site: Path, order: tuple[str, str]
) -> None:
    install(
        site,
        {"base": "PKG.base", "both": "PKG.both"},
        base=RING.format(name="base_ring") + "class Shared: pass\n",
        both=RING.format(name="both_ring") + "from .base import Shared\nfrom PKG import base\n",
    )
    assert {point: sorted(list_offered(point)) for point in order} == {
        "base": ["topology 'base_ring'"],
        "both": ["topology 'base_ring'", "topology 'both_ring'"],
    }
    for topology in ("base_ring", "both_ring"):
        load_scenario(save_lab(tmp_path, plugins=list(order), network={"topology": topology}))
    shared = {registration.what: registration for point in order for registration in load_package(point).registrations}
    assert len({id(item) for point in order for item in load_package(point).registrations}) == len(shared)


def test_another_version_is_executed_anew_with_all_its_modules(site: Path) -> None:
    name = install(
        site, {"lab_turned": "PKG.parts"}, parts="from PKG import helper\n", helper=RING.format(name="ring_old")
    )
    assert list_offered("lab_turned") == ["topology 'ring_old'"]
    write(site / name, RING.format(name="ring_newer"), "helper.py")
    assert list_offered("lab_turned") == ["topology 'ring_newer'"]


def test_one_that_failed_is_executed_whole_the_next_time(site: Path) -> None:
    parts = "from PKG import helper\nimport os\nif 'LAB_IS_BROKEN' in os.environ:\n    raise ValueError('not today')\n"
    install(site, {"lab_broken": "PKG.parts"}, parts=parts, helper=RING.format(name="ring_late"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_IS_BROKEN", "1")
        with pytest.raises(PluginError, match=r"parts\.py:4: ValueError: not today"):
            load_package("lab_broken")
    assert list_offered("lab_broken") == ["topology 'ring_late'"]


def test_what_is_wrong_with_an_entry_point_is_told(tmp_path: Path, site: Path) -> None:
    name = install(site, {"lab_gone": "PKG.gone", "lab_there": "PKG.there"}, there=RING.format(name="there_ring"))
    with pytest.raises(PluginError, match=rf"the plug-in 'lab_gone' names the module {name}\.gone, which is not there"):
        load_package("lab_gone")
    with pytest.raises(ScenarioError, match=r"plugins\.1: lab_there is named twice; leave one of them out"):
        load_scenario(save_lab(tmp_path, plugins=["lab_there", "lab_there"]))


def store(folder: Path, scenario: Scenario) -> Path:
    file = folder / "stored.yaml"
    file.write_text(scenario.to_yaml(), "utf-8")
    return file


def test_what_is_named_for_a_stored_run_must_be_one_of_its_plugins(tmp_path: Path, site: Path) -> None:
    install(site, {"lab_named": "PKG"}, __init__=RING.format(name="named_ring"))
    with_package = load_scenario(save_lab(tmp_path, plugins=["lab_named"], network={"topology": "named_ring"}))
    assert load_stored(store(tmp_path, with_package), "lab_named") == with_package
    lab = write(tmp_path, INVERTED)
    with pytest.raises(ScenarioError, match=r"lab\.py: the run's plug-in lab_named is an installed package; leave it"):
        load_stored(store(tmp_path, with_package), str(lab))
    with pytest.raises(ScenarioError, match=r"--plugin lab_named: the run has no plug-ins; leave it out"):
        load_stored(store(tmp_path, load_scenario(save_lab(tmp_path, plugins=[]))), "lab_named")
    both = load_scenario(save_lab(tmp_path, plugins=["lab_named", "my_lab.py"]))
    other = write(tmp_path, INVERTED + "# other\n", "other.py")
    with pytest.raises(ScenarioError, match=r"none of the run's plug-ins, which are package:lab_named, plugins/my_lab"):
        load_stored(store(tmp_path, both), str(other), str(lab))


def test_a_stored_run_needs_the_version_that_it_had(tmp_path: Path, site: Path) -> None:
    name = install(site, {"lab_stored": "PKG"}, __init__=RING.format(name="stored_ring"))
    file = store(tmp_path, load_scenario(save_lab(tmp_path, plugins=["lab_stored"])))
    write(site / name, RING.format(name="stored_ring_anew"), "__init__.py")
    told = r"stored\.yaml: the package 'lab_stored' is another version: SHA-256 \w+, recorded \w+; install the version"
    with pytest.raises(UntrustedPluginError, match=told):
        load_stored(file)


def load_stored(file: Path, *named: str) -> Scenario:
    with permit_plugins(Permission(tuple(map(Path, named)))):
        return load_stored_scenario(file)


def test_a_name_alone_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(save_lab(tmp_path, plugins="lab_alone", mechanism={"name": "lab_alone"}))  # type: ignore[arg-type]
    assert re.fullmatch(r"\S+: plugins: write a list, such as \[first, second\], not 'lab_alone'", str(caught.value))
