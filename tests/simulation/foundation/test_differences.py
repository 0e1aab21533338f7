from typing import Any

import pytest

from simulation.foundation.differences import find_differences, show_value


@pytest.mark.parametrize(
    ("told", "wanted", "sentences"),
    [
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 2}]}}, []),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, ["a.b.1 is 2, it should be 3"]),
        ({"a": [1, 2]}, {"a": [1]}, ["a.length is 2, it should be 1"]),
        ({}, {"a": None}, ["a is missing, it should be null"]),
        ({"a": {}}, {}, ["a: nothing of that name belongs here"]),
        ({"a": {}}, {"a": {"b": 1}}, ["a.b is missing, it should be 1"]),
        ({"a": []}, {"a": {}}, ["a is [], it should be {}"]),
        ({"a": 1, "b": 2}, {"a": 2, "b": 3}, ["a is 1, it should be 2", "b is 2, it should be 3"]),
        ({"a": 1}, {"a": 1.0}, ["a is 1, it should be 1.0"]),
        ({"a": True}, {"a": 1}, ["a is true, it should be 1"]),
        ({"a": float("nan")}, {"a": float("nan")}, []),
        ({"a": 0.0}, {"a": -0.0}, ["a is 0.0, it should be -0.0"]),
    ],
)
def test_each_place_that_differs_is_one_sentence(told: Any, wanted: Any, sentences: list[str]) -> None:
    assert [item.describe("it should be") for item in find_differences(told, wanted)] == sentences


def test_a_value_is_shown_in_short() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert show_value("x" * 99) == '"' + "x" * 59 + "..."
    assert show_value(deep) == "what no run writes"
    assert show_value(b"\x01\xff") == '"01ff"'
    assert show_value("\x1b[31m") == '"\\u001b[31m"'
