"""The published snapshots are read as the file says, right ones and wrong ones."""

import json
from typing import Any

import pytest

from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import of_kind
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.network_file import parse_network_file
from sayso_protocol.primitives import address_from_text, address_text
from sayso_protocol.snapshots.hash_list import hashes_of, license_key, person_key, sublicense_key
from sayso_protocol.snapshots.keys import as_keys
from sayso_protocol.snapshots.offline import HeldLicenses, OfflineGate
from sayso_protocol.snapshots.offline_chains import HeldSublicense
from sayso_protocol.snapshots.snapshot import Snapshots, read_snapshot
from sayso_protocol.verdicts.chains import Hop
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS
from support.passing import LAB
from support.protocol_strategies import NETWORK
from vectors.make import FOLDER

VECTORS = json.loads((FOLDER / "snapshots.json").read_text())
TRUSTED = parse_network_file(VECTORS["trusted"])
FILES = {one["name"]: bytes.fromhex(one["file"][2:]) for one in VECTORS["files"]}


def unhex(texts: list[str]) -> bytes:
    return b"".join(bytes.fromhex(text[2:]) for text in texts)


@pytest.mark.parametrize("vector", VECTORS["files"], ids=lambda vector: vector["name"])
def test_a_file_is_read_or_refused_with_its_code(vector: dict[str, Any]) -> None:
    if vector["code"]:
        with pytest.raises(SaysoError) as refusal:
            read_snapshot(FILES[vector["name"]], TRUSTED)
        assert refusal.value.code == vector["code"]
        return
    snapshot = read_snapshot(FILES[vector["name"]], TRUSTED)
    assert snapshot.holds(as_keys(unhex(vector["known"]))).all()
    assert not snapshot.holds(as_keys(unhex(vector["unknown"]))).any()
    for asked, flag in (("named", True), ("unnamed", False)):
        assert vector[asked] or asked == "unnamed" or vector["name"] == "of one who knows nobody"
        abouts = [bytes.fromhex(text[2:]) for text in vector[asked]]
        keys = [(person_key if len(one) == 20 else license_key)(one) for one in abouts]
        assert snapshot.name(keys).tolist() == [flag] * len(keys)
    assert snapshot.head.moment.as_of == vector["as_of"]


@pytest.mark.parametrize("vector", VECTORS["names"], ids=lambda vector: vector["name"])
def test_a_name_is_hashed_as_the_file_says(vector: dict[str, Any]) -> None:
    key = bytes([vector["kind"]]) + unhex([vector["about"]])
    about = unhex([vector["about"]])
    made = {16: person_key, 17: license_key, 18: sublicense_key}[vector["kind"]]
    assert key == made(about)
    assert hashes_of(unhex([VECTORS["salt"]]), [key]).tobytes() == unhex([vector["hash"]])


def test_rows_are_judged_as_the_file_says() -> None:
    envelopes = {name: decode(unhex([text]), NETWORK) for name, text in VECTORS["envelopes"].items()}
    consents = {name: one.message for name, one in envelopes.items()}
    held = HeldLicenses(
        (envelopes[name].digest, one, envelopes[name].items)
        for name, one in consents.items()
        if isinstance(one, Consent)
    )
    seen = set()
    for case in VECTORS["rows"]:
        files = Snapshots(read_snapshot(FILES[name], TRUSTED) for name in case["files"])
        query = Query(address_from_text(case["grantee"]), case["purpose"])
        gate = OfflineGate(held, files, query, max_age_s=case["max_age_s"])
        for name, expected in case["reasons"].items():
            rows = b"".join(envelopes[name].digest + unhex([item]) for item in VECTORS["items"])
            reasons = gate.judge(rows, case["now"]).reasons
            assert [REASONS[number] for number in reasons.tolist()] == expected
            seen.update(expected)
    assert {"granted", "revoked", "stale", "purpose-not-granted"} <= seen


@pytest.mark.parametrize("case", VECTORS["passed"], ids=lambda case: case["name"])
def test_what_was_passed_on_is_judged_as_the_file_says(case: dict[str, Any]) -> None:
    envelopes = [decode(unhex([one]), NETWORK) for one in (*case["consents"], *case["sublicenses"])]
    held = HeldLicenses(
        ((one.digest, terms, one.items) for one, terms in of_kind(envelopes, Consent)),
        (
            HeldSublicense(Hop(one.digest, terms), one.items)
            for one, terms in of_kind(envelopes, Sublicense)
        ),
    )
    files = Snapshots(read_snapshot(unhex([one]), TRUSTED) for one in case["files"])
    gate = OfflineGate(
        held,
        files,
        Query(
            address_from_text(case["grantee"]),
            case["purpose"],
            tuple(map(address_from_text, case["heed"])),
        ),
        max_age_s=86_400,
    )
    reasons = gate.judge(
        unhex([one[at] for one in case["rows"] for at in ("license", "item")]), case["now"]
    )
    assert [REASONS[one] for one in reasons.reasons.tolist()] == [one["reason"] for one in case["rows"]]


def test_the_cases_of_what_was_passed_on_have_every_answer() -> None:
    """Each of these is refused in a case of its own that is granted without one change."""
    lab = address_text(LAB)
    found = {case["name"].split(", 0x")[0]: case for case in VECTORS["passed"] if case["grantee"] == lab}
    answers = {name: {one["reason"] for one in case["rows"]} for name, case in found.items()}
    stale = {name for name in answers if "not named" in name} | {
        "hidden from the maker",
        "not in force before the file",
        "heeded by no head",
        "heeded by one head of two",
    }
    withdrawn = {
        name for name in answers if name.startswith(("withdrawn", "all ", "displaced, as the file"))
    }
    assert {name for name, some in answers.items() if some == {"stale"}} == stale
    assert {name for name, some in answers.items() if some == {"withdrawn"}} == withdrawn | {
        "a holder stopped"
    }
    assert {name for name, some in answers.items() if "disputed" in some} == {
        "a file disputed",
        "a contributor disputed",
        "disputed, as one of two knows",
    }
    assert {name for name, some in answers.items() if "other-grantee" in some} == {
        "not in the bundle",
        "a parent not in the bundle",
        "several parties, one not passed on",  # of the other party's row
    }
