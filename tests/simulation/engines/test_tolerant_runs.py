"""Networks with a tolerance and real training: who is taken for honest, where stages start, and what can be checked."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from simulation.analysis.measures import compute_measures
from tests.support.memory_runs import Ended, make_raw, population, prepare
from tests.support.processes import Finished, Verify, find_traces, launch, make_environment
from tests.support.scenarios import make_images

pytestmark = [
    pytest.mark.xdist_group("tolerant runs"),
    pytest.mark.processes,
    pytest.mark.keras,
    pytest.mark.filterwarnings("default::DeprecationWarning"),  # Keras and NumPy 2 have yet to agree on __array__
]

IMAGES = make_images(200, 40)
NATIVE = population("honest", 4)
CANONICAL = population("others", 3, arithmetic="canonical")
POISONERS = population("attackers", 2, "data_injection", poison={"kind": "label_noise", "share": 0.5})
BOUND = 1e-5


def run(folder: Path, *populations: dict[str, Any], tolerance: float, **sections: Any) -> Ended:
    """Run a small network in simulated time, with real training of three stages."""
    folder.mkdir(exist_ok=True)
    protocol = {"tolerance": tolerance, "rules": 1, **sections.pop("protocol", {})}
    job = {"steps_per_stage": 20, "stages": 3, "layers": [16], "batch_size": 8}
    raw = make_raw(*populations, job=job, protocol=protocol, virtual={"trainer": "keras"}, **sections)
    return prepare(raw, folder, IMAGES).run()


def measure(ended: Ended) -> dict[str, Any]:
    return compute_measures(ended.tally, "proof_of_training")


# ---- honest nodes that round differently ----


def test_with_a_tolerance_honest_nodes_of_two_arithmetics_refuse_nothing_of_each_other(tmp_path: Path) -> None:
    exact = run(tmp_path / "exact", NATIVE, CANONICAL, tolerance=0.0, run={"time_limit_s": 60.0})
    assert measure(exact)["detection"]["false_rejection"] > 0
    assert measure(exact)["comparisons"] == {"within": 0, "beyond": 0, "farthest_within": None}
    assert not exact.find("compared")
    near = run(tmp_path / "near", NATIVE, CANONICAL, tolerance=BOUND)
    near.assert_agreed()
    measures = measure(near)
    assert measures["detection"]["false_rejection"] == 0
    assert measures["comparisons"]["within"] > 0
    assert measures["comparisons"]["beyond"] == 0
    assert 0 < measures["comparisons"]["farthest_within"] <= BOUND


def test_each_stage_starts_from_the_weights_of_the_block_before(tmp_path: Path) -> None:
    ended = run(tmp_path, NATIVE, CANONICAL, tolerance=BOUND)
    attested = {record.fields["height"]: record.fields["weights"] for record in ended.find("appended", "honest-0")}
    for label in ("honest-0", "others-0"):
        bases = {record.fields["stage"]: record.fields.get("base") for record in ended.find("training", label)}
        assert bases == {0: None, 1: attested[1], 2: attested[2]}
    for stage in range(3):
        results = {record.fields["weights"] for record in ended.find("trained", stage=stage)}
        assert len(results) == 2, "one in each arithmetic, because all start from the same weights"


def test_a_poisoner_is_refused_by_both_arithmetics(tmp_path: Path) -> None:
    ended = run(tmp_path, NATIVE, CANONICAL, POISONERS, tolerance=BOUND)
    detection = measure(ended)["detection"]
    assert detection["false_rejection"] == 0
    assert (detection["by_kind"]["declaration"]["recall"], detection["by_kind"]["declaration"]["caught"] > 0) == (
        1,
        True,
    )
    assert (ended.tally.count_poisoned_honest(), ended.broken) == (0, None)
    for label in ("honest-0", "others-0"):
        told = ended.find("compared", label, within=False)
        assert told
        assert all(float(str(record.fields["distance"])) > BOUND for record in told)
        assert {record.fields["reason"] for record in ended.find("rejected", label)} >= {"different-weights"}


def test_what_lies_within_a_wide_tolerance_is_accepted_and_counted_and_breaks_nothing(tmp_path: Path) -> None:
    """Only the attackers are many enough to propose, and honest nodes take their weights for near."""
    crowd = (population("honest", 2), {**POISONERS, "count": 4})
    ended = run(tmp_path, *crowd, tolerance=100.0, protocol={"confidence": {"count": 3}})
    detection = measure(ended)["detection"]
    assert detection["by_kind"]["header"]["missed"] > 0
    assert detection["recall"] == 0
    assert ended.tally.count_poisoned_honest() == ended.tally.count_poisoned_employer() == 3
    assert ended.broken is None


# ---- other branches, other nodes ----


def test_after_a_partition_the_other_sides_stages_are_trained_from_its_own_blocks(tmp_path: Path) -> None:
    cut = {"start_s": 0.0, "heal_s": 4.0, "groups": [["honest", "employer"], ["others"]]}
    ended = run(tmp_path, NATIVE, CANONICAL, tolerance=BOUND, network={"partitions": [cut]})
    ended.assert_agreed()
    assert ended.tally.reorg_depth_max > 0
    twice = [
        label
        for label in ended.world.get_honest()
        if len({record.fields["base"] for record in ended.find("training", label, stage=1)}) > 1
    ]
    assert twice, "who lost trains a stage again on the other branch"
    assert measure(ended)["detection"]["false_rejection"] == 0


@pytest.mark.parametrize(
    "behaviour", ["lazy_verifier", "free_rider", "timestamp_grinder", "equivocator", "declaration_spoiler", "flooder"]
)
def test_adversaries_change_nothing_for_honest_nodes(behaviour: str, tmp_path: Path) -> None:
    adversary = population("bad", 1, "adversary", behaviours=[behaviour])
    ended = run(tmp_path, NATIVE, CANONICAL, adversary, tolerance=BOUND)
    ended.assert_agreed()
    assert measure(ended)["detection"]["false_rejection"] == 0


def test_a_node_that_comes_back_goes_on_with_a_tolerance_too(tmp_path: Path) -> None:
    outages = [
        {"node": "others-0", "down_s": 0.3, "up_s": 3.0, "disk": "lost"},
        {"node": "honest-0", "down_s": 0.5, "up_s": 2.0, "disk": "kept"},
    ]
    ended = run(tmp_path, NATIVE, CANONICAL, tolerance=BOUND, network={"outages": outages})
    ended.assert_agreed()


def test_equal_training_done_once_or_by_each_gives_the_same_events(tmp_path: Path) -> None:
    once = run(tmp_path / "once", NATIVE, CANONICAL, POISONERS, tolerance=BOUND)
    raw = once.world.scenario.model_dump(mode="json")
    raw["virtual"]["memoise_training"] = False
    (tmp_path / "each").mkdir()
    assert prepare(raw, tmp_path / "each", IMAGES).run().lines == once.lines


# ---- as a user runs it: both engines, replay, verify ----


POISON = {"kind": "backdoor", "share": 0.3, "target": 0}


def launch_tolerant(folder: Path, engine: str) -> Finished:
    """Run two honest arithmetics and a poisoner, which is done before the three that compile can end a round."""
    raw = {
        "name": "tolerant",
        "description": "two arithmetics and a poisoner",
        "engine": engine,
        "dataset": {"name": "digits"},
        "job": {"steps_per_stage": 20, "stages": 3, "layers": [16]},
        "protocol": {"tolerance": BOUND, "rules": 1, "confidence": {"count": 3}},
        "populations": [
            population("honest", 3),
            population("others", 2, arithmetic="canonical"),
            population("attackers", 1, "data_injection", arithmetic="canonical", poison=POISON),
        ],
        "users": {"count": 0, "transactions": 0},
        "run": {"linger_s": 30.0},
        "output": {"pictures": False, "journal": True},
    }
    (folder / "tolerant.yaml").write_text(yaml.safe_dump(raw), "utf-8")
    done = launch(folder, "run", "tolerant.yaml", environment=make_environment())
    assert (done.code, find_traces(done.told)) == (0, []), done.told[-2000:]
    return done


@pytest.fixture(scope="module", params=["processes", "virtual"])
def tolerant_run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return launch_tolerant(tmp_path_factory.mktemp(request.param), request.param)


def test_both_engines_agree_on_who_is_honest(tolerant_run: Finished) -> None:
    summary = tolerant_run.summary
    assert (summary["chain"]["height"], summary["chain"]["honest_agreement"]) == (3, 1.0)
    assert summary["measures"]["detection"]["false_rejection"] == 0
    assert summary["measures"]["comparisons"]["within"] > 0
    assert (summary["attack"]["poisoned_stages_honest"], summary["broken_invariant"]) == (0, None)
    assert tolerant_run.find("rejected", author="attackers-0", reason="different-weights")
    assert tolerant_run.find("compared", within=True)


def test_journals_with_comparisons_are_replayed(tolerant_run: Finished) -> None:
    told = launch(tolerant_run.cwd.parent, "replay", str(tolerant_run.folder))
    assert (told.code, find_traces(told.told)) == (0, []), told.told
    journals = "".join(path.read_text("utf-8") for path in (tolerant_run.folder / "journal").iterdir())
    assert '"event": "compared"' in journals
    assert '"base": ' in journals


def test_a_run_is_verified_within_its_tolerance_from_the_weights_it_kept(
    tolerant_run: Finished, verify: Verify
) -> None:
    plain = verify(tolerant_run.folder)
    assert (plain.code, plain.out.splitlines()[-1]) == (0, "verified")
    told = verify(tolerant_run.folder, "--retrain")
    assert (told.code, told.out.splitlines()[-1]) == (0, "verified"), told.told
    assert "with training within the tolerance of 1e-05" in told.out
    kept = sorted((tolerant_run.folder / "weights").iterdir())
    assert len(kept) == 3
    content = kept[0].read_bytes()
    kept[0].unlink()
    try:
        plain = verify(tolerant_run.folder)
        told = verify(tolerant_run.folder, "--retrain")
    finally:
        kept[0].write_bytes(content)
    assert (plain.code, told.code) == (1, 1)
    assert plain.out.splitlines()[-1] == told.out.splitlines()[-1] == "not verified"
    assert "weights: those of the block at height" in plain.err
    assert "cannot be judged: no weights" in told.err
    assert find_traces(told.told) == []
