"""Every relative link leads somewhere, and every page can be reached."""

from pathlib import Path

import pytest

from docs.markdown import ROOT, anchors, documents, links

EXTERNAL = ("https://", "mailto:")
ADR = ROOT / "docs" / "adr"
RECORDS = sorted(path for path in ADR.glob("*.md") if path.name[:4].isdigit())


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def relative_links(path: Path) -> list[str]:
    return [link for link in links(path.read_text()) if not link.startswith(EXTERNAL)]


@pytest.mark.parametrize("path", documents(), ids=name)
def test_relative_links_resolve(path: Path) -> None:
    for link in relative_links(path):
        target, _, anchor = link.partition("#")
        page = (path.parent / target).resolve() if target else path
        assert page.is_relative_to(ROOT), link
        assert page.exists(), link
        if anchor:
            assert anchor in anchors(page.read_text()), link


def test_links_are_found() -> None:
    text = "[a](b.md) `[c](d.md)` [e\nf](<g.md>) ![h](i.png)\n```\n[j](k.md)\n```\n"
    assert links(text) == ["b.md", "g.md", "i.png"]
    assert anchors("# Why a `bit`?\n```\n# no\n```\n") == {"why-a-bit"}


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    todo = [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        reached.add(page)
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in relative_links(page)}
        pages = {
            one for target in targets for one in ([target] if target.is_file() else target.glob("*.md"))
        }
        todo += [one for one in pages - reached - set(todo) if one.suffix == ".md"]
    assert {name(path) for path in documents()} == {name(path) for path in reached}


def test_every_decision_record_is_in_the_index_under_its_title() -> None:
    index = (ADR / "index.md").read_text()
    assert RECORDS
    for record in RECORDS:
        number, _, title = record.read_text().partition("\n")[0].removeprefix("# ").partition(". ")
        assert record.name.startswith(number)
        assert f"| [{number}]({record.name}) | {title} |" in index


@pytest.mark.parametrize("record", RECORDS, ids=name)
def test_every_decision_record_has_the_parts_of_the_template(record: Path) -> None:
    parts = [line for line in (ADR / "template.md").read_text().splitlines() if line.startswith("## ")]
    assert len(parts) == 5
    assert [line for line in record.read_text().splitlines() if line.startswith("## ")] == parts


def test_the_questions_are_questions() -> None:
    lines = (ROOT / "docs" / "explanation" / "why.md").read_text().splitlines()
    questions = [line for line in lines if line.startswith("## ")]
    assert len(questions) > 10
    assert all(line.startswith("## Why ") and line.endswith("?") for line in questions)
