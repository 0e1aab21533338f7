"""The page is complete in itself, shows text as text, and can be read without seeing."""

import base64
import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from simulation.commands.report.page import MAX_TABLE_ROWS, build_page, build_section
from simulation.commands.report.picture import Missing, Picture, Table
from simulation.commands.report.sources import read_source
from simulation.commands.report.style import make_figure
from simulation.commands.report.writing import build_files, compare_runs
from tests.support.reports import Page, forked_run, make_run, read_pairs, write_log, write_run, write_sweep
from tests.support.scenarios import appended, made_up_run, note, opening, trained

pytestmark = [pytest.mark.drawing, pytest.mark.xdist_group("page")]

NASTY = "</td></table><script>alert(1)</script><img src=http://evil.example/x onerror=alert(2)>\"'&"
OUTWARD = re.compile(r"https?:|//|url\(|@import|expression\(|javascript:", re.IGNORECASE)


def nasty_run(folder: Path) -> Path:
    """Write a run in which every text that comes from outside is one that would do harm as HTML."""
    records = [record for record in made_up_run() if record.event != "run"]
    records = [opening(scenario=NASTY, dataset=NASTY), *records]
    records += [note("x-0", "node", population=NASTY, role=NASTY, stake=1), trained("x-0", 0, NASTY, data=NASTY)]
    records += [appended("x-0", 1, NASTY, NASTY, NASTY, proposer=NASTY)]
    records += [note("good-0", "rejected", kind=NASTY, author="x-0", peer=NASTY, reason=NASTY)]
    records += [note("x-0", "sent", kind=NASTY, to=NASTY, copies=1, bytes=1), note("run", "ended", reason=NASTY)]
    return write_run(folder / "<b>run & co", records)


def page_of(*folders: Path) -> str:
    return dict(build_files([read_source(folder) for folder in folders]))["report.html"].decode()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a page with everything on it: several runs, a damaged and a nasty one, and a sweep."""
    tmp_path = tmp_path_factory.mktemp("whole")
    damaged = write_run(tmp_path / "damaged", forked_run())
    with (damaged / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write('nonsense\n{"cut')
    sweep = write_sweep(tmp_path / "sweep <i>")
    return page_of(write_log(tmp_path / "one"), damaged, nasty_run(tmp_path), sweep)


def find_outward(text: str) -> list[str]:
    """Return everything in a page that a browser might ask somebody for."""
    page = Page(text)
    found = []
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            loads = name in (
                "src",
                "srcset",
                "href",
                "action",
                "data",
                "poster",
                "background",
                "xlink:href",
                "manifest",
            )
            if name.startswith("on") or name == "style" or (loads and not re.match(r"data:|#", value or "")):
                found.append(f"{tag} {name}={value}")
    found += [f"<{tag}>" for tag, _ in page.tags if tag in ("script", "iframe", "object", "embed", "base", "video")]
    found += [match for style in page.style for match in OUTWARD.findall(style)]
    found += [value or "" for attributes in page.find("meta") if (value := attributes.get("http-equiv")) == "refresh"]
    return found


def find_pictures(text: str) -> list[bytes]:
    return [base64.b64decode(str(image["src"]).partition(",")[2]) for image in Page(text).find("img")]


def test_a_page_asks_nobody_for_anything(whole: str) -> None:
    assert find_outward(whole) == []
    assert len(find_pictures(whole)) > 10


@pytest.mark.parametrize(
    "bad",
    [
        '<img src="http://x/y.png">',
        '<link rel="stylesheet" href="//x/y.css">',
        "<style>@import 'x.css'</style>",
        "<style>p { background: url(x.png) }</style>",
        "<script>1</script>",
        '<p onclick="x()">',
        '<meta http-equiv="refresh" content="0; x">',
        '<iframe srcdoc="x"></iframe>',
    ],
)
def test_the_check_sees_what_would_be_asked_for(bad: str) -> None:
    assert find_outward(bad)


def test_outside_pictures_and_words_no_address_stands_on_the_page(whole: str) -> None:
    bare = re.sub(r"data:image/svg\+xml;base64,[A-Za-z0-9+/=]*", "", whole)
    assert OUTWARD.search(bare.replace("http://evil.example/x", "")) is None


def test_pictures_refer_to_nothing_but_their_own_parts(whole: str) -> None:
    for picture in find_pictures(whole):
        root = ElementTree.fromstring(picture)  # noqa: S314 - we have drawn it
        for element in root.iter():
            assert element.tag.rpartition("}")[2] not in ("script", "image", "foreignObject", "a", "metadata")
            for name, value in element.attrib.items():
                assert not name.endswith("href") or value.startswith("#")
                assert not re.search(r"url\((?!#)", value)
                assert not name.startswith("on")


def test_the_browser_is_told_to_load_nothing(whole: str) -> None:
    (policy,) = [meta["content"] for meta in Page(whole).find("meta") if "http-equiv" in meta]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_names_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    text = page_of(nasty_run(tmp_path))
    page = Page(text)
    assert find_outward(text) == []
    assert page.find("script") == page.find("b") == []
    assert "alert(1)" in "".join(page.text)
    assert "Run <b>run & co" in "".join(page.text)
    assert all(NASTY not in image for image in [text])
    assert sum(NASTY in "".join(str(value) for value in image.values()) for image in page.find("img")) >= 2


def test_what_has_no_form_is_shown_as_a_mark() -> None:
    section = build_section("a\ud800\x00\x1b\N{RIGHT-TO-LEFT OVERRIDE}z", [], None, [])
    text = build_page("t", [section])
    assert "a\ufffd\ufffd\ufffd\ufffdz" in text
    text.encode()


def test_every_picture_has_words_and_every_table_heads(whole: str) -> None:
    page = Page(whole)
    for image in page.find("img"):
        assert len(str(image["alt"])) > 20
    tables, heads = page.find("table"), [head for head in page.find("th") if head.get("scope") == "col"]
    assert all(table["aria-label"] for table in tables)
    assert len(heads) >= 2 * len(tables)
    assert page.find("html")[0]["lang"] == "en"
    assert len(page.find("h1")) == 1
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_links_of_the_contents_lead_somewhere(whole: str) -> None:
    page = Page(whole)
    targets = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
    links = [str(link["href"]).removeprefix("#") for link in page.find("a")]
    assert len(links) == 4
    assert set(links) <= targets


def test_warnings_stand_on_the_page(whole: str) -> None:
    words = "".join(Page(whole).text)
    lines = len(forked_run()) + 1
    assert f"1 damaged lines left out, the first is line {lines}" in words
    assert f"cut off in line {lines + 1}, which is left out" in words
    assert "2 cells failed or have not run" in words


def test_what_is_left_out_is_said(tmp_path: Path) -> None:
    words = "".join(Page(page_of(write_run(tmp_path, made_up_run()[:5]))).text)
    for why in ("No party has appended a block.", "Honest nodes rejected nothing.", "The log holds no message."):
        assert f"No picture. {why}" in words


def test_several_runs_are_compared_and_one_is_not(whole: str, tmp_path: Path) -> None:
    assert "Comparison" not in Page(page_of(write_log(tmp_path))).text
    words = Page(whole).text
    assert words.count("Comparison") == 1
    row = words[words.index("test accuracy") :]
    assert [word for word in row if word.strip()][:4] == ["test accuracy", "87.50%", "30.00%", "87.50%"]


def test_figures_that_no_log_tells_are_not_compared(tmp_path: Path) -> None:
    records = [record for record in made_up_run() if record.event != "cost"]
    runs = [make_run(tmp_path / name, records) for name in "ab"]
    assert "wall s" not in read_pairs(compare_runs(runs))
    assert read_pairs(compare_runs([make_run(tmp_path / "c"), *runs]))["wall s"] == "9.5"


def test_a_long_table_is_cut_and_says_so() -> None:
    table = Table(("number",), tuple((str(number),) for number in range(MAX_TABLE_ROWS + 7)))
    picture = Picture("x", "X", "what there is to see here", "", make_figure(1), table)
    text = build_page("t", [build_section("s", [], None, [picture, Missing("Y", "No.")])])
    assert len(Page(text).find("tr")) == MAX_TABLE_ROWS + 1
    assert "7 more rows are left out here." in text
