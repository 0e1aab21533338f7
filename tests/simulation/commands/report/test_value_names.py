"""Lists and keys, which a sweep's table holds as JSON, are named in words that tell them apart."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.commands.report.sweep_picture import draw_sweep
from simulation.commands.report.value_names import name_values, show_value

RULES = [
    {"name": "proof_of_training"},
    {"name": "proof_of_work", "length": 20, "hash_rate": 20000.0},
    {"name": "proof_of_work", "length": 20, "hash_rate": 80000.0},
    {"name": "stake_bft", "length": 20},
]
TOLD = ["proof_of_training", "proof_of_work, hash_rate 20000", "proof_of_work, hash_rate 80000", "stake_bft"]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (RULES[1], "proof_of_work, length 20, hash_rate 20000"),
        ([{"kind": "late_replacer", "after_s": 60}], "late_replacer, after_s 60"),
        (["grinder", {"kind": "flooder", "rate": 0.5}], "grinder, (flooder, rate 0.5)"),
        ({"confidence": {"count": 3}, "without": ["a", "b"]}, "confidence count 3, without (a, b)"),
        ([[20.0, 1.0], [1.0, 20.0]], "(20, 1), (1, 20)"),
        ({}, "nothing"),
        ([], "none"),
        ({"slashing": False, "preset": None}, "slashing false, preset null"),
        ("half", "half"),
    ],
)
def test_lists_and_keys_are_put_into_words(value: object, told: str) -> None:
    assert show_value(json.dumps(value)) == told


@pytest.mark.parametrize("value", ["[half", "{", '"', "[" * 100_000, "a [1]", "-", ""])
def test_what_only_looks_like_a_list_stays_as_it_is(value: str) -> None:
    assert show_value(value) == value


def test_what_is_alike_in_all_is_left_out_of_names_as_long_as_they_differ() -> None:
    texts = [json.dumps(rule) for rule in RULES]
    assert list(map(name_values(texts), texts)) == TOLD
    two = [json.dumps(section) for section in ({}, {"stages": 20})]
    assert list(map(name_values(two), two)) == ["nothing", "stages 20"]
    alike = ['{"a": 1}', '{"a": [1]}']
    assert list(map(name_values(alike), alike)) == alike
    mixed = [json.dumps({"count": 3}), json.dumps({"stake_share": 0.5}), "0.5"]
    assert list(map(name_values(mixed), [*mixed, 2.0])) == ["count 3", "stake_share 0.5", "0.5", "2"]


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.integers(0, 3)), min_size=1, unique_by=str))
def test_no_two_sections_have_one_name(sections: list[dict[str, int]]) -> None:
    texts = sorted({json.dumps(section, sort_keys=True) for section in sections})
    names = list(map(name_values(texts), texts))
    assert len(set(names)) == len(texts)
    assert all(names)


@pytest.mark.drawing
def test_a_legend_and_an_axis_of_sections_are_readable() -> None:
    texts = [json.dumps(rule) for rule in RULES]
    table = pd.DataFrame({"x": [1.0, 2.0] * 4, "mechanism": [text for text in texts for _ in range(2)]})
    table["height.mean"] = range(8)
    (axes,) = draw_sweep(table, "x", "height", ["mechanism"]).axes
    assert axes.get_legend_handles_labels()[1] == [f"mechanism = {name}" for name in TOLD]
    (axes,) = draw_sweep(table[::2], "mechanism", "height").axes
    shown = [label.get_text() for label in axes.get_xticklabels()]
    assert [name.split(",")[0] for name in shown] == [name.split(",")[0] for name in TOLD]
    assert not any(mark in name for name in shown for mark in '{"')
