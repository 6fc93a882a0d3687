"""`sayso show`: every kind of message in plain sentences, and a plain word on its signature."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from sayso.explain import explain
from sayso.main import cli
from sayso_protocol.encoding.row_tree import RowProof
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.wire import encode_bundle
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.permissions.scopes import Scope, file_subject, to_subject
from sayso_protocol.primitives import address_text, hex_text, sha256
from sayso_protocol.receipts.misconduct import row_proof_to_json
from sayso_protocol.receipts.receipt import Acknowledgement, ChainPoint, Receipt, sign_statement
from sayso_protocol.receipts.status import Status, StatusMoment, sign_statuses, status_to_json
from sayso_protocol.receipts.text import acknowledgement_to_json, receipt_to_json
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row
from support.protocol_strategies import (
    ADA,
    BEN,
    CLEO,
    NETWORK,
    NODE,
    a_consent,
    envelopes,
    item_hashes,
    signed,
)
from support.statements import NODE_KEY, OTHER_KEY, TRUSTED

MOST = 1 << 20
ITEMS = item_hashes(12)
NOW, LATE, EARLY = 1_750_000_000, 1_900_000_000, 1_600_000_000
POINT = ChainPoint(19, bytes(32))
TERMS = {"terms": sha256(b"terms"), "terms_uri": "https://kled.ai/terms"}
CALL = a_consent(ITEMS, parties=tuple(sorted([ADA, BEN])), guardian=CLEO, **TERMS)
CONSENT = signed(CALL, ITEMS).sponsored_by(NODE)
MASKS = CALL.masks([1], ["train-ai"])
STOP = signed(
    Revocation(
        ADA,
        ("everything for train-ai", "via kled.ai", file_subject(ITEMS[0]), "a later grammar"),
        tuple(MASKS),
        tuple(MASKS.values()),
    )
)
AGREEMENT = hex_text(CALL.agreement)
COMPANY = signed(
    Revocation(
        ADA,
        (
            f"agreement {AGREEMENT}",
            to_subject(BEN),
            f"{to_subject(BEN)} for train-ai",
            f"statement {hex_text(ITEMS[0])}",
            "statements",
            f"statements {to_subject(BEN)}",
        ),
    )
)
WARD = signed(Revocation(CLEO, (Scope("everything", None, ADA).text,)))
RECEIPT = sign_statement(
    NODE,
    Receipt(
        NETWORK, NODE_KEY, bytes(20), "train-ai", 60, "run 7", b"n", bytes(32), bytes(32),
        (("granted", 2), ("revoked", 1)), 8, bytes(32), POINT, NOW, 0, NOW + 604_800, (CLEO,),
    ),
)  # fmt: skip
PROMISE = sign_statement(NODE, Acknowledgement(NETWORK, NODE_KEY, STOP.digest, POINT, NOW))
STATUS = sign_statuses(
    NODE,
    StatusMoment(NETWORK, bytes(32), POINT, NOW),
    [
        Status(Row(CONSENT.digest, item), Query(BEN, "train-ai"), 60, b"n", reason, 0)
        for item, reason in zip(ITEMS[:2], (Reason.GRANTED, Reason.REVOKED), strict=True)
    ],
)[1]
PROOF = RowProof(CONSENT.digest + ITEMS[0], Reason.GRANTED.number, 4, (b"",))
RIGHT = f"The signature is right: {address_text(ADA)} signed this."
NORTH = "that of north, whom your network file lists"


def as_json(value: Any) -> bytes:
    return json.dumps(value, indent=2).encode()


def shown(data: bytes, trusted: NetworkFile | None = TRUSTED, now: float = NOW, *known: Envelope) -> str:
    return "\n".join(line for one in explain(data, trusted, known, now, MOST) for line in one.lines)


SAID: dict[str, tuple[bytes, list[str]]] = {
    "consent": (
        encode_bundle([encode(CONSENT)]),
        [
            f"a consent: license {hex_text(CONSENT.digest)}",
            f"{address_text(ADA)} allows {address_text(BEN)} to use 12 items",
            "train-ai (train any AI model)",
            "arranged by kled.ai",
            "from 2023-11-14 22:13 UTC until 2027-01-15 08:00 UTC",
            "An answer about it may be relied on for 168 hours.",
            "removes what is revoked within 30 days of the revocation.",
            f"unless {address_text(BEN)} has consented, too",
            f"{address_text(CLEO)} may revoke it",
            "https://kled.ai/terms",
            hex_text(sha256(b"terms")),
            "the network of your network file",
            hex_text(ITEMS[9]),
            "and 2 more",
            RIGHT,
            "north took it in",
        ],
    ),
    "revocation": (
        encode(STOP),
        [
            f"a revocation: {hex_text(STOP.digest)}",
            f"{address_text(ADA)} takes back, now and for ever:",
            "every permission ever given, for train-ai (train any AI model)",
            "licensed through kled.ai",
            f"the file {hex_text(ITEMS[0])}, in every consent",
            '"a later grammar": a sentence that this release does not know',
            "1 bit in 1 word",
            "cannot be undone",
            f"It was signed under chain 31337, registry {address_text(NETWORK.registry)}.",
            "It counts on every chain with this registry, which is that of your network file.",
            RIGHT,
        ],
    ),
    "a revocation signed on another chain": (
        encode(signed(STOP.message, network=Network(1, NETWORK.registry))),
        ["signed under chain 1,", "with this registry, which is that of your network file", RIGHT],
    ),
    "a revocation for another registry": (
        encode(signed(STOP.message, network=Network(31_337, BEN))),
        ["with this registry, which is NOT THAT OF YOUR NETWORK", RIGHT],
    ),
    "a guardian's": (
        encode(WARD),
        [f"of {address_text(ADA)}, where a consent names the signer as guardian"],
    ),
    "a whole license, and a company": (
        encode(COMPANY),
        [
            f"the whole license with the agreement {AGREEMENT}, and every renewal of it",
            f"what was licensed to {hex_text(BEN)}, and every use by that address",
            "and every use by that address, whoever was licensed, for train-ai (train any AI model)",
            f"the signer's own statement {hex_text(ITEMS[0])}",
            "the signer's own statements, also future ones",
            f"the signer's own statements to {hex_text(BEN)}, also future ones",
        ],
    ),
    "receipt": (
        as_json(receipt_to_json(RECEIPT)),
        [
            "receipt 8 of a node",
            'anyone asked to use 3 rows for train-ai (train any AI model), in a run called "run 7"',
            "2 granted and 1 revoked",
            "signed on 2025-06-15 15:06 UTC, with the chain read up to block 19",
            NORTH,
        ],
    ),
    "acknowledgement": (
        as_json(acknowledgement_to_json(PROMISE)),
        ["an acknowledgement", hex_text(STOP.digest), "block 19", NORTH],
    ),
    "status answer": (
        as_json(status_to_json(STATUS)),
        ["a status answer", f"item {hex_text(ITEMS[1])}", "The answer: revoked", NORTH],
    ),
    "the proof of a row": (
        as_json(row_proof_to_json(PROOF)),
        ["Row 4", "is granted", hex_text(ITEMS[0]), "It proves nothing without"],
    ),
    "several acknowledgements": (
        as_json([acknowledgement_to_json(PROMISE)] * 2),
        ["an acknowledgement", hex_text(STOP.digest)],
    ),
    "network file": (
        TRUSTED.to_toml().encode(),
        ["a network file", "chain 31337", "12 further blocks", f"Operator north: key {NODE_KEY.hex()}"],
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_what_is_said(name: str) -> None:
    data, sentences = SAID[name]
    text = shown(data)
    assert [one for one in sentences if one not in text] == []
    assert not [one for one in explain(data, TRUSTED, (), NOW, MOST) if one.error]


def test_a_short_consent_says_no_more_than_it_holds() -> None:
    plain = signed(a_consent(ITEMS[:1], via="", purposes=("x-ray",)), ITEMS[:1])
    text = shown(encode(plain))
    assert "use 1 item for x-ray (not a published purpose)." in text
    for word in ("arranged", "guardian", "unless", "text of the license", "more", "took it in", "ended"):
        assert word not in text


def test_a_consent_that_does_not_hold_now() -> None:
    assert "It has ended." in shown(encode(CONSENT), now=LATE)
    assert "It has not begun." in shown(encode(CONSENT), now=EARLY)
    assert "It has" not in shown(encode(CONSENT))


def test_what_a_revocation_hits() -> None:
    name = hex_text(CONSENT.digest)
    hit = shown(encode(WARD), TRUSTED, NOW, CONSENT)
    assert f"takes back 24 of 24 permissions of license {name}" in hit
    whole = signed(Revocation(ADA, (f"agreement {AGREEMENT}",)))
    assert f"takes back 24 of 24 permissions of license {name}" in shown(
        encode(whole), TRUSTED, NOW, CONSENT
    )
    words = signed(Revocation(ADA, (), tuple(MASKS), tuple(MASKS.values())))
    both = shown(encode_bundle([encode(words), encode(CONSENT)]))
    assert f"takes back 1 of 24 permissions of license {name}" in both
    others = signed(Revocation(BEN, ("everything", "a later grammar")))
    assert "of license" not in shown(encode(others), TRUSTED, NOW, CONSENT)
    unknown = signed(Revocation(ADA, ("a later grammar",)))
    assert "of license" not in shown(encode(unknown), TRUSTED, NOW, CONSENT)


def test_without_a_network_file_nobody_is_named() -> None:
    for name in ("receipt", "acknowledgement", "status answer"):
        text = shown(SAID[name][0], None)
        assert f"right for node {NODE_KEY.hex()}; only a network file" in text
        assert "north" not in text
    assert "network file" not in shown(encode(CONSENT), None)


def test_a_node_that_nobody_trusts() -> None:
    others = NetworkFile(NETWORK, 1, 1, tuple(one for one in TRUSTED.operators if one.key == OTHER_KEY))
    elsewhere = NetworkFile(replace(NETWORK, chain_id=5), 1, 1, TRUSTED.operators)
    for name in ("receipt", "acknowledgement", "status answer"):
        assert "DOES NOT LIST" in shown(SAID[name][0], others)
        assert "ANOTHER NETWORK" in shown(SAID[name][0], elsewhere)
    assert "NOT YOUR NETWORK" in shown(encode(CONSENT), elsewhere)


def wrong() -> Iterator[tuple[str, bytes]]:
    yield "bad-signature", encode(replace(CONSENT, signature=STOP.signature))
    yield "bad-signature", encode_bundle([encode(STOP), encode(replace(WARD, signature=STOP.signature))])
    for signed_json in (receipt_to_json(RECEIPT), acknowledgement_to_json(PROMISE)):
        yield "bad-signature", as_json(signed_json | {"time": 1})
    yield "bad-signature", as_json(status_to_json(STATUS) | {"time": 1})
    yield "bad-proof", as_json(status_to_json(STATUS) | {"reason": "granted"})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAYSO_NETWORK", raising=False)
    (tmp_path / "network.toml").write_text(TRUSTED.to_toml())

    def call(*arguments: str, data: bytes = b"") -> Result:
        return CliRunner().invoke(cli, ["show", *arguments], input=data)

    return call


@pytest.mark.parametrize(("code", "data"), list(wrong()))
def test_a_wrong_signature_is_shown_and_fails(
    run: Callable[..., Result], code: str, data: bytes
) -> None:
    result = run("-", data=data)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error [{code}]: ")
    assert "Believe nothing of it" in result.stdout


def test_from_a_file_and_from_standard_input(run: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "stop.sayso").write_bytes(encode(STOP))
    (tmp_path / "c.sayso").write_bytes(encode_bundle([encode(CONSENT)]))
    first = run("stop.sayso", "--consents", "c.sayso")
    assert (first.exit_code, first.stderr) == (0, "")
    assert first.stdout == run("-", "--consents", "c.sayso", data=encode(STOP)).stdout
    assert "takes back 24 of 24" in first.stdout
    (tmp_path / "network.toml").unlink()
    assert run("stop.sayso").exit_code == 0
    missing = run("stop.sayso", "--network", "missing.toml")
    assert missing.stderr.startswith("error [invalid-network-file]")
    forged = encode(replace(CONSENT, signature=STOP.signature))
    (tmp_path / "c.sayso").write_bytes(forged)
    assert "error [bad-signature]" in run("stop.sayso", "--consents", "c.sayso").stderr


def test_a_contract_wallets_message_is_not_called_checked() -> None:
    (one,) = explain(encode(replace(STOP, signature=bytes(70))), TRUSTED, (), NOW, MOST)
    assert "NOT CHECKED, only the chain can judge it" in one.lines[-1]
    assert one.error is None


def test_a_nodes_answer_about_a_license(run: Callable[..., Result]) -> None:
    answer = {
        "license": hex_text(CONSENT.digest),
        "envelope": base64.b64encode(encode(CONSENT)).decode(),
    }
    assert RIGHT in run("-", data=as_json(answer)).stdout
    assert "error [malformed]" in run("-", data=as_json({"envelope": "?"})).stderr


@pytest.mark.parametrize(
    ("code", "data"),
    [
        ("malformed", b""),
        ("malformed", b"hello"),
        ("malformed", b"\xff\xfe"),
        ("malformed", b"{}"),
        ("malformed", b"[[]]"),
        ("malformed", b"{"),
        ("malformed", b"\x90"),
        ("malformed", b"\x97\x01"),
        ("malformed", b"chain_id = 1"),
        ("malformed", as_json({"type": "sayso-receipt-2"})),
        ("not-canonical", b"\xdc\x00\x01\xc4\x00"),
        ("invalid-consent", encode(CONSENT).replace(b"I allow", b"I ALLOW")),
    ],
)
def test_what_is_no_message_is_refused(run: Callable[..., Result], code: str, data: bytes) -> None:
    result = run("-", data=data)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"error [{code}]: "), result.stderr
    assert result.stdout == ""


def test_too_much_is_refused() -> None:
    with pytest.raises(SaysoError):
        explain(b"\x91" * (MOST + 1), TRUSTED, (), NOW, MOST)


@given(envelopes())
def test_every_valid_message_can_be_explained(envelope: Envelope) -> None:
    (one,) = explain(encode(envelope), None, (), NOW, MOST)
    assert hex_text(envelope.digest) in one.lines[0]
    kind = "consent" if isinstance(envelope.message, Consent) else "revocation"
    assert f"This is a {kind}" in one.lines[0]


SOME = [data for data, _ in SAID.values()]


@given(st.binary(max_size=200) | st.sampled_from(SOME), st.data())
def test_nothing_but_our_errors_comes_out(data: bytes, draw: st.DataObject) -> None:
    if data:
        at = draw.draw(st.integers(0, len(data) - 1))
        data = data[:at] + draw.draw(st.binary(max_size=3)) + data[at + 1 :]
    with suppress(SaysoError):
        explain(data, TRUSTED, (CONSENT,), NOW, MOST)
