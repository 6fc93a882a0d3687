"""docs/protocol.md has one form: numbered rules with BCP 14 words, and tables that cover all of them."""

import inspect
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import pytest

from docs.markdown import ROOT
from sayso_protocol import errors

Number = tuple[int, ...]
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
FRONT, _, REST = PROTOCOL.partition("\n## 1. ")
RULES_TEXT, _, APPENDICES = REST.partition("\n## Appendix A. ")
WIDTH = 110
MARK = re.compile(r"\*\*(\d+\.\d+(?:\.\d+)?)\*\* ")
BCP14 = re.compile(r"\b(?:MUST|SHOULD|SHALL|REQUIRED|RECOMMENDED|MAY|OPTIONAL)\b")
VAGUE = re.compile(r"\b(?:must|should|shall|may)\b")
CITED = re.compile(r"(?<![\w.^])\d{1,2}\.\d{1,2}(?:\.\d{1,2})?\b(?!\.\d)")
FOREIGN = re.compile(r"sections? 2\.1(?:\.3)?|gossipsub 1\.1")  # of RFC 9162; a version
CODE_ROW = re.compile(r"^\| ([\d., to]+) \| [^|]+ \| `([a-z-]+)` \| \[?([A-Z]+|-)\]? \|$", re.MULTILINE)
CODES = {
    error.code: error.gossip.name if issubclass(error, errors.MessageError) else "-"
    for _, error in inspect.getmembers(errors, inspect.isclass)
    if issubclass(error, errors.SaysoError) and error not in {errors.SaysoError, errors.MessageError}
}


class Paragraph(NamedTuple):
    """A paragraph, list, table or quotation, the section it is in, and its rule if it begins one."""

    section: int
    rule: Number | None
    text: str


def number(text: str) -> Number:
    return tuple(map(int, text.split(".")))


@cache
def paragraphs() -> list[Paragraph]:
    """Everything from section 1 to the last one, code left out."""
    found, section = list[Paragraph](), 1
    for text in re.split(r"\n\n+", RULES_TEXT):
        if heading := re.match(r"## (\d+)\. ", text):
            section = int(heading[1])
        elif not text.startswith(("    ", "     ")):
            mark = MARK.match(text)
            found.append(Paragraph(section, number(mark[1]) if mark else None, text))
    return found


def rules() -> list[Number]:
    return [one.rule for one in paragraphs() if one.rule]


def may_follow(before: Number) -> set[Number]:
    """What can come after a rule: its first part, or the next of its own or of a higher level."""
    nexts = {(*before[:level], before[level] + 1) for level in range(1, len(before))}
    return nexts | ({(*before, 1)} if len(before) == 2 else set())


def cited(text: str) -> Iterator[Number]:
    """The rules that a text names; `3.1 to 3.3` is its first and its last."""
    yield from map(number, CITED.findall(FOREIGN.sub("", re.sub(r"`[^`]*`", "", text))))


def spelled_out(ranges: str) -> set[Number]:
    """All rules from the first to the last of each range, with their parts."""
    covered = set[Number]()
    for one in ranges.split(", "):
        first, *last = map(number, one.split(" to "))
        end = last[0] if last else first
        covered |= {rule for rule in rules() if first <= rule[: len(first)] and rule[: len(end)] <= end}
    return covered


def test_rules_are_found() -> None:
    assert {(1, 1), (3, 5, 2), (7, 12), (9, 7, 5), (13, 10, 3), (14, 8)} <= set(rules())


def test_the_numbers_of_rules_are_unique_and_ascend_without_gaps() -> None:
    assert len(set(rules())) == len(rules())
    for before, after in pairwise(rules()):
        assert after in may_follow(before) or (after[0] > before[0] and after[1:] == (1,)), after


def test_a_rule_stands_in_its_section() -> None:
    assert not [one for one in paragraphs() if one.rule and one.rule[0] != one.section]


def test_every_requirement_is_a_rule_of_its_own() -> None:
    """A word of BCP 14 stands in a paragraph with a number, and no paragraph has two."""
    words = [(one, len(BCP14.findall(one.text))) for one in paragraphs()]
    assert sum(count for _, count in words) > 200
    assert not [one.text for one, count in words if count > (1 if one.rule else 0)]


def test_nothing_else_in_the_document_requires_anything() -> None:
    front = re.sub(r'The key words "MUST",.*?as shown\nhere\.', "", FRONT, flags=re.DOTALL)
    assert front != FRONT
    assert not BCP14.findall(front + APPENDICES)


def test_no_rule_uses_the_words_in_lower_case() -> None:
    assert not [one.text for one in paragraphs() if one.rule and VAGUE.search(one.text)]


def test_both_documents_of_bcp_14_are_cited_once() -> None:
    assert [PROTOCOL.count(f"[RFC {rfc}]") for rfc in (2119, 8174)] == [1, 1]


def test_every_citation_leads_to_a_rule() -> None:
    text = re.sub(r"^(?:```.*?^```| {4}.*?$)", "", PROTOCOL, flags=re.MULTILINE | re.DOTALL)
    named = set(cited(text))
    assert len(named) > 80
    assert named <= set(rules())


def test_lines_wrap() -> None:
    """All but tables and code, which have no place to break."""
    text = re.sub(r"^```.*?^```$", "", PROTOCOL, flags=re.MULTILINE | re.DOTALL)
    lines = [line for line in text.splitlines() if not line.startswith(("|", "    "))]
    assert len(lines) > 500
    assert not [line for line in lines if len(line) > WIDTH]


def test_the_table_of_roles_binds_each_rule_once() -> None:
    table = FRONT.split("### Which rules bind whom")[1]
    rows = [line.strip("|").split("|") for line in re.findall(r"^\| \d.*$", table, re.MULTILINE)]
    bound = [spelled_out(ranges.strip()) for ranges, *_ in rows]
    assert sum(map(len, bound)) == len(rules())
    assert set().union(*bound) == set(rules())
    for _, _, *roles in rows:
        assert len(roles) == len(("wallet", "checker", "node"))
        assert {" yes "} <= set(roles) <= {" yes ", " "}


def test_the_table_of_codes_has_every_code_with_its_label() -> None:
    rows = CODE_ROW.findall(APPENDICES)
    assert len(rows) == len(re.findall(r"^\| \d", APPENDICES, re.MULTILINE))
    assert {(code, label) for _, code, label in rows} == set(CODES.items())


@pytest.mark.parametrize("code", CODES)
def test_a_code_in_a_rule_is_that_of_the_table(code: str) -> None:
    """Where a rule names its code itself, the table says the same."""
    named = {one.rule for one in paragraphs() if one.rule and f"`{code}`" in one.text}
    rows = [spelled_out(ranges) for ranges, given, _ in CODE_ROW.findall(APPENDICES) if given == code]
    assert named <= set().union(*rows) | {(7, 7, 2)}  # what becomes of the `unsupported` of 4.4.14
