"""Every pair of phase and trigger is either in the table or one of our own errors."""

from itertools import product
from typing import Final

import pytest

from protocol.events import Noted
from protocol.mechanisms.proof_of_training.facts import PhaseChanged
from protocol.mechanisms.proof_of_training.phases import TRANSITIONS, Phase, Trigger
from protocol.phases import IllegalTransitionError, advance
from tests.support.core import Cluster, genesis

LEGAL: Final = {
    (Phase.TRAINING, Trigger.TRAINED): Phase.DECLARING,
    (Phase.DECLARING, Trigger.SECRET_REVEALED): Phase.SIGNING,
    (Phase.SIGNING, Trigger.SECRET_REVEALED): Phase.SIGNING,
    (Phase.TRAINING, Trigger.HEAD_MOVED): Phase.TRAINING,
    (Phase.DECLARING, Trigger.HEAD_MOVED): Phase.TRAINING,
    (Phase.SIGNING, Trigger.HEAD_MOVED): Phase.TRAINING,
    (Phase.FINISHED, Trigger.HEAD_MOVED): Phase.TRAINING,
    (Phase.TRAINING, Trigger.JOB_COMPLETE): Phase.FINISHED,
    (Phase.DECLARING, Trigger.JOB_COMPLETE): Phase.FINISHED,
    (Phase.SIGNING, Trigger.JOB_COMPLETE): Phase.FINISHED,
    (Phase.FINISHED, Trigger.JOB_COMPLETE): Phase.FINISHED,
}
ILLEGAL: Final = [
    (Phase.DECLARING, Trigger.TRAINED),
    (Phase.SIGNING, Trigger.TRAINED),
    (Phase.FINISHED, Trigger.TRAINED),
    (Phase.TRAINING, Trigger.SECRET_REVEALED),
    (Phase.FINISHED, Trigger.SECRET_REVEALED),
]


def test_every_pair_is_listed_once() -> None:
    assert dict(TRANSITIONS) == LEGAL
    assert sorted([*LEGAL, *ILLEGAL], key=repr) == sorted(product(Phase, Trigger), key=repr)


@pytest.mark.parametrize(("phase", "trigger"), LEGAL)
def test_a_legal_trigger_leads_to_the_next_phase(phase: Phase, trigger: Trigger) -> None:
    assert advance(TRANSITIONS, phase, trigger) is LEGAL[phase, trigger]


@pytest.mark.parametrize(("phase", "trigger"), ILLEGAL)
def test_an_illegal_trigger_is_our_own_error_and_names_the_pair(phase: Phase, trigger: Trigger) -> None:
    with pytest.raises(IllegalTransitionError, match=f"{trigger.name} in {phase.name}"):
        advance(TRANSITIONS, phase, trigger)


def test_a_node_goes_through_the_phases_of_every_height_and_ends_finished() -> None:
    cluster = Cluster(genesis(4, stages=2))
    cluster.run(until_height=2)
    noted = [item.fact for _, name, item in cluster.log if name == "0" and isinstance(item, Noted)]
    entered = [fact for fact in noted if isinstance(fact, PhaseChanged)]
    expected = [
        (phase, height)
        for height in (1, 2)
        for phase in (Phase.TRAINING, Phase.DECLARING, Phase.SIGNING)
        if (phase, height) != (Phase.TRAINING, 1)
    ]
    assert [(item.phase, item.height) for item in entered] == [*expected, (Phase.FINISHED, 3)]
