"""In which transactions a revocation came to the chain, whose they were and when: rules 10.10 to 10.12.

The proof holds each transaction and its receipt as they stand in a block's tries, so it convinces who
trusts the hashes of those blocks alone. Endpoints forget old receipts; whoever kept this needs none.
"""

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from sayso_protocol.errors import BadProof, Malformed, WrongNetwork
from sayso_protocol.ethereum.headers import read_header
from sayso_protocol.ethereum.transactions import logs_of, sender_of
from sayso_protocol.ethereum.tries import index_key, trie_value
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import REVOCATION, as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network import Network
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import (
    HASH_BYTES,
    address_from_text,
    bytes_from_text,
    hash_from_text,
    keccak,
)

TRANSACTION_PROOF_TYPE: Final = "sayso-receipt-proof-1"
REVOKED_TOPIC: Final = keccak(b"Revoked(address,uint248,uint256)")


class Landing(NamedTuple):
    """A transaction that set bits of the revocation.

    Attributes:
        number: The block's height.
        time: The block's time, seconds since the epoch.
        place: The transaction's index in the block.
        tx_hash: Of the transaction.
        sender: Who signed and paid it, 20 bytes: the contributor, or anybody who relayed it.
        bits: Those of the revocation that it set.
    """

    number: int
    time: int
    place: int
    tx_hash: bytes
    sender: bytes
    bits: Masks


class LandedRevocation(NamedTuple):
    """What was proved: all bits of a revocation stand on chain, by these transactions, in order."""

    digest: bytes
    contributor: bytes
    landings: tuple[Landing, ...]


def check_receipt_proof(
    document: Any, network: Network, block_hashes: Collection[bytes]
) -> LandedRevocation:
    """Rule 10.11: what a proof shows, of blocks whose hashes come from somewhere else.

    Raises:
        Malformed: It is not a receipt proof.
        WrongNetwork: It is of another network.
        BadProof: It does not lead from these hashes to what it says.
    """
    try:
        return _check(document, network, block_hashes)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"not a receipt proof: {str(error)[:100]}") from error


def bits_set(receipt: bytes, registry: bytes, contributor: bytes) -> Masks:
    """The bits of a contributor that the transaction of this receipt set; raises BadProof."""
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
    place = document["network"]
    if Network(place["chain_id"], address_from_text(place["registry"])) != network:
        raise WrongNetwork("the proof is of another network")
    envelope = decode(bytes_from_text(document["envelope"]), network)
    if envelope.message.kind != REVOCATION or envelope.digest != hash_from_text(document["digest"]):
        raise BadProof("the revocation in the proof is another one")
    revocation = as_kind(envelope.message, Revocation)
    if not isinstance(document["landings"], list):
        raise Malformed("the proof has no list of transactions")
    missing, landings = dict(revocation.bits), list[Landing]()
    for said in document["landings"]:
        landing = _landing(said, network, revocation, missing, block_hashes)
        if landings and landings[-1][:3:2] >= landing[:3:2]:
            raise BadProof("the transactions of the proof are not in their order")
        landings.append(landing)
        missing = {word: mask & ~landing.bits.get(word, 0) for word, mask in missing.items()}
    if any(missing.values()):
        raise BadProof("the proof does not show every bit of the revocation")
    return LandedRevocation(envelope.digest, revocation.contributor, tuple(landings))


def _landing(
    said: Any, network: Network, revocation: Revocation, missing: Masks, trusted: Collection[bytes]
) -> Landing:
    raw = bytes_from_text(said["block"]["header"])
    block_hash = keccak(raw)
    if block_hash not in trusted:
        raise BadProof("a header of the proof is that of no block that was named")
    header, index = read_header(raw, block_hash), said["index"]
    if type(index) is not int or not 0 <= index < 1 << 32:
        raise Malformed("the place of a transaction is a number")
    transaction = _under(header.transactions, index, said["transaction"])
    receipt = _under(header.receipts, index, said["receipt"])
    found = bits_set(receipt, network.registry, revocation.contributor)
    bits = {word: found[word] & mask for word, mask in missing.items() if found.get(word, 0) & mask}
    if not bits:
        raise BadProof("a transaction of the proof set no bit that an earlier one had left")
    sender = sender_of(transaction)
    return Landing(header.number, header.time, index, keccak(transaction), sender, bits)


def _under(root: bytes, index: int, nodes: list[str]) -> bytes:
    found = trie_value(root, index_key(index), [bytes_from_text(one) for one in nodes])
    if found is None:
        raise BadProof("there is no such transaction in the block")
    return found
