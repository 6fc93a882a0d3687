"""`sayso export`: in the syntax of the others, and never more than the consent gives."""

import json
from pathlib import Path

import mlcroissant  # type: ignore[import-untyped]  # has no stubs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import Graph

from cli.export.cases import CASES, FOLDER, NOW, golden, render
from cli.export.readings import ODRL, entries, preferences, rdf, rules
from sayso.export import FORMATS, export, granted
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.permissions.purposes import KNOWN
from sayso_protocol.permissions.vocabularies import AIPREF, CAWG, COUNTERPARTS, Needs, Sign, covered
from sayso_protocol.primitives import ANYONE, hex_text
from sayso_protocol.verdicts.verdict import License
from support.protocol_strategies import NETWORK, a_consent, item_hashes, licenses
from support.tries import tries

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("form", FORMATS)
def test_exports_are_those_that_were_read(case: str, form: str) -> None:
    assert render(case, form) == golden(case, form).read_text()


def test_nothing_else_is_kept() -> None:
    expected = {golden(case, form) for case in CASES for form in FORMATS}
    assert set(FOLDER.iterdir()) == expected


def test_an_assertion_says_under_which_condition() -> None:
    found = entries(render("two-purposes-to-one-buyer", "cawg"))
    held = CASES["two-purposes-to-one-buyer"]
    constrained = [name for name, one in found.items() if one["use"] == "constrained"]
    assert constrained == ["cawg.ai_inference"]
    info = found["cawg.ai_inference"]["constraint_info"]
    assert hex_text(digest(held.consent, NETWORK)) in info
    assert held.consent.notice in info


def test_a_policy_permits_what_was_granted_and_prohibits_the_rest() -> None:
    graph = rdf(render("two-purposes-to-one-buyer", "odrl"))
    assert rules(graph) == {str(ODRL.use): {"inference"}, str(ODRL.distribute): {"resale"}}
    everything = rules(rdf(render("all-purposes-to-anyone", "odrl")))
    assert set().union(*everything.values()) == set(KNOWN)
    assert rules(rdf(render("a-call-of-two", "odrl"))) == {}


# --- Croissant 1.1: by MLCommons' own reader -----------------------------------------------------


@pytest.mark.parametrize("case", CASES)
def test_a_data_set_is_one_for_mlcroissant(case: str, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(render(case, "croissant"))
    metadata = mlcroissant.Dataset(jsonld=str(tmp_path / "c.json")).metadata
    assert not metadata.issues.errors
    assert not metadata.issues.warnings
    assert [one.sha256 for one in metadata.distribution] == [one.hex() for one in CASES[case].items]


def test_mlcroissant_would_have_said_no(tmp_path: Path) -> None:
    broken = json.loads(render("a-call-of-two", "croissant"))
    del broken["distribution"][0]["encodingFormat"]
    (tmp_path / "c.json").write_text(json.dumps(broken))
    with pytest.raises(mlcroissant.ValidationError):
        mlcroissant.Dataset(jsonld=str(tmp_path / "c.json"))


@pytest.mark.parametrize("case", CASES)
def test_a_data_set_holds_the_same_policy(case: str) -> None:
    both = [
        Graph().parse(data=render(case, "croissant"), format="json-ld"),
        rdf(render(case, "odrl")),
    ]
    purposes = [sorted(str(one) for one in graph.objects(None, ODRL.rightOperand)) for graph in both]
    assert purposes[0] == purposes[1]
    targets = [sorted(str(one) for one in graph.objects(None, ODRL.target)) for graph in both]
    assert targets[0] == targets[1]
    for name in ("permission", "prohibition", "assigner", "assignee"):
        counts = [len(list(graph.objects(None, ODRL[name]))) for graph in both]
        assert counts[0] == counts[1], name


# --- Never more than was granted --------------------------------------------------------------------


@settings(max_examples=tries(60))
@given(licenses(), st.integers(-10, 10), st.booleans(), st.sampled_from(["now", "before", "after"]))
def test_nothing_is_allowed_that_was_not_granted(
    held: License, shift: int, revoked: bool, moment: str
) -> None:
    consent = held.consent
    now = {
        "now": consent.issued_at,
        "before": consent.issued_at - 1 - abs(shift),
        "after": consent.expires_at + abs(shift),
    }[moment]
    what = granted(held, now, revoked=revoked)
    said = {form: export(form, held, NETWORK, what) for form in FORMATS}
    denied = revoked or moment != "now" or len(consent.parties) > 1
    allowed = set() if denied else set(consent.purposes)
    permitted = rules(rdf(said["odrl"])).values()
    assert set().union(*permitted) == allowed & set(KNOWN)
    for term, entry in entries(said["cawg"]).items():
        assert (entry["use"] == "constrained") == (bool(CAWG[term]) and CAWG[term] <= allowed)
    everybodys = allowed if consent.grantee == ANYONE else set()
    for term, word in preferences(said["aipref"]).items():
        assert (word == "y") == (bool(AIPREF[term]) and AIPREF[term] <= everybodys)
    assert bool(what.why_not) == (denied or bool(allowed - set(KNOWN)))


def test_an_unpublished_purpose_is_denied() -> None:
    items = item_hashes(1)
    held = License(a_consent(items, purposes=("inference", "x-ray"), grantee=ANYONE), items)
    what = granted(held, NOW, revoked=False)
    assert what.purposes == ("inference",)
    assert what.why_not == ("x-ray is denied: it is not a published purpose",)
    assert "x-ray" not in export("odrl", held, NETWORK, what)


# --- The table --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("vocabulary", "needs"), [("cawg", CAWG), ("aipref", AIPREF)])
def test_what_covers_a_term_agrees_with_how_it_compares(vocabulary: str, needs: Needs) -> None:
    signs: dict[str, dict[str, Sign]] = {term: {} for term in needs}
    for purpose, counterparts in COUNTERPARTS.items():
        for sign, term in getattr(counterparts, vocabulary):
            signs[term][purpose] = sign
    for term, wanted in needs.items():
        whole = {one for one, sign in signs[term].items() if sign in {Sign.SAME, Sign.WIDER}}
        if whole:
            assert wanted == whole
        else:
            assert len(wanted) != 1, "one purpose that is narrower does not cover a term"
            assert wanted <= set(signs[term])
        assert covered({term: wanted}, wanted) == {term: bool(wanted)}
        for one in wanted:
            assert covered({term: wanted}, set(KNOWN) - {one}) == {term: False}


def test_every_published_purpose_is_mapped() -> None:
    assert list(COUNTERPARTS) == list(KNOWN)


def test_the_table_of_purposes_is_that_of_the_code() -> None:
    page = (ROOT / "docs" / "reference" / "purposes.md").read_text()
    for purpose, counterparts in COUNTERPARTS.items():
        cells = [
            ", ".join(f"`{term.sign}` `{term.name}`" for term in terms) or "unmapped"
            for terms in counterparts
        ]
        assert f"\n| `{purpose}` | {' | '.join(cells)} |\n" in page


def test_the_table_of_terms_is_that_of_the_code() -> None:
    page = (ROOT / "docs" / "reference" / "export.md").read_text()
    for needs in (CAWG, AIPREF):
        for term, wanted in needs.items():
            names = " and ".join(f"`{one}`" for one in sorted(wanted)) or "nothing: always denied"
            assert f"\n| `{term}` | {names} |\n" in page
    for purpose, counterparts in COUNTERPARTS.items():
        assert f"\n| `{purpose}` | `{counterparts.odrl[0].name}` |\n" in page
