"""The shipped scenarios of attacks: there is one for each, it shows what it says, and real processes show it too."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from simulation.analysis.measures import compute_measures
from simulation.attacks.catalogue import load_catalogue
from simulation.commands.cli import main
from simulation.scenario.loading import CONFIGS, load_scenario
from simulation.scenario.populations import Poison
from tests.support.judgements import Observed, observe
from tests.support.processes import SMALL, launch, sets

pytestmark = pytest.mark.many_runs

FILES = {path.stem: path for path in sorted((CONFIGS / "attacks").glob("*.yaml"))}


def find_kinds(path: Path) -> set[str]:
    populations = load_scenario(path).populations
    poisons = {item.poison.kind for item in populations if item.poison is not None}
    return poisons | {behaviour.kind for item in populations for behaviour in item.behaviours}


def test_every_behaviour_and_poison_has_a_scenario() -> None:
    shown = set().union(*(find_kinds(FILES[name]) for name in FILES), find_kinds(CONFIGS / "backdoor.yaml"))
    assert set(load_catalogue()) | set(get_args(Poison.model_fields["kind"].annotation)) <= shown
    withheld = {
        behaviour.model_dump()["what"]
        for name in FILES
        for item in load_scenario(FILES[name]).populations
        for behaviour in item.behaviours
    }
    assert {"declaration", "header", "signature", "block"} <= withheld
    assert {"sybil", "eclipse"} <= set(FILES)


def run_made_up(name: str) -> Observed:
    """Run a shipped scenario with made-up training."""
    raw: dict[str, Any] = yaml.safe_load(FILES[name].read_text("utf-8"))
    return observe({**raw, "virtual": {"trainer": "fake"}})


def list_led(seen: Observed, population: str) -> list[object]:
    """Return the blocks in the employer's records that a population's nodes made, where each slot has a leader."""
    members = seen.get_members(population)
    return [item for item in seen.ended.find("appended", "employer") if item.fields["leader"] in members]


def measure(observed: Observed) -> dict[str, Any]:
    return compute_measures(observed.ended.tally, observed.ended.world.mechanism.name)


SEEN: dict[str, Callable[[Observed], object]] = {
    "lazy_verifier": lambda seen: seen.ended.tally.count_poisoned_employer(),
    "partitioner": lambda seen: seen.ended.tally.compute_agreement()[0] == 0.5,
    "private_majority": lambda seen: seen.ended.tally.reorg_depth_max >= 3,
    "silent": lambda seen: not seen.ended.tally.accepted_from["mute"],
    "free_rider": lambda seen: seen.count_refused("riders")["bad-commitment"],
    "garbage": lambda seen: seen.count_refused("noisy")["malformed"],
    "declaration_spoiler": lambda seen: seen.count_refused("spoilers")["bad-commitment"],
    "equivocator": lambda seen: seen.count_refused("twofaced")["equivocation"],
    "forger": lambda seen: seen.count_refused("forgers")["bad-signature"],
    "flooder": lambda seen: seen.count_refused("flooders")["lottery-lost"],
    "stake_liar": lambda seen: seen.count_refused("liars")["lottery-lost"],
    "timestamp_grinder": lambda seen: seen.count_outcomes("grinders", "declaration")["future-slot"],
    "grinder": lambda seen: seen.count_proposed("grinders") > len(seen.get_chain()) / 2,
    "sibling_rider": lambda seen: seen.count_proposed("riders") > len(seen.get_chain()) / 2,
    "late_replacer": lambda seen: [item for item in seen.ended.find("appended", "employer", reorg=1) if item.time > 60],
    "fabricator": lambda seen: seen.ended.tally.count_poisoned_employer(),
    "activity_withholder": lambda seen: measure(seen)["proposed"]["withholders"] > 0.45,  # with 0.3 of the work
    "partisan": lambda seen: seen.count_proposed("partisans") > len(seen.get_chain()) / 2,
    "sybil": lambda seen: seen.count_refused("sybil")["different-weights"],
    "eclipse": lambda seen: seen.count_refused("poisoners")["different-weights"],
    "appended_mislabelled": lambda seen: seen.count_refused("poisoners")["different-weights"],
    "label_noise": lambda seen: seen.count_refused("poisoners")["different-weights"],
    "mirrored_labels": lambda seen: seen.count_refused("poisoners")["different-weights"],
    "targeted_flip": lambda seen: seen.count_refused("poisoners")["different-weights"],
    "clean_label": lambda seen: seen.count_refused("stampers")["different-weights"],
    "truncated": lambda seen: seen.count_refused("skippers")["different-weights"],
    "censor": lambda seen: seen.ended.tally.nodes["censors-0"].balance > 0,
    "censoring_wrapper": lambda seen: seen.count_wrapped("censors"),
    "double_spender": lambda seen: seen.count_outcomes("spenders", "transaction")["duplicate"],
    "private_chain": lambda seen: seen.ended.find("appended", "hermits-0"),
    "selfish_miner": lambda seen: measure(seen)["proposed"]["pool"] > 4 / 9,
    "private_double_spender": lambda seen: measure(seen)["work"]["double_spends"]["undone"] > 2,
    "pool_filler": lambda seen: seen.count_outcomes("fillers", "transaction")["accept"],
    "request_flooder": lambda seen: seen.count_outcomes("beggars", "request")["too-often"],
    "half_framer": lambda seen: all(seen.ended.find(event, "honest-0") for event in ("stalled", "unlinked", "closed")),
    "private_declarer": lambda seen: seen.ended.find("sent", "whisperers-0", kind="declaration", to="whisperers-1"),
    "sibling_staller": lambda seen: seen.ended.tally.count_forks() > 2,
    "nothing_at_stake": lambda seen: any("accused" in item.fields for item in seen.ended.find("appended", "employer")),
    "leader_grinder": lambda seen: len(list_led(seen, "grinders")) > 30,
    "long_range": lambda seen: seen.ended.tally.nodes["late-0"].head != seen.ended.tally.employer.head,
    "replayer": lambda seen: seen.ended.find("sent", "parrots-0", kind="replayed"),
    "bft_silent": lambda seen: seen.ended.find("round", "honest-0") and not seen.ended.find("proposed", "mute-0"),
    "bft_equivocator": lambda seen: seen.ended.find("sent", "twofaced-0", kind="prevote", to="honest-0"),
    "withheld_declarations": lambda seen: seen.count_declared("withholders") == 0,
    "withheld_headers": lambda seen: seen.count_proposed("withholders") == 0,
    "withheld_signatures": lambda seen: not seen.ended.find("sent", "withholders-0", kind="stakeholder"),
    "withheld_blocks": lambda seen: seen.count_wrapped("withholders") == 0,
}
"""What a run of each must show; where two sides may part, the employer be deceived, or a majority rewrite, that."""

HARMED = {"fabricator", "lazy_verifier", "long_range", "partitioner"}
"""Scenarios whose point is that the run does not end well for everybody."""


def test_every_scenario_is_looked_at() -> None:
    assert set(SEEN) == set(FILES)


@pytest.mark.parametrize("name", SEEN)
def test_a_scenario_shows_what_it_says(name: str) -> None:
    observed = run_made_up(name)
    assert SEEN[name](observed)
    assert observed.ended.broken is None
    if name not in HARMED:
        observed.assert_unharmed()
    if name in ("partisan", "replayer", "silent") or name.startswith("withheld"):
        assert observed.count_refused_elsewhere() == Counter()


# ---- as a user runs them ----


@pytest.mark.processes
@pytest.mark.parametrize("name", ["free_rider", "clean_label", "truncated"])
def test_a_scenario_with_real_training_runs_by_its_plain_name(name: str, tmp_path: Path) -> None:
    finished = launch(tmp_path, "run", name, *sets("dataset.name=digits"))
    assert finished.code == 0
    assert "all hold" in finished.out


@pytest.mark.processes
def test_real_processes_refuse_adversaries_and_their_cores_replay(tmp_path: Path) -> None:
    behaviours = "[equivocator, forger, {kind: flooder, rate: 3}]"
    turned = f"corruptions=[{{name: bad, role: adversary, of: [honest], count: 2, behaviours: {behaviours}}}]"
    spoilers = "{name: spoilers, role: adversary, count: 2, behaviours: [declaration_spoiler]}"
    crowd = f"populations=[{{name: honest, role: honest, count: 7}}, {spoilers}]"
    slow = (
        "protocol.slot_ms=100",
        "protocol.headers_per_slot=0.1",
        "protocol.declarations_per_slot=2.5",
        "job.stages=3",
    )
    finished = launch(tmp_path, "run", "honest", *sets(*SMALL, crowd, turned, "output.journal=true", *slow))
    assert finished.code == 0, finished.err
    assert "all hold" in finished.out
    log = (tmp_path / "pot_sim.log").read_text("utf-8")
    rejected = [line for line in log.splitlines() if " rejected " in line]
    for reason in ("bad-signature", "lottery-lost"):
        assert any(f"reason={reason}" in line and "peer=bad-" in line for line in rejected)
    assert any("reason=bad-commitment" in line and "author=spoilers-" in line for line in rejected)
    (folder,) = (tmp_path / "runs").iterdir()
    assert main(["replay", str(folder)]) == 0


@pytest.mark.parametrize(
    "behaviours",
    ["[stake_liar, double_spender]", "[free_rider]", "[{kind: withholder, what: block}, timestamp_grinder]"],
)
def test_the_cores_of_adversaries_replay_in_the_virtual_engine(
    behaviours: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    bad = f"{{name: bad, role: adversary, count: 2, behaviours: {behaviours}}}"
    bad = f"populations=[{{name: honest, role: honest, count: 4}}, {bad}]"
    settings = ["virtual.trainer=fake", "dataset.name=digits", "output.journal=true", bad]
    assert main(["run", "stake_liar", *sets(*settings)]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    capsys.readouterr()
    assert main(["replay", str(folder)]) == 0
    told = capsys.readouterr().out
    assert "of 7 parties replayed, 0 parties differ" in told
