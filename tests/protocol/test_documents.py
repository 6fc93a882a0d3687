"""docs/protocol.md and docs/reference/purposes.md say what the code does, under the numbers it cites."""

import re
from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path

import pytest

from sayso_protocol.encoding.eip712 import DOMAIN_NAME
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages import wire
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.messages.revocation import REVOCATION_NOTICE
from sayso_protocol.messages.wire import TOPICS
from sayso_protocol.network import Network
from sayso_protocol.permissions.purposes import KNOWN
from sayso_protocol.signatures.wallets import HALF_ORDER
from sayso_protocol.sync import requests

ROOT = Path(__file__).parents[2]
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
PURPOSES = (ROOT / "docs" / "reference" / "purposes.md").read_text()
RULES = set(re.findall(r"^\*\*(\d+\.\d+(?:\.\d+)?)\*\* ", PROTOCOL, re.MULTILINE))
SOURCES = [
    path
    for folder in ("protocol", "node", "cli", "contracts/src", "contracts/sayso_contracts")
    for path in sorted((ROOT / folder).rglob("*"))
    if path.suffix in {".py", ".sol"}
]
NUMBER = r"\d+\.[1-9]\d*(?:\.[1-9]\d*)?"
IN_TEXT = re.compile(rf"\b[Rr]ules?\s+({NUMBER}(?:(?:,| to| and| or| -)\s+{NUMBER})*)")
IN_COMMENT = re.compile(
    rf"#\s+(?:\[(?:REJECT|IGNORE)\]\s+)?({NUMBER}(?: - {NUMBER})?)(?=$|\s+[A-Z])", re.MULTILINE
)


def spelled_out(citation: str) -> Iterator[str]:
    """`3.1 to 3.3` is three rules, `9.1 and 9.4` are two."""
    numbers = re.findall(NUMBER, citation)
    yield from numbers
    if " to " in citation or " - " in citation:
        (start, _, first), (_, _, last) = numbers[0].rpartition("."), numbers[-1].rpartition(".")
        yield from (f"{start}.{number}" for number in range(int(first), int(last)))


def cited(path: Path) -> set[str]:
    """The rules that a source file names in comments and docstrings."""
    source = path.read_text()
    joined = re.sub(r"\s*\n\s*(?:#|///|\*)?\s*", " ", source)
    found = IN_TEXT.findall(joined) + (IN_COMMENT.findall(source) if path.suffix == ".py" else [])
    return {rule for citation in found for rule in spelled_out(citation)}


def section(number: int) -> str:
    return PROTOCOL.split(f"\n## {number}. ")[1].split("\n## ")[0]


def test_a_rule_that_the_code_cites_is_in_the_document() -> None:
    missing = {str(path.relative_to(ROOT)): cited(path) - RULES for path in SOURCES}
    assert not {path: rules for path, rules in missing.items() if rules}


def test_the_citations_of_the_code_are_found() -> None:
    every = set().union(*map(cited, SOURCES))
    assert {"3.1", "3.5", "3.9", "4.6", "5.5", "6.2", "7.3", "8.2", "8.4", "8.8", "9.2", "10.1"} <= every


@pytest.mark.parametrize("limit", fields(LIMITS), ids=lambda limit: limit.name)
def test_limits_are_in_the_document(limit: "Field[object]") -> None:
    assert f"| `{limit.name}` | {getattr(LIMITS, limit.name):,} | " in section(2)


def test_the_document_has_no_limit_that_the_code_has_not() -> None:
    named = re.findall(r"^\| `(\w+)` \|", section(2), re.MULTILINE)
    assert named == [limit.name for limit in fields(LIMITS)]


def test_constants_are_in_the_document() -> None:
    assert f"\n    {REVOCATION_NOTICE}\n" in section(4)
    assert f"0x{HALF_ORDER:064X}" in section(4)
    assert f"`{DOMAIN_NAME}`" in section(4)
    assert '"sayso batch 1" . 0x00' in section(10)
    assert wire.SYNC_PROTOCOL in section(11)
    assert f"{requests.WANTED:,} messages" in section(11)


def test_topics_are_in_the_document() -> None:
    network = Network(7, b"\x01" * 20)
    for topic in (TOPICS[CONSENT].on(network), TOPICS[REVOCATION].on(network)):
        general = topic.replace("/7/", "/<chainId>/").replace("0x" + "01" * 20, "<registry>")
        assert f"\n    {general}\n" in section(7)


def test_every_vector_file_is_described() -> None:
    files = {path.name for path in (ROOT / "tests" / "vectors").glob("*.json")}
    assert files == set(re.findall(r"^\| `(\w+\.json)` \|", section(12), re.MULTILINE))


@pytest.mark.parametrize(("purpose", "meaning"), KNOWN.items())
def test_purposes_are_described_and_mapped(purpose: str, meaning: str) -> None:
    assert f"\n| `{purpose}` | {meaning} |\n" in PURPOSES
    assert re.search(rf"^\| `{purpose}` \|(?: [^|]+ \|){{4}}$", PURPOSES, re.MULTILINE)
