"""What the contract's storage says of one permission, proved to somebody who trusts a block hash alone.

Rules 10.5 to 10.9. The proof holds every place that rule 8.2 looks at, so it shows that a permission is
revoked on that chain, or that it is not. A revocation that only nodes know of stands in none of them.
"""

from dataclasses import dataclass
from typing import Any, Final

from sayso_protocol.errors import BadProof, Malformed, WrongNetwork
from sayso_protocol.ethereum.batches import AnchorProof
from sayso_protocol.ethereum.headers import read_header
from sayso_protocol.ethereum.tries import decode_rlp, text_of, trie_value
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import CONSENT, as_kind
from sayso_protocol.network import Network
from sayso_protocol.primitives import (
    HASH_BYTES,
    address_from_text,
    bytes_from_text,
    hash_from_text,
    keccak,
)
from sayso_protocol.verdicts.covering import Place, covering
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, LicenseView

CHAIN_PROOF_TYPE: Final = "sayso-chain-proof-1"
ANCHORS_SLOT: Final = 0
BITS_SLOT: Final = 1
_STORAGE_ROOT: Final = 2  # where an account has it
_ACCOUNT_FIELDS: Final = 4


@dataclass(frozen=True)
class OnChain:
    """What was proved.

    Attributes:
        license: The license hash.
        item: The item hash.
        purpose: For what.
        number: The block's height.
        time: The block's time, seconds since the epoch.
        revoked_by: What speaks against it in that block: scopes, and "" for the permission's own bit.
        anchored_in: The block that dates the license, and its time; None if that is not in the proof.
    """

    license: bytes
    item: bytes
    purpose: str
    number: int
    time: int
    revoked_by: tuple[str, ...]
    anchored_in: tuple[int, int] | None


def places_of(held: LicenseView, item: bytes, purpose: str) -> list[Place]:
    """Every place that rule 8.2 looks at; raises BadProof if the consent has no such item or purpose."""
    consent, position = held.consent, held.position_of(item)
    if position is None or purpose not in consent.purposes:
        raise BadProof("the consent has no such item or purpose")
    covers = covering(consent, Query(consent.grantee, purpose))
    return [one.at(consent, position, item) for one in covers]


def word_slot(address: bytes, word: int) -> bytes:
    """Rule 10.5: where the bits of a word stand."""
    outer = keccak(address.rjust(HASH_BYTES, b"\0") + BITS_SLOT.to_bytes(HASH_BYTES))
    return keccak(word.to_bytes(HASH_BYTES) + outer)


def anchor_slot(root: bytes) -> bytes:
    """Rule 10.5: where an anchor stands."""
    return keccak(root + ANCHORS_SLOT.to_bytes(HASH_BYTES))


def check_chain_proof(document: Any, network: Network, block_hash: bytes) -> OnChain:
    """What a proof shows of the block of this hash, which must come from somewhere else.

    Raises:
        Malformed: It is not a chain proof.
        WrongNetwork: It is of another network.
        BadProof: It does not lead from the block's hash to what it says.
    """
    try:
        return _check(document, network, block_hash)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"not a chain proof: {str(error)[:100]}") from error


def _check(document: Any, network: Network, block_hash: bytes) -> OnChain:
    if document["type"] != CHAIN_PROOF_TYPE:
        raise Malformed("not a chain proof")
    place = document["network"]
    if Network(place["chain_id"], address_from_text(place["registry"])) != network:
        raise WrongNetwork("the proof is of another network")
    name, item = hash_from_text(document["license"]), hash_from_text(document["item"])
    purpose = document["purpose"]
    held = _license(document, network, name)
    wanted = places_of(held, item, purpose)
    header = read_header(bytes_from_text(document["block"]["header"]), block_hash)
    storage = _storage_root(document, network, header.state)
    shown = document["places"]
    if len(shown) != len(wanted):
        raise BadProof("the proof does not show every place that rule 8.2 looks at")
    revoked_by = []
    for one, said in zip(wanted, shown, strict=True):
        value = _slot_value(storage, word_slot(one.address, one.word), said)
        if value >> one.bit & 1:
            revoked_by.append(one.scope or "")
    anchored = _anchor(document.get("anchor"), storage, name)
    return OnChain(name, item, purpose, header.number, header.time, tuple(revoked_by), anchored)


def _license(document: Any, network: Network, name: bytes) -> License:
    """The consent that comes along: its digest is the license hash, so nobody can have changed it."""
    envelope = decode(bytes_from_text(document["envelope"]), network)
    if envelope.message.kind != CONSENT or envelope.digest != name:
        raise BadProof("the consent in the proof is another one")
    return License(as_kind(envelope.message, Consent), envelope.items)


def _storage_root(document: Any, network: Network, state: bytes) -> bytes:
    nodes = [bytes_from_text(one) for one in document["account"]["account_proof"]]
    found = trie_value(state, keccak(network.registry), nodes)
    if found is None:
        raise BadProof("there is no registry in that block")
    account = decode_rlp(found)
    if not isinstance(account, list) or len(account) != _ACCOUNT_FIELDS:
        raise BadProof("the account is not one")
    return text_of(account[_STORAGE_ROOT])


def _slot_value(storage: bytes, slot: bytes, said: Any) -> int:
    """The number in a slot; 0 if it is proved to be absent."""
    found = trie_value(storage, keccak(slot), [bytes_from_text(one) for one in said["proof"]])
    value = 0 if found is None else int.from_bytes(text_of(decode_rlp(found)))
    if value != int(said["value"], 16):
        raise BadProof("the storage holds another value than the proof says")
    return value


def _anchor(said: Any, storage: bytes, name: bytes) -> tuple[int, int] | None:
    """The block that dates the license, and its time (rules 10.2 and 10.5)."""
    if said is None or "batch" not in said:
        return None
    root, batch = hash_from_text(said["root"]), said["batch"]
    proof = AnchorProof(
        bytes.fromhex(batch["sponsor"]),
        batch["count"],
        batch["index"],
        tuple(hash_from_text(one) for one in batch["path"]),
        hash_from_text(batch["tree"]),
    )
    proof.check(name, root)
    value = _slot_value(storage, anchor_slot(root), said)
    if not value:
        raise BadProof("the batch is not anchored in that block")
    return value >> 48 & (1 << 48) - 1, value & (1 << 48) - 1
