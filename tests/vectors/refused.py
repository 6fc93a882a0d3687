"""Vectors of what is refused: rightly signed envelopes that break one rule each, with the code."""

from typing import Any

from sayso_protocol.encoding.packing import pack
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.primitives import hex_text
from sayso_protocol.signatures.contract_wallets import MARK, WalletProof, wrap
from sayso_protocol.signatures.wallets import EoaVerifier
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK, item_hashes
from vectors.refused_fields import consents, items, revocations
from vectors.sealing import (
    CONSENT_TREE,
    HOME,
    ITEMS,
    STOP_TREE,
    STOPS,
    TERMS,
    Cases,
    around,
    field,
    sealed,
)

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
PLAIN = pack(STOP_TREE)


def _networks() -> Cases:
    """Rules 1.1, 4.2 and 6.2.3 to 6.2.6."""
    (here, home), stop = HOME, STOP_TREE

    def abroad(kind: int, *place: Any) -> bytes:
        fields, items = (TERMS, ITEMS) if kind == CONSENT else (STOPS, ())
        return pack(sealed(kind, fields, items, place))

    return {
        "a revocation for no network": ("6.2", around(stop, 5, None)),
        "a revocation for another registry": ("6.2.3", abroad(REVOCATION, here, CLEO)),
        "a revocation for another registry, on another chain": ("6.2.3", abroad(REVOCATION, 1, CLEO)),
        "a revocation under chain id 0": ("1.1.1", abroad(REVOCATION, 0, home)),
        "a revocation under chain id 2^53": ("1.1.1", abroad(REVOCATION, 1 << 53, home)),
        "a revocation under chain id 2^64 - 1": ("1.1.1", abroad(REVOCATION, (1 << 64) - 1, home)),
        "a revocation under another chain id than was signed": ("6.2.6", around(stop, 5, [1, home])),
        "a revocation for a registry of 19 bytes": ("1.1.2", around(stop, 5, [here, home[1:]])),
        "a revocation for a registry of 21 bytes": ("1.1.2", around(stop, 5, [here, home + b"\0"])),
        "a consent for no network": ("6.2", around(CONSENT_TREE, 5, None)),
        "a consent under another chain id": ("6.2.4", abroad(CONSENT, 1, home)),
        "a consent for another registry": ("6.2.3", abroad(CONSENT, here, CLEO)),
        "a consent under chain id 0": ("1.1.1", abroad(CONSENT, 0, home)),
        "a consent under chain id 2^53": ("1.1.1", abroad(CONSENT, 1 << 53, home)),
    }


def _encodings() -> Cases:
    """Rule 6.1: bytes that are no canonical msgpack."""
    nested, mark = b"\x91" * 9 + b"\xc0", b"\xaaeverything"
    return {
        "empty": ("6.1.1", b""),
        "truncated": ("6.1.1", PLAIN[:-1]),
        "one byte more": ("6.1.5", PLAIN + b"\xc0"),
        "an array header of two bytes too many": ("6.1.1", b"\xdc\x00\x07" + PLAIN[1:]),
        "an array header of four bytes too many": ("6.1.1", b"\xdd\0\0\0\x07" + PLAIN[1:]),
        "the version as uint8": ("6.1.1", b"\x97\xcc\x01" + PLAIN[2:]),
        "the version as int8": ("6.1.2", b"\x97\xd0\x01" + PLAIN[2:]),
        "the version as int64": ("6.1.2", b"\x97\xd3" + (1).to_bytes(8) + PLAIN[2:]),
        "the version as uint64": ("6.1.1", b"\x97\xcf" + (1).to_bytes(8) + PLAIN[2:]),
        "true for 1": ("6.1.2", b"\x97\xc3" + PLAIN[2:]),
        "false for nil": ("6.1.2", PLAIN[:-1] + b"\xc2"),
        "a byte that begins nothing, for nil": ("6.1.1", PLAIN[:-1] + b"\xc1"),
        "a negative version": ("6.1.2", b"\x97\xff" + PLAIN[2:]),
        "the version as a float": ("6.1.2", b"\x97\xca\x3f\x80\x00\x00" + PLAIN[2:]),
        "an extension for the version": ("6.1.2", b"\x97\xd4\x01\x01" + PLAIN[2:]),
        "a map": ("6.1.2", b"\x81\x01\x02"),
        "text that is not UTF-8": ("6.1.1", PLAIN.replace(b"I take", b"\xff take")),
        "text in a longer form": ("6.1.1", PLAIN.replace(mark, b"\xd9\x0aeverything")),
        "bytes in a longer form": ("6.1.1", PLAIN.replace(b"\xc4\x14" + ADA, b"\xc5\x00\x14" + ADA)),
        "arrays in arrays, nine deep": ("6.1.3", PLAIN.replace(mark, nested)),
        "1,025 elements": ("6.1.4", around(CONSENT_TREE, 3, [*item_hashes(1_025)])),
        "65,537 bytes": ("6.2.2", pack(bytes(65_534))),
        "65,536 bytes of no envelope": ("6.2", pack(bytes(65_533))),
        "too many bytes": ("6.2.2", around(STOP_TREE, 4, bytes(65_536))),
    }


def _envelopes() -> Cases:
    """Rule 6.2: canonical msgpack that is no envelope."""
    stop = STOP_TREE
    key, signature = CONSENT_TREE[6]
    longer = [*CONSENT_TREE[2], 0]
    return {
        "version 0": ("6.2", around(stop, 0, 0)),
        "version 2": ("6.2", around(stop, 0, 2)),
        "kind 0": ("6.2", around(stop, 1, 0)),
        "kind 7": ("6.2", around(stop, 1, 7)),
        "a consent of kind 0": ("6.2", around(CONSENT_TREE, 1, 0)),
        "a revocation as a consent": ("6.2", around(stop, 1, 1)),
        "a field too few": ("6.2", pack(stop[:6])),
        "a field too many": ("6.2", pack([*stop, None])),
        "a revocation with a field more": ("6.2.1", around(stop, 2, [*stop[2], []])),
        "a revocation with a field less": ("6.2.1", around(stop, 2, stop[2][:4])),
        "a consent with a field more": ("6.2.1", around(CONSENT_TREE, 2, longer)),
        "a consent without the two clocks": ("6.2.1", around(CONSENT_TREE, 2, CONSENT_TREE[2][:13])),
        "a revocation with items": ("6.2", around(stop, 3, list(ITEMS))),
        "a revocation with a sponsor": ("6.2", around(stop, 6, [key, signature])),
        "a sponsor of one field": ("6.2", around(CONSENT_TREE, 6, [key])),
        "a sponsor of three fields": ("6.2", around(CONSENT_TREE, 6, [key, signature, b""])),
        "a sponsor's key of 31 bytes": ("4.5", around(CONSENT_TREE, 6, [key[1:], signature])),
        "text for an address": ("6.2.1", field(stop, 1, "ada")),
        "bytes for text": ("6.2.1", field(stop, 0, b"I take back")),
        "an integer for a mask": ("6.2.1", field(stop, 4, [1])),
        "a word of 31 bytes": ("6.2.1", field(stop, 3, [bytes(31)])),
        "a mask of 33 bytes": ("6.2.1", field(stop, 4, [b"\0" * 32 + b"\1"])),
        "bytes for a scope": ("6.2.1", field(stop, 2, [b"everything"])),
        "a recheck of text": ("6.2.1", field(CONSENT_TREE, 13, "168")),
        "text for an item hash": ("6.2", around(CONSENT_TREE, 3, ["a", *ITEMS[1:]])),
        "bytes for a purpose": ("6.2.1", field(CONSENT_TREE, 7, [b"evaluate", b"train-ai"])),
    }


def _signatures() -> Cases:
    """Rules 4.4 and 4.5."""
    stop, signature = STOP_TREE, STOP_TREE[4]
    s = int.from_bytes(signature[32:64])
    high = signature[:32] + (ORDER - s).to_bytes(32) + bytes([55 - signature[64]])
    proof, offset = wrap(WalletProof(signature)), (97).to_bytes(32)
    key, right = CONSENT_TREE[6]
    other = bytes([right[0] ^ 1]) + right[1:]
    return {
        "s in the upper half": ("4.4.3", around(stop, 4, high)),
        "no signature": ("4.4.5", around(stop, 4, b"")),
        "a signature of 64 bytes": ("4.4.5", around(stop, 4, signature[:64])),
        "v is 0": ("4.4.2", around(stop, 4, signature[:64] + bytes([signature[64] - 27]))),
        "v is 29": ("4.4.2", around(stop, 4, signature[:64] + b"\x1d")),
        "r and s are 0": ("4.4.4", around(stop, 4, bytes(64) + b"\x1b")),
        "another signer": ("4.4.4", pack(sealed(REVOCATION, STOPS, signer=BEN))),
        "a contract wallet's": ("4.4.14", around(stop, 4, signature + b"\0")),
        "a contract wallet's of 8,192 bytes": ("4.4.14", around(stop, 4, bytes(8_192))),
        "a contract wallet's of 8,193 bytes": ("4.4.6", around(stop, 4, bytes(8_193))),
        "a contract wallet's, with half the mark at its end": (
            "4.4.14",
            around(stop, 4, bytes(80) + MARK[:16]),
        ),
        "wrapped, with nothing in it": ("4.4.8", around(stop, 4, bytes(64) + MARK)),
        "wrapped, with another offset": ("4.4.8", around(stop, 4, proof[:32] + offset + proof[64:])),
        "wrapped, padded with ones": ("4.4.8", around(stop, 4, proof[:-64] + b"\1" * 32 + MARK)),
        "wrapped, with a byte too many": ("4.4.8", around(stop, 4, proof[:-32] + b"\0" + MARK)),
        "nobody deploys something": (
            "4.4.9",
            around(stop, 4, wrap(WalletProof(signature, deployment=b"deploy"))),
        ),
        "a factory with an empty deployment": (
            "4.4.14",
            around(stop, 4, wrap(WalletProof(signature, CLEO, b""))),
        ),
        "another sponsor": ("4.5", around(CONSENT_TREE, 6, [key, other])),
        "a sponsor's signature of 63 bytes": ("4.5", around(CONSENT_TREE, 6, [key, right[:63]])),
        "a sponsor of small order": ("4.5.4", around(CONSENT_TREE, 6, [b"\1" + bytes(31), bytes(64)])),
    }


def code_of_refusal(name: str, data: bytes) -> str:
    """The code with which an envelope is refused."""
    try:
        decode(data, NETWORK).check_signatures(EoaVerifier())
    except SaysoError as error:
        return error.code
    raise AssertionError(f"{name} is not refused")


def listed(cases: Cases) -> list[dict[str, str]]:
    """Refused envelopes as they are published."""
    return [
        {
            "name": name,
            "rule": rule,
            "envelope": hex_text(data),
            "code": code_of_refusal(name, data),
        }
        for name, (rule, data) in cases.items()
    ]


def refused_cases() -> list[dict[str, str]]:
    """Envelopes that nobody may take in, with the rule that each breaks and the code of the refusal."""
    parts = (_encodings, _envelopes, _networks, consents, items, revocations, _signatures)
    return listed({name: case for part in parts for name, case in part().items()})
