"""Signatures are counted when they are made, and when they are really checked."""

from simulation.engines.counting_rules import CountingKeys, CountingRules
from simulation.scenario.world.key_pairs import make_keys
from tests.support.core import Scene


def test_a_right_signature_is_checked_once_and_a_wrong_one_each_time() -> None:
    scene = Scene()
    rules, header = CountingRules(scene.pot), scene.header()
    key, other = rules.find_signature(header), b"\1" * 32
    for _ in range(3):
        assert rules.is_signed(header)
    assert rules.checked == 1
    for _ in range(3):
        assert not rules.verify(other, *key[1:])
    assert rules.checked == 4
    assert rules.verify(*key)
    assert rules.checked == 4


def test_a_counting_key_signs_as_its_pair_does() -> None:
    pair = make_keys(b"s" * 32)
    keys = CountingKeys(pair)
    assert keys.sign_hash(b"d" * 32) == pair.sign_hash(b"d" * 32)
    assert (keys.public, keys.made) == (pair.public, 1)
