"""`sayso export`: in the syntax of the others, and never more than the consent gives."""

import json
import re
from pathlib import Path
from typing import Any

import mlcroissant  # type: ignore[import-untyped]  # has no stubs
import pytest
import rdflib
from hypothesis import given, settings
from hypothesis import strategies as st
from rdflib import RDF, XSD, Graph, Namespace, URIRef

from cli.conftest import World
from cli.export.cases import CASES, FOLDER, NOW, golden, render
from sayso.bundles import load_bundle, save_bundle
from sayso.export import FORMATS, export, granted
from sayso_protocol.primitives import ANYONE, hex_text
from sayso_protocol.purposes import KNOWN
from sayso_protocol.typed_data import digest
from sayso_protocol.verdict import License
from sayso_protocol.vocabularies import AIPREF, CAWG, COUNTERPARTS, Needs, Sign, covered
from support.protocol_strategies import NETWORK, a_consent, item_hashes, licenses

ROOT = Path(__file__).parents[3]
ODRL = Namespace("http://www.w3.org/ns/odrl/2/")
TERMS = ("--grantee", "anyone", "--purpose", "inference", "--expires", "1y")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("form", FORMATS)
def test_exports_are_those_that_were_read(case: str, form: str) -> None:
    assert render(case, form) == golden(case, form).read_text()


def test_nothing_else_is_kept() -> None:
    expected = {golden(case, form) for case in CASES for form in FORMATS}
    assert set(FOLDER.iterdir()) == expected


# --- CAWG: the CDDL of the training and data mining assertion 1.1 -----------------------------------


def entries(text: str) -> dict[str, dict[str, str]]:
    """The entries of an assertion, once its shape is right."""
    value = json.loads(text)
    assert set(value) == {"label", "data"}
    assert value["label"] == "cawg.training-mining"
    assert set(value["data"]) == {"entries"}
    found: dict[str, dict[str, str]] = value["data"]["entries"]
    for name, entry in found.items():
        assert re.fullmatch(r"cawg\.(data_mining|ai_inference|ai_generative_training|ai_training)", name)
        assert set(entry) <= {"use", "constraint_info"}
        assert entry["use"] in {"allowed", "notAllowed", "constrained"}
        assert ("constraint_info" in entry) == (entry["use"] == "constrained")
    assert len(found) == 4, "what is left out is not denied"
    return found


def test_an_assertion_says_under_which_condition() -> None:
    found = entries(render("two-purposes-to-one-buyer", "cawg"))
    held = CASES["two-purposes-to-one-buyer"]
    constrained = [name for name, one in found.items() if one["use"] == "constrained"]
    assert constrained == ["cawg.ai_inference"]
    info = found["cawg.ai_inference"]["constraint_info"]
    assert hex_text(digest(held.consent, NETWORK)) in info
    assert held.consent.notice in info


# --- aipref: a dictionary of RFC 9651 whose values are the tokens y and n ---------------------------

MEMBER = re.compile(r"([a-z*][a-z0-9_.*-]*)=([yn])")


def preferences(text: str) -> dict[str, str]:
    """Category -> y or n, once the syntax is right."""
    assert text.endswith("\n")
    assert text.isascii()
    members = [MEMBER.fullmatch(one) for one in text.removesuffix("\n").split(", ")]
    assert all(members), text
    found = {one[1]: one[2] for one in members if one}
    assert len(found) == len(members)
    assert set(found) == {"train-ai", "ai-use", "search"}
    return found


# --- ODRL 2.2: read as RDF, and held to the information model ---------------------------------------

IRI_TERMS = ("action", "leftOperand", "operator", "conflict", "@type")
CONTEXT: dict[str, Any] = {
    "odrl": str(ODRL),
    "xsd": str(XSD),
    "Agreement": "odrl:Agreement",
    "Offer": "odrl:Offer",
    "constraint": {"@id": "odrl:constraint"},
    "permission": {"@id": "odrl:permission"},
    "prohibition": {"@id": "odrl:prohibition"},
    "rightOperand": {"@id": "odrl:rightOperand"},
    "uid": "@id",
    **{
        one: {"@id": f"odrl:{one}", "@type": "@id"}
        for one in ("target", "assigner", "assignee", "profile")
    },
    **{
        one: {"@id": f"odrl:{one}", "@type": "@vocab", "@context": {"@vocab": str(ODRL)}}
        for one in ("action", "leftOperand", "operator", "conflict")
    },
}
ACTIONS = {ODRL.use, ODRL.distribute}
LEFT, OPERATORS = {ODRL.purpose, ODRL.dateTime}, {ODRL.eq, ODRL.gteq, ODRL.lt, ODRL.isNoneOf}


def rdf(text: str) -> Graph:
    """The triples of a policy, by ODRL's context as we read it (the real one is on the web)."""
    value = json.loads(text)
    assert value["@context"] == "http://www.w3.org/ns/odrl.jsonld"
    return Graph().parse(data=json.dumps(value | {"@context": CONTEXT}), format="json-ld")


def rules(graph: Graph) -> dict[str, set[str]]:
    """The purposes of permissions by action, once the policy keeps the information model."""
    (policy,) = {*graph.subjects(RDF.type, ODRL.Agreement), *graph.subjects(RDF.type, ODRL.Offer)}
    assert isinstance(policy, URIRef), "a policy has a uid (2.1)"
    assert graph.value(policy, ODRL.conflict) == ODRL.prohibit
    assert list(graph.objects(policy, ODRL.target)), "a rule has a target (2.6)"
    assert len(list(graph.objects(policy, ODRL.assigner))) == 1, "who grants (2.1.2, 2.1.3)"
    is_agreement = (policy, RDF.type, ODRL.Agreement) in graph
    assert len(list(graph.objects(policy, ODRL.assignee))) == int(is_agreement)
    assert len(list(graph.objects(policy, ODRL.prohibition))) == 1
    found: dict[str, set[str]] = {}
    for rule in [*graph.objects(policy, ODRL.permission), *graph.objects(policy, ODRL.prohibition)]:
        (action,) = graph.objects(rule, ODRL.action)
        assert action in ACTIONS, "one action of the vocabulary (2.4)"
        purposes = constraints(graph, rule)
        if (policy, ODRL.permission, rule) in graph:
            assert len(purposes) == 1
            found.setdefault(str(action), set()).update(purposes)
    return found


def constraints(graph: Graph, rule: rdflib.term.Node) -> set[str]:
    """The purposes that a rule is about, once its constraints are whole (2.5)."""
    purposes: set[str] = set()
    for one in graph.objects(rule, ODRL.constraint):
        (left,), (operator,) = graph.objects(one, ODRL.leftOperand), graph.objects(one, ODRL.operator)
        assert left in LEFT
        assert operator in OPERATORS
        rights = list(graph.objects(one, ODRL.rightOperand))
        assert rights
        kind = XSD.string if left == ODRL.purpose else XSD.dateTime
        assert {getattr(right, "datatype", None) for right in rights} == {kind}
        if left == ODRL.purpose:
            purposes |= {str(right) for right in rights}
    return purposes


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


@settings(max_examples=60)
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


# --- The command ------------------------------------------------------------------------------------


@pytest.fixture
def licensed(world: World) -> World:
    world.write("a")
    files = ("--manifest", "m.jsonl", "--save", "c.sayso")
    world.run("grant", "a", "--key", world.key, *TERMS, *files)
    world.node.asked.clear()
    return world


def license_of(world: World) -> str:
    name: str = world.rows("m.jsonl")[0]["license"]
    return name


def test_from_a_file_and_from_a_node(licensed: World) -> None:
    from_file = licensed.run("export", "c.sayso", "--format", "aipref")
    assert "no node was asked" in from_file.stderr
    assert licensed.node.asked == []
    assert preferences(from_file.stdout)["ai-use"] == "y"
    from_node = licensed.run("export", license_of(licensed), "--format", "aipref")
    assert from_node.stdout == from_file.stdout
    assert from_node.stderr == ""
    licensed.run("export", "c.sayso", "--format", "odrl", "--out", "policy.json")
    assert "did:pkh:eip155:31337" in (licensed.folder / "policy.json").read_text()
    licensed.fails("output-failed", "export", "c.sayso", "--format", "odrl", "--out", "policy.json")


def test_what_is_revoked_is_denied(licensed: World) -> None:
    licensed.run("revoke", "everything", "--key", licensed.key, "--yes")
    result = licensed.run("export", license_of(licensed), "--format", "aipref")
    assert set(preferences(result.stdout).values()) == {"n"}
    assert "some of it is revoked" in result.stderr


def test_one_of_several(licensed: World) -> None:
    licensed.write("b")
    files = ("--manifest", "b.jsonl", "--save", "b.sayso")
    licensed.run("grant", "b", "--key", licensed.key, *TERMS, *files)
    both = [
        one
        for name in ("c.sayso", "b.sayso")
        for one in load_bundle(licensed.folder / name, licensed.node.network)
    ]
    save_bundle(licensed.folder / "both.sayso", both)
    licensed.fails("nothing-to-export", "export", "both.sayso", "--format", "cawg")
    wanted = ("--license", license_of(licensed))
    text = licensed.run("export", "both.sayso", "--format", "cawg", *wanted).stdout
    assert license_of(licensed) in text


def test_what_cannot_be_exported(licensed: World) -> None:
    licensed.run("revoke", "everything", "--key", licensed.key, "--yes", "--save", "stop.sayso")
    licensed.fails("nothing-to-export", "export", "stop.sayso", "--format", "cawg")
    licensed.fails("file-unreadable", "export", "missing", "--format", "cawg")
    licensed.fails("node-refused", "export", "0x" + "77" * 32, "--format", "cawg")
    licensed.run("export", "c.sayso", "--format", "other", status=2)
