"""Values of an axis: lists, exact ranges, keys that change together, and what is refused."""

from typing import Any

import pytest

from simulation.commands.sweeps.axes import read_axis
from simulation.scenario.errors import ScenarioError


def read_values(raw: object) -> list[Any]:
    return [row[0] for row in read_axis("network.loss", raw, "s.yaml: vary.network.loss").rows]


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        ([0.5, 0.1], [0.5, 0.1]),
        ([1, "a", None, True, {"count": 2}, [1]], [1, "a", None, True, {"count": 2}, [1]]),
        ({"from": 0.0, "to": 0.3, "step": 0.1}, [0.0, 0.1, 0.2, 0.3]),
        ({"from": 0.1, "to": 0.7, "step": 0.2}, [0.1, 0.3, 0.5, 0.7]),
        ({"from": 1, "to": 7, "step": 3}, [1, 4, 7]),
        ({"from": 3, "to": 1, "step": -1}, [3, 2, 1]),
        ({"from": 1, "to": 10, "count": 4}, [1, 4, 7, 10]),
        ({"from": 0, "to": 1, "count": 3}, [0.0, 0.5, 1.0]),
        ({"from": 0.1, "to": 0.3, "count": 3}, [0.1, 0.2, 0.3]),
        ({"from": 5, "to": 5, "step": 1}, [5]),
        ({"from": 5, "to": 5, "count": 1}, [5]),
    ],
)
def test_values_are_what_was_written(raw: object, values: list[Any]) -> None:
    found = read_values(raw)
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


def test_a_value_does_not_depend_on_the_range_it_stands_in() -> None:
    fine = read_values({"from": 0, "to": 1, "count": 101})
    for step in (0.02, 0.05, 0.1, 0.25):
        assert set(read_values({"from": 0.0, "to": 1.0, "step": step})) <= set(fine)


def test_keys_of_a_group_take_their_values_together() -> None:
    axis = read_axis("stakes", {"keys": ["a.b", "c"], "values": [[1, 2], [3, 4]]}, "s.yaml: vary.stakes")
    assert (axis.keys, axis.rows) == (("a.b", "c"), ((1, 2), (3, 4)))
    assert axis.describe() == {"keys": ["a.b", "c"], "values": [[1, 2], [3, 4]]}


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ([], "the list is empty"),
        (3, "write a list of values, {from, to, step}"),
        ("text", "write a list of values, {from, to, step}"),
        ({"from": 0, "to": 1, "step": 0.3}, "reach 0.9 and miss 1"),
        ({"from": 0, "to": 1, "step": 0}, "step: 0 never leads from 0 to 1; write a number above 0"),
        ({"from": 0, "to": 1, "step": -0.5}, "step: -0.5 never leads from 0 to 1"),
        ({"from": 0, "to": 1, "step": 1e-9}, "step: 1e-09 makes more than 1,000,000 values; write a larger step"),
        ({"from": 0, "to": 1, "step": 1e-300}, "step: 1e-300 makes more than 1,000,000 values; write a larger step"),
        ({"from": 0, "to": 1, "count": 10**15}, "count: 1000000000000000 makes more than 1,000,000 values; write a"),
        ({"from": 0, "to": 1, "count": 0}, "count: write a whole number, 1 or more, not 0"),
        ({"from": 0, "to": 1, "count": 2.5}, "count: write a whole number, 1 or more, not 2.5"),
        ({"from": 0, "to": 1, "count": 1}, "count: write 2 or more, as both ends are among them, not 1"),
        ({"from": 1, "to": 1, "count": 2}, "count: write 1, as both ends are the same, not 2"),
        ({"from": 0, "to": 1}, "step: missing"),
        ({"from": 0, "to": 1, "by": 1}, "by: unknown key"),
        ({"from": 0, "to": 1, "count": 2, "step": 1}, "step: unknown key"),
        ({"from": float("nan"), "to": 1, "step": 1}, "from: write a finite number, not nan"),
        ({"from": 0, "to": float("inf"), "step": 1}, "to: write a finite number, not inf"),
        ({"from": True, "to": 1, "step": 1}, "from: write a finite number, not true"),
        ({"keys": ["a"], "values": []}, "values: the list is empty; write at least one row"),
        ({"keys": [], "values": []}, "keys: the list is empty; write at least one dotted key"),
        ({"keys": 3, "values": [[1]]}, "keys: write a list of dotted keys, such as [network.loss], not 3"),
        ({"keys": ["a", 3], "values": [[1, 2]]}, "keys.1: write a dotted key, such as network.loss, not 3"),
        ({"keys": ["a", "b"], "values": [[1, 2], [1]]}, "values.1: write a list of 2 values, one for each of a, b"),
        ({"keys": ["a"], "values": [1]}, "values.0: write a list of 1 values"),
        ({"keys": ["a"], "values": 1}, "values: write a list of lists"),
        ({"keys": ["a"]}, "values: missing"),
        ([0.1, 0.2, 0.1], "the value 0.1 stands twice"),
        ([2**70], "write a smaller whole number"),
        ([object()], "write text, a number, true, false, null, a list or keys"),
    ],
)
def test_what_makes_no_axis_is_refused_with_its_place(raw: object, told: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        read_values(raw)
    assert str(raised.value).startswith("s.yaml: vary.network.loss")
    assert told in str(raised.value)


def test_a_value_without_an_end_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(ScenarioError, match="nested too deep"):
        read_values([endless])
