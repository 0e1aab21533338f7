import pytest

from simulation.foundation.strict_json import read_json


def test_json_is_read() -> None:
    assert read_json('{"a": [1, {"b": null}]}') == read_json(b'{"a": [1, {"b": null}]}') == {"a": [1, {"b": None}]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON"),
        (b"\xff", "not JSON"),
        ("1" * 5000, "not JSON"),
        ("[" * 100_000, "nested too deep"),
        ('{"a": {"b": 1, "b": 1}}', "the key 'b' stands twice"),
        (f'{{"{"b" * 5000}": 1, "{"b" * 5000}": 1}}', f"the key '{'b' * 60}...' stands twice"),
    ],
)
def test_what_is_none_is_told_in_our_own_words(text: str | bytes, told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        read_json(text)
    assert str(caught.value) == told
