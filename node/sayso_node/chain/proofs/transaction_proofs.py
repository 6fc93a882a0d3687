"""Builds the receipt proof of a revocation from the stored proofs of its transactions (rule 10.10)."""

from typing import Any

from sayso_node.errors import NotFound, ProofUnavailable
from sayso_node.store.chain import archives, relays
from sayso_node.store.chain.archives import Archive, Archived
from sayso_node.store.interface import Reading
from sayso_protocol.ethereum.headers import read_header
from sayso_protocol.ethereum.transaction_proofs import TRANSACTION_PROOF_TYPE, bits_set
from sayso_protocol.ethereum.tries import index_key, trie_value
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network import Network
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import address_text, hex_text


def receipt_proof(db: Reading, network: Network, body: bytes) -> dict[str, Any]:
    """Return the proof for the revocation in this envelope.

    Raises:
        NotFound: Some of its bits are not on chain, as far as it was read.
        ProofUnavailable: Its bits are on chain, but some transactions have no stored proof.
    """
    envelope = decode(body, network)
    revocation = as_kind(envelope.message, Revocation)
    missing, landings = dict(revocation.bits), list[dict[str, Any]]()
    if relays.block_with(db, revocation.contributor, missing) is None:
        raise NotFound("some bits of this revocation are not on chain, as far as the chain was read")
    for number in relays.blocks_with(db, revocation.contributor, missing):
        archive = archives.archived(db, number)
        for one in archive.transactions if archive else ():
            assert archive  # noqa: S101 - blocks with transactions have an archive
            found = _bits(archive, one, network, revocation.contributor)
            if any(found.get(word, 0) & mask for word, mask in missing.items()):
                landings.append(_landing(archive, one))
                missing = {word: mask & ~found.get(word, 0) for word, mask in missing.items()}
    if any(missing.values()):
        raise ProofUnavailable(
            "the revocation is on chain, but the proof of its transactions is not stored, or not yet"
        )
    return {
        "type": TRANSACTION_PROOF_TYPE,
        "network": {"chain_id": network.chain_id, "registry": address_text(network.registry)},
        "digest": hex_text(envelope.digest),
        "envelope": hex_text(body),
        "landings": landings,
    }


def _bits(archive: Archive, one: Archived, network: Network, contributor: bytes) -> Masks:
    root = read_header(archive.header, archive.block.hash).receipts
    receipt = trie_value(root, index_key(one.place), one.receipt)
    assert receipt is not None  # noqa: S101 - only valid receipts are stored
    return bits_set(receipt, network.registry, contributor)


def _landing(archive: Archive, one: Archived) -> dict[str, Any]:
    return {
        "block": {
            "number": archive.block.number,
            "hash": hex_text(archive.block.hash),
            "header": hex_text(archive.header),
        },
        "index": one.place,
        "transaction": [hex_text(node) for node in one.transaction],
        "receipt": [hex_text(node) for node in one.receipt],
    }
