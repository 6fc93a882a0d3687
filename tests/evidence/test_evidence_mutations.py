"""Every field of every document that we verify is bound: with another value, it is refused.

Fields are found in the documents. docs/reference/evidence.md lists each with what binds it; a field
that nothing binds, by that page, may be changed, and then the verified result is the same. So a new
field of a document fails here until it is bound and listed.
"""

import re
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from docs.markdown import ROOT
from evidence.documents import documents
from evidence.mutations import UNKNOWN, fields_of, mutants, name_of
from evidence.records import record_of_nodes
from evidence.statements import NUMBERS, Document
from sayso.gate.licenses import load_licenses
from sayso_protocol.errors import BadProof, SaysoError
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.wire import encode_bundle
from support.protocol_strategies import NETWORK, a_consent, item_hashes, signed

PAGE = (ROOT / "docs" / "reference" / "evidence.md").read_text()
SECTIONS = {text.split("\n", 1)[0]: text for text in PAGE.split("\n## ")[1:]}
ROW = re.compile(r"^\| (`.+`) \| (.+) \|$", re.MULTILINE)
NOTHING, OPTIONAL = "Nothing", "May be left out"


def listed(section: str, *starts: str) -> list[str]:
    """The fields of a section, or only those whose binding begins with one of these words."""
    rows = ROW.findall(SECTIONS[section])
    return [
        name
        for fields, binding in rows
        if not starts or binding.startswith(starts)
        for name in re.findall(r"`([^`]+)`", fields)
    ]


def covers(pattern: str, name: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith(".*") else name == pattern


def is_in(patterns: list[str], name: str) -> bool:
    return any(covers(one, name) for one in patterns)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Document]:
    return documents(tmp_path_factory.mktemp("evidence"))


def names(document: Document) -> set[str]:
    return {name_of(path, document.value) for path in fields_of(document.value)}


def test_the_page_has_a_section_for_each_document(made: dict[str, Document]) -> None:
    assert list(made) == list(SECTIONS)


@pytest.mark.parametrize("section", SECTIONS)
def test_the_page_lists_every_field_and_no_other(section: str, made: dict[str, Document]) -> None:
    fields, said = names(made[section]), listed(section)
    assert not {name for name in fields if not is_in(said, name)}, "these are not on the page"
    inner = fields | {name_of(path, made[section].value) for path, _ in mutants(made[section].value)}
    assert not {one for one in said if not any(covers(one, name) for name in inner)}, "they do not exist"


def accepted(document: Document) -> Iterator[tuple[str, bool]]:
    """Each change that the verification accepts: its field, and whether the result is the same."""
    right = document.verify(document.value)
    for path, changed in mutants(document.value):
        try:
            found = document.verify(changed)
        except SaysoError:
            continue
        yield name_of(path, document.value), found == right


@pytest.mark.parametrize("section", SECTIONS)
def test_every_field_is_bound(section: str, made: dict[str, Document]) -> None:
    nothing, optional = listed(section, NOTHING), listed(section, OPTIONAL)
    found = set(accepted(made[section]))
    unknown = {(name, same) for name, same in found if name.endswith(UNKNOWN)}
    assert all(same for _, same in unknown), "a field that nobody knows counts"
    changes = found - unknown
    loose = {
        (name, same)
        for name, same in changes
        if not is_in(nothing if same else optional, name) and not (same and is_in(optional, name))
    }
    assert not loose, "accepted with another value: (field, whether the result is the same)"
    stale = {one for one in nothing + optional if not any(covers(one, name) for name, _ in changes)}
    assert not stale, "the page says that they may change, and they may not"


@pytest.mark.parametrize("numbers", [*{*permutations(NUMBERS[:4])} - {tuple(NUMBERS[:4])}])
def test_no_other_reasons_fit_the_receipts(numbers: tuple[int, ...], tmp_path: Path) -> None:
    """All fields that nobody signs at once, and the rejected rows: the same counts for other rows."""
    told = record_of_nodes(tmp_path, lambda one: bytes(numbers) if one == NUMBERS[:4] else one)
    with pytest.raises(BadProof):
        told.verify(told.value)


def test_a_bundle_is_a_set(tmp_path: Path) -> None:
    """What is not a field of one document: consents left out, in another order, or twice."""
    items = item_hashes(3)
    some = [encode(signed(a_consent(items, via=via), items)) for via in ("kled.ai", "troveo.ai")]

    def held(*bodies: bytes) -> set[bytes]:
        path = tmp_path / "held.sayso"
        path.write_bytes(encode_bundle([*bodies]))
        return {*load_licenses(path, NETWORK).held}

    whole = held(*some)
    assert len(whole) == 2
    assert held(*some[::-1], some[0]) == whole
    assert held(some[0]) < whole
