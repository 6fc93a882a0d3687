"""Chain proofs: the registry's storage proves one permission against a block hash (rules 10.5 to 10.8).

A proof holds every place that rule 8.2 looks at, so it shows that a permission is revoked on that chain,
or that it is not. It says nothing about revocations that only nodes know (10.8).
"""

from dataclasses import dataclass
from typing import Any, Final

from sayso_protocol.errors import BadProof, Malformed
from sayso_protocol.ethereum.batches import AnchorProof
from sayso_protocol.ethereum.headers import check_network, check_stated, stated_header
from sayso_protocol.ethereum.tries import decode_rlp, text_of, trie_value
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import CONSENT, as_kind
from sayso_protocol.network import Network
from sayso_protocol.primitives import (
    ANYONE,
    HASH_BYTES,
    address_from_text,
    bytes_from_text,
    hash_from_text,
    hex_text,
    keccak,
)
from sayso_protocol.verdicts.covering import Place, covering
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, LicenseView

CHAIN_PROOF_TYPE: Final = "sayso-chain-proof-1"
ANCHORS_SLOT: Final = 0
BITS_SLOT: Final = 1
_ACCOUNT_FIELDS: Final = 4  # nonce, balance, storage root, code hash
_QUANTITY_CHARS: Final = 66


@dataclass(frozen=True)
class OnChain:
    """OnChain is the result of a verified chain proof (rule 10.7).

    Attributes:
        license: The license hash.
        item: The item hash.
        grantee: The address that would use the item, 20 bytes; zero means anyone.
        purpose: The purpose of the permission.
        number: The block's height.
        time: The block's time, seconds since the epoch.
        revoked_by: The scopes that revoke the permission in that block; "" for its own bit.
        anchored_in: Number and time of the block that dates the license; None if it is not in the proof.
    """

    license: bytes
    item: bytes
    grantee: bytes
    purpose: str
    number: int
    time: int
    revoked_by: tuple[str, ...]
    anchored_in: tuple[int, int] | None


def places_of(held: LicenseView, item: bytes, query: Query) -> list[Place]:
    """Return every place that rule 8.2 looks at; raises BadProof if item or purpose is not licensed."""
    consent, position = held.consent, held.position_of(item)
    if position is None or query.purpose not in consent.purposes:
        raise BadProof("the consent has no such item or purpose")
    if query.grantee == ANYONE != consent.grantee:
        raise BadProof("the consent is to one grantee, not to anyone")
    return [one.at(consent, position, item) for one in covering(consent, query)]


def word_slot(address: bytes, word: int) -> bytes:
    """Return the storage slot of a word's bits, 32 bytes (rule 10.5)."""
    outer = keccak(address.rjust(HASH_BYTES, b"\0") + BITS_SLOT.to_bytes(HASH_BYTES))
    return keccak(word.to_bytes(HASH_BYTES) + outer)


def anchor_slot(root: bytes) -> bytes:
    """Return the storage slot of an anchor, 32 bytes (rule 10.5)."""
    return keccak(root + ANCHORS_SLOT.to_bytes(HASH_BYTES))


def check_chain_proof(document: Any, network: Network, block_hash: bytes) -> OnChain:
    """Verify a chain proof against a block hash that comes from another source (rule 10.7).

    Raises:
        Malformed: The document is not a chain proof.
        WrongNetwork: The proof is for another network.
        BadProof: The proof does not lead from the block hash to its values.
    """
    try:
        return _check(document, network, block_hash)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"not a chain proof: {str(error)[:100]}") from error


def _check(document: Any, network: Network, block_hash: bytes) -> OnChain:
    if document["type"] != CHAIN_PROOF_TYPE:
        raise Malformed("not a chain proof")
    check_network(document["network"], network)
    name, item = hash_from_text(document["license"]), hash_from_text(document["item"])
    query = Query(address_from_text(document["grantee"]), document["purpose"])
    held = _license(document, network, name)
    wanted = places_of(held, item, query)
    header = stated_header(document["block"], block_hash)
    storage = _storage_root(document["account"], network, header.state)
    shown = document["places"]
    if len(shown) != len(wanted):
        raise BadProof("the proof does not show every place that rule 8.2 looks at")
    revoked_by = []
    for one, entry in zip(wanted, shown, strict=True):
        if address_from_text(entry["address"]) != one.address:
            raise BadProof("the proof states another address than the consent has")
        check_stated(entry, word=str(one.word), bit=one.bit, scope=one.scope)
        value = _slot_value(storage, word_slot(one.address, one.word), entry)
        if value >> one.bit & 1:
            revoked_by.append(one.scope or "")
    anchored = _anchor(document.get("anchor"), storage, name)
    block = header.number, header.time
    return OnChain(name, item, query.grantee, query.purpose, *block, tuple(revoked_by), anchored)


def _license(document: Any, network: Network, name: bytes) -> License:
    """Return the license in the proof; its digest is the license hash, so it is unchanged (10.7.2)."""
    envelope = decode(bytes_from_text(document["envelope"]), network)
    if envelope.message.kind != CONSENT or envelope.digest != name:
        raise BadProof("the consent in the proof is not the license that the proof names")
    return License(as_kind(envelope.message, Consent), envelope.items)


def _storage_root(stated: Any, network: Network, state: bytes) -> bytes:
    nodes = [bytes_from_text(one) for one in stated["account_proof"]]
    found = trie_value(state, keccak(network.registry), nodes)
    if found is None:
        raise BadProof("the registry does not exist in that block")
    account = decode_rlp(found)
    if not isinstance(account, list) or len(account) != _ACCOUNT_FIELDS:
        raise BadProof("the account has another form than Ethereum's")
    nonce, balance, storage, code = map(text_of, account)
    for name, number in (("nonce", nonce), ("balance", balance)):
        if _quantity(stated[name]) != int.from_bytes(number):
            raise BadProof(f"the proof states another {name} than the account has")
    check_stated(stated, storage_hash=hex_text(storage), code_hash=hex_text(code))
    return storage


def _slot_value(storage: bytes, slot: bytes, entry: Any) -> int:
    """Return the proved number in a slot; 0 if the proof shows that it is absent (10.7.5)."""
    found = trie_value(storage, keccak(slot), [bytes_from_text(one) for one in entry["proof"]])
    value = 0 if found is None else int.from_bytes(text_of(decode_rlp(found)))
    check_stated(entry, slot=hex_text(slot))
    if value != _quantity(entry["value"]):
        raise BadProof("the storage holds another value than the proof states")
    return value


def _quantity(text: Any) -> int:
    """Read an integer below 2^256 in hexadecimal digits without leading zeros; raises Malformed."""
    value = int(text, 16) if len(text) <= _QUANTITY_CHARS else -1
    if text != hex(value):
        raise Malformed("the proof has a number that is not 0x and 1 to 64 hexadecimal digits")
    return value


def _count(value: Any) -> int:
    if type(value) is not int:
        raise Malformed("the proof has a count or index that is not an integer")
    return value


def _anchor(entry: Any, storage: bytes, name: bytes) -> tuple[int, int] | None:
    """Return number and time of the block that dates the license (rules 10.2 and 10.5)."""
    if entry is None:
        return None
    root = hash_from_text(entry["root"])
    value = _slot_value(storage, anchor_slot(root), entry)
    if "batch" not in entry:
        return None
    batch = entry["batch"]
    proof = AnchorProof(
        hash_from_text("0x" + batch["sponsor"]),
        _count(batch["count"]),
        _count(batch["index"]),
        tuple(hash_from_text(one) for one in batch["path"]),
        hash_from_text(batch["tree"]),
    )
    proof.check(name, root)
    if not value:
        raise BadProof("the batch is not anchored in that block")
    return value >> 48 & (1 << 48) - 1, value & (1 << 48) - 1
