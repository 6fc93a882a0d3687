"""Transaction receipt proofs: which transactions brought a revocation on chain (rules 10.10 to 10.12).

A proof holds each transaction and its transaction receipt from the tries of its block, so a checker
needs only the hashes of those blocks. Endpoints forget old transaction receipts; a kept proof remains
valid.
"""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from sayso_protocol.errors import BadProof, Malformed
from sayso_protocol.ethereum.headers import check_network, stated_header
from sayso_protocol.ethereum.transactions import is_signed, logs_of, sender_of
from sayso_protocol.ethereum.tries import index_key, trie_value
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import REVOCATION, as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network import Network
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import (
    HASH_BYTES,
    bytes_from_text,
    hash_from_text,
    keccak,
)

TRANSACTION_PROOF_TYPE: Final = "sayso-receipt-proof-1"
REVOKED_TOPIC: Final = keccak(b"Revoked(address,uint248,uint256)")


class Landing(NamedTuple):
    """Landing is a transaction that set bits of a revocation (rule 10.10).

    Attributes:
        number: The block's height.
        time: The block's time, seconds since the epoch.
        place: The transaction's index in the block.
        tx_hash: The transaction's hash, 32 bytes.
        sender: The address that signed and paid, 20 bytes: the contributor or a relayer.
        is_signed: False if the sender stands in the transaction without a signature (rule 10.11.12).
        bits: The revocation's bits that the transaction set.
    """

    number: int
    time: int
    place: int
    tx_hash: bytes
    sender: bytes
    is_signed: bool
    bits: Masks


class LandedRevocation(NamedTuple):
    """LandedRevocation names the transactions that set all bits of a revocation (rule 10.11)."""

    digest: bytes
    contributor: bytes
    landings: tuple[Landing, ...]


def check_receipt_proof(
    document: Any, network: Network, block_hashes: Collection[bytes]
) -> LandedRevocation:
    """Verify a transaction receipt proof against block hashes from another source (rule 10.11).

    Raises:
        Malformed: The document is not a transaction receipt proof.
        WrongNetwork: The proof is for another network.
        BadProof: The proof does not lead from these hashes to its values.
    """
    try:
        return _check(document, network, block_hashes)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"not a receipt proof: {str(error)[:100]}") from error


def bits_set(receipt: bytes, registry: bytes, contributor: bytes) -> Masks:
    """Return the contributor's bits that an encoded transaction receipt shows; raises BadProof."""
    found: Masks = {}
    topics = (REVOKED_TOPIC, contributor.rjust(HASH_BYTES, b"\0"))
    for log in logs_of(receipt):
        if log.address == registry and log.topics == topics and len(log.data) == 2 * HASH_BYTES:
            word, bits = int.from_bytes(log.data[:HASH_BYTES]), int.from_bytes(log.data[HASH_BYTES:])
            found[word] = found.get(word, 0) | bits
    return found


def _check(document: Any, network: Network, block_hashes: Collection[bytes]) -> LandedRevocation:
    if document["type"] != TRANSACTION_PROOF_TYPE:
        raise Malformed("not a receipt proof")
    check_network(document["network"], network)
    envelope = decode(bytes_from_text(document["envelope"]), network)
    if envelope.message.kind != REVOCATION or envelope.digest != hash_from_text(document["digest"]):
        raise BadProof("the revocation in the proof does not have the digest that the proof names")
    revocation = as_kind(envelope.message, Revocation)
    if not isinstance(document["landings"], list):
        raise Malformed("the proof has no list of transactions")
    missing, landings = dict(revocation.bits), list[Landing]()
    for entry in document["landings"]:
        landing = _landing(entry, network, revocation, missing, block_hashes)
        if landings and landings[-1][:3:2] >= landing[:3:2]:
            raise BadProof("the transactions of the proof are not in the order of the chain")
        landings.append(landing)
        missing = {word: mask & ~landing.bits.get(word, 0) for word, mask in missing.items()}
    if any(missing.values()):
        raise BadProof("the proof does not show every bit of the revocation")
    return LandedRevocation(envelope.digest, revocation.contributor, tuple(landings))


def _landing(
    entry: Any, network: Network, revocation: Revocation, missing: Masks, trusted: Collection[bytes]
) -> Landing:
    block_hash = keccak(bytes_from_text(entry["block"]["header"]))
    if block_hash not in trusted:
        raise BadProof("a header of the proof does not have a given block hash")
    header, index = stated_header(entry["block"], block_hash), entry["index"]
    if type(index) is not int or not 0 <= index < 1 << 32:
        raise Malformed("the index of a transaction must be a number below 2^32")
    transaction = _under(header.transactions, index, entry["transaction"])
    receipt = _under(header.receipts, index, entry["receipt"])
    found = bits_set(receipt, network.registry, revocation.contributor)
    bits = {word: found[word] & mask for word, mask in missing.items() if found.get(word, 0) & mask}
    if not bits:
        raise BadProof("a transaction of the proof set no further bit of the revocation")
    who = sender_of(transaction), is_signed(transaction)
    return Landing(header.number, header.time, index, keccak(transaction), *who, bits)


def _under(root: bytes, index: int, nodes: list[str]) -> bytes:
    found = trie_value(root, index_key(index), [bytes_from_text(one) for one in nodes])
    if found is None:
        raise BadProof("the block has no such transaction")
    return found
