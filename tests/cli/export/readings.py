"""Exports as others read them: assertions, preferences, and policies as RDF."""

import json
import re
from typing import Any

import rdflib
from rdflib import RDF, XSD, Graph, Namespace, URIRef

ODRL = Namespace("http://www.w3.org/ns/odrl/2/")


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
