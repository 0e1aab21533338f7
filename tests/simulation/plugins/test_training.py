"""Models and data sets from a file are looked at before a run; `test_poisons` runs one with both."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from simulation.commands import cli
from simulation.foundation.plugin_table import PluginError, put_in_force
from simulation.mechanisms.proof_of_training.data import load_data
from simulation.scenario.errors import ScenarioError
from simulation.scenario.loading import load_scenario
from tests.simulation.plugins.material import find_example, save_lab, write

MODEL, DATA = find_example("A model"), find_example("A data set")


@pytest.fixture(autouse=True)
def _leave_nothing_in_force() -> Iterator[None]:
    yield
    put_in_force(())


def test_own_data_have_the_form_of_their_arrays(tmp_path: Path) -> None:
    write(tmp_path, DATA.python)
    images = load_data(load_scenario(save_lab(tmp_path, **DATA.keys)))
    assert (images.name, images.form.shape, images.form.classes) == ("stripes", (8, 8), 4)
    assert np.array_equal(images.y_test, np.arange(500, 600) % 4)


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (
            "return None",
            "my_lab.py:5: the data set 'stripes' returned a NoneType; return x_train",
        ),
        ("return pictures, list(labels), pictures, labels", "the data set 'stripes' returned no array as y_train"),
        (
            "return pictures, labels[1:], pictures, labels",
            "y_train has the shape (599,); 600 samples need",
        ),
        ("return pictures * np.nan, labels, pictures * np.nan, labels", "x_train: sample 0 has NaN"),
        ("return pictures, labels * 2, pictures, labels", "y_train has no sample of class 1"),
        ("raise OSError('no network')", "my_lab.py:10: OSError: no network"),
    ],
)
def test_what_is_no_data_set_is_refused(tmp_path: Path, after: str, told: str) -> None:
    source = DATA.python.partition("    return")[0]
    write(tmp_path, f"{source}    {after}\n")
    scenario = load_scenario(save_lab(tmp_path, **DATA.keys))
    with pytest.raises(PluginError) as caught:
        load_data(scenario)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('"wide"', '"cnn"', "my_lab.py:4: there is a model called 'cnn' already; give it another name"),
        ("units: int = 64", "units: int", "my_lab.py:4: the key units of the model 'wide' needs a default"),
        ("(form, *", "(*", "my_lab.py:4: build must take (form), and keys of its own behind a *"),
        ("units: int = 64", "unit: int = 64", "job.model.units: unknown key; did you mean 'unit'?"),
    ],
)
def test_what_is_no_model_is_refused(tmp_path: Path, before: str, after: str, told: str) -> None:
    write(tmp_path, MODEL.python.replace(before, after, 1))
    with pytest.raises(ScenarioError) as caught:
        load_scenario(save_lab(tmp_path, **MODEL.keys))
    assert told in str(caught.value)


@pytest.mark.keras
def test_a_network_that_does_not_fit_is_told_before_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for after, told in (("form.classes + 1", "there are 10 classes"), ("form.numbers[0]", "my_lab.py:8: TypeError: ")):
        write(tmp_path, MODEL.python.replace("Dense(form.classes)", f"Dense({after})"))
        file = save_lab(tmp_path, **MODEL.keys)
        assert cli.main(["run", str(file), "--out", str(tmp_path / "runs"), "--quiet"]) == 2
        assert told in capsys.readouterr().err
        assert cli.main(["validate", str(file)]) == 2
        assert told in capsys.readouterr().err
