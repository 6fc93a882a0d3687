"""Vectors of what is refused: an envelope for each rule of sections 3, 4 and 6, with the code."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from sayso_protocol.encoding.eip712 import domain_separator
from sayso_protocol.encoding.packing import pack
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.kinds import kind_of
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digests
from sayso_protocol.primitives import hex_text, sha256
from sayso_protocol.signatures.contract_wallets import MARK, WalletProof, wrap
from sayso_protocol.signatures.wallets import EoaVerifier
from support.packed import unpack
from support.protocol_strategies import (
    ADA,
    BEN,
    CLEO,
    NETWORK,
    NODE,
    WALLETS,
    a_consent,
    item_hashes,
    sign_digest,
    signed,
)

ITEMS = item_hashes(3)
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
CONSENT = signed(a_consent(ITEMS), ITEMS).sponsored_by(NODE)
STOP = signed(Revocation(ADA, ("everything",), (64,), (1,)))
PLAIN = encode(STOP)
FIELDS = {name: place for place, name in enumerate(
    ["notice", "contributor", "parties", "grantee", "via", "content", "items", "purposes", "terms",
     "terms_uri", "guardian", "issued_at", "expires_at", "recheck_hours", "removal_days"]
)}  # fmt: skip
_MANY = [b"%02d" % number + bytes(18) for number in range(17)]


def _edited(envelope: Envelope, edit: Callable[[list[Any]], object]) -> bytes:
    tree = unpack(encode(envelope))
    edit(tree)
    return pack(tree)


def _consent(**fields: Any) -> bytes:
    """A consent in which some signed fields have other values."""

    def edit(tree: list[Any]) -> None:
        for name, value in fields.items():
            tree[2][FIELDS[name]] = value

    return _edited(CONSENT, edit)


def _stop(place: int, value: Any) -> bytes:
    """A revocation in which one signed field has another value."""
    return _edited(STOP, lambda tree: tree[2].__setitem__(place, value))


def _around(envelope: Envelope, place: int, value: Any) -> bytes:
    """A message in which something beside the signed fields has another value."""
    return _edited(envelope, lambda tree: tree.__setitem__(place, value))


def _abroad(envelope: Envelope, chain_id: int, registry: bytes) -> bytes:
    """A message that was rightly signed under a domain, which may be none of a network."""
    message, kind = envelope.message, kind_of(envelope.message)
    columns = [(getattr(message, attribute),) for _, attribute, _ in kind.columns]
    domain: Any = SimpleNamespace(separator=domain_separator(chain_id, registry))
    signature = sign_digest(WALLETS[message.signer], digests(kind, [domain], columns)[0])

    def edit(tree: list[Any]) -> None:
        tree[4:6] = [signature, [chain_id, registry]]
        tree[6] = None

    return _edited(envelope, edit)


def _networks() -> dict[str, bytes]:
    """Rules 1.1, 4.2 and 6.2.3."""
    here, home = NETWORK.chain_id, NETWORK.registry
    return {
        "a revocation for no network": _around(STOP, 5, None),
        "a revocation for another registry": _abroad(STOP, here, CLEO),
        "a revocation for another registry, on another chain": _abroad(STOP, 1, CLEO),
        "a revocation under chain id 0": _abroad(STOP, 0, home),
        "a revocation under chain id 2^53": _abroad(STOP, 1 << 53, home),
        "a revocation under chain id 2^64 - 1": _abroad(STOP, (1 << 64) - 1, home),
        "a revocation under another chain id than was signed": _around(STOP, 5, [1, home]),
        "a revocation for a registry of 19 bytes": _around(STOP, 5, [here, home[1:]]),
        "a consent for no network": _around(CONSENT, 5, None),
        "a consent under another chain id": _abroad(CONSENT, 1, home),
        "a consent for another registry": _abroad(CONSENT, here, CLEO),
        "a consent under chain id 0": _abroad(CONSENT, 0, home),
        "a consent under chain id 2^53": _abroad(CONSENT, 1 << 53, home),
    }


def _encodings() -> dict[str, bytes]:
    """Rules 6.1 and 6.2."""
    nested = b"\x91" * 9 + b"\xc0"
    return {
        "empty": b"",
        "truncated": PLAIN[:-1],
        "one byte more": PLAIN + b"\xc0",
        "an array header of two bytes too many": b"\xdc\x00\x07" + PLAIN[1:],
        "the version as uint8": b"\x97\xcc\x01" + PLAIN[2:],
        "true for 1": b"\x97\xc3" + PLAIN[2:],
        "a negative version": b"\x97\xff" + PLAIN[2:],
        "the version as a float": b"\x97\xca\x3f\x80\x00\x00" + PLAIN[2:],
        "an extension for the version": b"\x97\xd4\x01\x01" + PLAIN[2:],
        "a map": b"\x81\x01\x02",
        "text that is not UTF-8": PLAIN.replace(b"I take", b"\xff take"),
        "text in a longer form": PLAIN.replace(b"\xaaeverything", b"\xd9\x0aeverything"),
        "bytes in a longer form": PLAIN.replace(b"\xc4\x14" + ADA, b"\xc5\x00\x14" + ADA),
        "arrays in arrays, nine deep": PLAIN.replace(b"\xaaeverything", nested),
        "version 2": _around(STOP, 0, 2),
        "kind 7": _around(STOP, 1, 7),
        "a field too few": _edited(STOP, lambda tree: tree.pop()),
        "a revocation with items": _around(STOP, 3, list(ITEMS)),
        "a revocation with a sponsor": _around(STOP, 6, [bytes(32), bytes(64)]),
        "a sponsor of one field": _around(CONSENT, 6, [bytes(32)]),
        "text for an address": _stop(1, "ada"),
        "too many bytes": _around(STOP, 4, bytes(65_536)),
    }


def _consents() -> dict[str, bytes]:
    """Rules 3.1 to 3.7, and 3.10."""
    valid = CONSENT.message
    issued = getattr(valid, "issued_at")  # noqa: B009 - a Message is either of two
    many = [f"p{number:02}" for number in range(17)]
    return {
        "a consent of nobody": _consent(contributor=bytes(20), parties=[bytes(20)]),
        "a contributor of 19 bytes": _consent(contributor=ADA[:19]),
        "no parties": _consent(parties=[]),
        "parties unsorted": _consent(parties=sorted([ADA, BEN], reverse=True)),
        "a party twice": _consent(parties=[ADA, ADA]),
        "parties without the contributor": _consent(parties=[BEN]),
        "17 parties": _consent(parties=sorted([*_MANY[:16], ADA])),
        "no items": _around(CONSENT, 3, []),
        "items: 0": _consent(items=0),
        "items: 1,025": _consent(items=1_025),
        "items: one more than there are": _consent(items=4),
        "items in another order": _around(CONSENT, 3, list(ITEMS[::-1])),
        "an item twice": _around(CONSENT, 3, [ITEMS[0], ITEMS[1], ITEMS[1]]),
        "other content": _consent(content=sha256(b"other")),
        "no purposes": _consent(purposes=[]),
        "purposes unsorted": _consent(purposes=["train-ai", "evaluate"]),
        "a purpose twice": _consent(purposes=["train-ai", "train-ai"]),
        "17 purposes": _consent(purposes=many),
        "an upper-case purpose": _consent(purposes=["Train-ai"]),
        "a purpose of 33 characters": _consent(purposes=["p" * 33]),
        "a purpose with a line end": _consent(purposes=["train-ai\n"]),
        "it ends as it begins": _consent(expires_at=issued),
        "it ends a second after ten years": _consent(expires_at=issued + 315_619_201),
        "it ends in the year 10000": _consent(issued_at=253_402_300_700, expires_at=253_402_300_800),
        "rechecked after 0 hours": _consent(recheck_hours=0),
        "rechecked after 8,761 hours": _consent(recheck_hours=8_761),
        "rechecked after 65,704 hours, which are 168 modulo 2^16": _consent(recheck_hours=65_704),
        "removed within 0 days": _consent(removal_days=0),
        "removed within 366 days": _consent(removal_days=366),
        "removed within 65,566 days, which are 30 modulo 2^16": _consent(removal_days=65_566),
        "the notice of another recheck": _consent(recheck_hours=167),
        "the notice of another removal": _consent(removal_days=29),
        "a recheck of text": _consent(recheck_hours="168"),
        "a consent without the two clocks": _edited(
            CONSENT, lambda tree: tree[2].__delitem__(slice(13, 15))
        ),
        "terms by http": _consent(terms_uri="http://kled.ai/terms"),
        "terms with a query": _consent(terms_uri="https://kled.ai/?user=7"),
        "terms with a fragment": _consent(terms_uri="https://kled.ai/#7"),
        "terms with a space": _consent(terms_uri="https://kled.ai/a b"),
        "terms at https:// alone": _consent(terms_uri="https://"),
        "terms at an address of 2,049 bytes": _consent(terms_uri="https://" + "k" * 2_041),
        "an upper-case marketplace": _consent(via="Kled.ai"),
        "a marketplace of one label": _consent(via="kled"),
        "a marketplace with a dot at its end": _consent(via="kled.ai."),
        "a marketplace of 101 bytes": _consent(via="k" * 61 + "." + "l" * 36 + ".ai"),
        "a label of 64 characters": _consent(via="k" * 64 + ".ai"),
        "a label that ends with a hyphen": _consent(via="kled-.ai"),
        "a consent with another notice": _consent(notice="I agree."),
    }


def _revocations() -> dict[str, bytes]:
    """Rules 3.8 to 3.10, and 5.3."""
    return {
        "another notice": _stop(0, "I agree."),
        "a revocation of nobody": _stop(1, bytes(20)),
        "17 scopes": _stop(2, [f"via s{number}.example" for number in range(17)]),
        "a scope of two lines": _stop(2, ["everything\neverything"]),
        "an empty scope": _stop(2, [""]),
        "a scope of 201 characters": _stop(2, ["e" * 201]),
        "a scope that is not ASCII": _stop(2, ["everythin\u01f5"]),
        "nothing to revoke": _edited(STOP, lambda tree: tree[2].__setitem__(slice(2, 5), [[], [], []])),
        "a word without a mask": _stop(4, []),
        "65 words": _edited(
            STOP,
            lambda tree: tree[2].__setitem__(
                slice(3, 5), [[bytes(31) + bytes([n]) for n in range(65)], [b"\1" * 32] * 65]
            ),
        ),
        "a scope word": _stop(3, [b"\0\x80" + bytes(30)]),
        "a word of 31 bytes": _stop(3, [bytes(31)]),
        "an empty mask": _stop(4, [bytes(32)]),
    }


def _signatures() -> dict[str, bytes]:
    """Rules 4.4 and 4.5."""
    s = int.from_bytes(STOP.signature[32:64])
    high = STOP.signature[:32] + (ORDER - s).to_bytes(32) + bytes([55 - STOP.signature[64]])
    proof = wrap(WalletProof(STOP.signature))
    offset = (97).to_bytes(32)
    key = bytes(NODE.verify_key)
    return {
        "s in the upper half": _around(STOP, 4, high),
        "no signature": _around(STOP, 4, b""),
        "a signature of 64 bytes": _around(STOP, 4, STOP.signature[:64]),
        "v is 0": _around(STOP, 4, STOP.signature[:64] + b"\0"),
        "r and s are 0": _around(STOP, 4, bytes(64) + b"\x1b"),
        "another signer": _stop(1, BEN),
        "a contract wallet's": _around(STOP, 4, STOP.signature + b"\0"),
        "a contract wallet's of 8,193 bytes": _around(STOP, 4, bytes(8_193)),
        "wrapped, with nothing in it": _around(STOP, 4, bytes(64) + MARK),
        "wrapped, with another offset": _around(STOP, 4, proof[:32] + offset + proof[64:]),
        "wrapped, padded with ones": _around(STOP, 4, proof[:-64] + b"\1" * 32 + MARK),
        "wrapped, with a byte too many": _around(STOP, 4, proof[:-32] + b"\0" + MARK),
        "nobody deploys something": _around(STOP, 4, wrap(WalletProof(b"", deployment=b"deploy"))),
        "another sponsor": _around(CONSENT, 6, [key, bytes(64)]),
        "a sponsor of small order": _around(CONSENT, 6, [b"\1" + bytes(31), bytes(64)]),
    }


def _code(data: bytes) -> str:
    try:
        decode(data, NETWORK).check_signatures(EoaVerifier())
    except SaysoError as error:
        return error.code
    raise AssertionError("this vector is not refused")


def refused_cases() -> list[dict[str, str]]:
    """Envelopes that nobody may take in, with the code of the refusal."""
    cases = _encodings() | _networks() | _consents() | _revocations() | _signatures()
    return [
        {"name": name, "envelope": hex_text(data), "code": _code(data)} for name, data in cases.items()
    ]
