from itertools import pairwise

from simulation.commands.report import Window
from simulation.explorer.heights import HeightChange, Heights, cut_windows, list_height_rows
from simulation.explorer.network import MOST_PARTIES, find_link, list_edges, list_links, place_parties
from simulation.records import Record, Tally
from tests.support.scenarios import appended, note


def moved(who: str, height: int, time: float = 9.0) -> Record:
    return note(who, "moved", time=time, height=height, head="0xa", reorg=1)


def test_each_population_is_as_high_as_its_highest_head() -> None:
    records = [note(label, "node", population=label[0], role="honest", stake=1) for label in ("a-0", "a-1", "b-0")]
    records += [appended("a-0", 1, "0xa", "genesis", "w"), appended("a-1", 1, "0xa", "genesis", "w")]
    records += [appended("b-0", 1, "0xb", "genesis", "w"), appended("a-0", 2, "0xc", "0xa", "w")]
    records += [appended("a-1", 7, "0xd", "0xe", "w", head=False)]  # stored beside its head
    records += [moved("a-0", 1), moved("a-1", 3), appended("employer", 1, "0xa", "genesis", "w")]
    tally, heights = Tally(), Heights()
    for record in records:
        tally.add(record)
        heights.take(record, tally)
    found = [(change.population, change.height) for change in heights.changes]
    assert found == [("a", 1), ("b", 1), ("a", 2), ("a", 1), ("a", 3), ("employer", 1)]


def test_of_many_changes_those_are_kept_that_lie_apart_evenly() -> None:
    tally, heights = Tally(), Heights(most=40)
    tally.add(note("a-0", "node", population="a", role="honest", stake=1))
    for height in range(1, 1_001):
        heights.take(moved("a-0", height, time=float(height)), tally)
        assert len(heights.changes) <= 40
        assert heights.changes[-1] == (height, "a", height)
    assert all(change.seconds == change.height for change in heights.changes)
    apart = [later.seconds - earlier.seconds for earlier, later in pairwise(heights.changes)]
    assert (heights.changes[0].seconds, max(apart)) <= (100, 100)


def test_lines_of_heights_go_from_the_genesis_to_the_end() -> None:
    rows = list_height_rows([HeightChange(2.0, "a", 1), HeightChange(4.0, "a", 2)], 7.0)
    assert [(row["seconds"], row["height"]) for row in rows] == [(0.0, 0), (2.0, 1), (4.0, 2), (7.0, 2)]


def test_windows_are_shaded_as_far_as_time_has_come() -> None:
    windows = [Window(1.0, 3.0, "partition"), Window(5.0, 9.0, "partition"), Window(8.0, 9.0, "eclipse")]
    assert [(row["start"], row["end"]) for row in cut_windows(windows, 6.0)] == [(1.0, 3.0), (5.0, 6.0)]


def test_refusals_stand_on_the_links_that_they_came_over() -> None:
    records = [note("a", "accepted", kind="header", author="b", peer="b"), moved("a", 1)]
    records += [note("b", "rejected", kind="header", author="a", peer="a", reason="bad-signature")]
    assert find_link(records[1]) is None
    links = list_links(records)
    assert links == {("b", "a"), ("a", "b")}
    parties = place_parties({"a": "honest", "b": "liar"}, links | {("employer", "a")})
    assert [(row["party"], row["role"]) for row in parties][2] == ("employer", "employer, users")
    assert len({(row["x"], row["y"]) for row in parties}) == 3
    edges = list_edges(parties, links | {("employer", "a"), ("gone", "a")}, {("a", "b"): 2})
    assert [(row["link"], row["refused"], row["who"]) for row in edges] == [
        ("a - employer", 0, "a refused 0, employer refused 0"),
        ("a - b", 2, "a refused 0, b refused 2"),
    ]


def test_too_many_parties_are_no_picture() -> None:
    assert len(place_parties(dict.fromkeys(map(str, range(MOST_PARTIES)), "honest"), ())) == MOST_PARTIES
    assert place_parties(dict.fromkeys(map(str, range(MOST_PARTIES + 1)), "honest"), ()) == []
