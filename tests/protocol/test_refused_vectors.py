"""Each refused vector breaks the rule that it names, and no other: all else about it is right.

What is checked here is what depends on other fields: a change elsewhere makes it wrong, too, unless the
vector was sealed again.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from coincurve import PublicKey
from nacl.exceptions import BadSignatureError
from nacl.signing import VerifyKey

from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.messages.kinds import KINDS
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.primitives import keccak
from support.packed import unpack
from vectors.sealing import digest_of, notice_of

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors"
REFUSED = json.loads((VECTORS / "refused.json").read_text())
REFUSED += json.loads((VECTORS / "holders.json").read_text())["refused"]
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
RULES = dict(re.findall(r"^\*\*(\d+\.\d+(?:\.\d+)?)\*\* (.*?)\n\n", PROTOCOL, re.MULTILINE | re.DOTALL))
# Of what has no digest, nothing follows from other fields: bytes that are no envelope, fields of other
# types or lengths.
WITHOUT_DIGEST = {"6.1.1", "6.1.2", "6.1.3", "6.1.5", "6.2", "6.2.1", "6.2.2", "3.1.1", "3.2.2", "1.1.2"}
# What may be wrong beside the fields, and the rules of which it is the very fault.
FAULTS = {
    "notice": {
        "3.10",
        "3.4.3",
        "3.13.3",
        "3.15.1",
        "3.15.6",
        "3.1.4",
    },  # no notice can say such a time, subject or parties
    "content": {"3.7.1", "3.7.2", "3.7.4", "3.11.3", "3.11.4", "3.11.5", "6.1.4", "3.11.2", "3.2.1"},
    "count": {"3.7.1", "3.11.2", "3.11.3", "3.2.1", "6.1.4"},
    "signature": {"3.1.2", "3.8.1", "3.11.1", "6.2.6", "6.2.2"},  # nobody can sign for nobody
    "sponsor": {"4.5", "4.5.4"},
}
# Rules of valid messages that no single message breaks.
UNSEEN = {
    "3.3.3": "what is accepted",
    "3.5.4": "the text is not in the message",
    "3.5.5": "what a node does",
    "3.6.1": "as 3.6.2 to 3.6.6",
    "3.8.3": "as 5.3.3",
    "3.9.4": "32 bytes hold no larger number",
    "3.12.3": "as 3.3 to 3.5",
    "4.4.10": "otherwise the bytes are those of an account with a key",
    "6.2.5": "what is accepted",
}


def _fields(tree: list[Any]) -> dict[str, Any]:
    """The signed fields of an envelope, as their classes have them."""
    columns = KINDS[tree[1]].columns
    read = [
        one.read((value,))[0] if one.read else value
        for (_, _, one), value in zip(columns, tree[2], strict=True)
    ]
    return {name: value for (_, name, _), value in zip(columns, read, strict=True)}


def _signer(digest: bytes, signature: bytes) -> bytes:
    key = PublicKey.from_signature_and_message(
        signature[:64] + bytes([signature[64] - 27]), digest, hasher=None
    )
    return keccak(key.format(compressed=False)[1:])[12:]


def _is_sponsored(digest: bytes, sponsor: Any) -> bool:
    try:
        VerifyKey(sponsor[0]).verify(b"sayso sponsor 1\0" + digest, sponsor[1])
    except (BadSignatureError, ValueError):
        return False
    return True


def _faults(tree: list[Any]) -> set[str]:
    """What does not follow from the fields as it should."""
    kind, items, signature, sponsor = tree[1], tree[3], tree[4], tree[6]
    fields, found = _fields(tree), set[str]()
    rest = {name: value for name, value in fields.items() if name != "notice"}
    try:
        right = notice_of(kind, rest) == fields["notice"]
    except (KeyError, ValueError):
        right = False
    found |= set() if right else {"notice"}
    if kind != REVOCATION:
        count = fields["items" if kind == CONSENT else "count"]
        found |= {"count"} if len(items) != count else set()
        found |= {"content"} if not items or content_root(items) != fields["content"] else set()
    digest = digest_of(kind, fields, tuple(tree[5]))
    found |= set() if not sponsor or _is_sponsored(digest, sponsor) else {"sponsor"}
    if len(signature) == 65 and signature[64] in (27, 28) and any(signature[:64]):
        signer = fields.get("signer", fields.get("contributor"))
        found |= set() if _signer(digest, signature) == signer else {"signature"}
    else:
        found.add("signature")
    return found


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector["name"])
def test_a_refused_message_breaks_its_one_rule(vector: dict[str, str]) -> None:
    rule = vector["rule"]
    assert rule in RULES
    if rule in WITHOUT_DIGEST:
        return
    faults = _faults(unpack(bytes.fromhex(vector["envelope"][2:])))
    own = {name for name, rules in FAULTS.items() if rule in rules}
    if rule.startswith(("4.4.", "4.8.")):
        own.add("signature")
    assert faults <= own


def test_every_rule_of_a_valid_message_has_a_vector_that_breaks_it() -> None:
    broken = {vector["rule"] for vector in REFUSED}
    rules = {
        rule
        for rule, text in RULES.items()
        if re.match(r"3\.\d+\.|6\.[12]\.|4\.4\.([1-9]|10)$|5\.3\.3", rule) and "MUST" in text
    }
    assert not sorted(rules - broken - set(UNSEEN))


def test_a_vector_has_a_name_of_its_own() -> None:
    assert len({(vector["name"], vector["envelope"]) for vector in REFUSED}) == len(REFUSED)
