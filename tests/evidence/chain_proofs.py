"""A chain proof from tries of this file's own (rule 10.6): no chain is needed to have one."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sayso_protocol.ethereum.batches import Batch
from sayso_protocol.ethereum.chain_proofs import CHAIN_PROOF_TYPE, anchor_slot, word_slot
from sayso_protocol.ethereum.trie_building import _below, _halves, _node
from sayso_protocol.ethereum.tries import encode_rlp, number_bytes
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text, hex_text, keccak, sha256
from sayso_protocol.verdicts.covering import Place, covering
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License

Json = dict[str, Any]
BLOCK, TIME = 19, 1_750_000_000


class SecureTrie(NamedTuple):
    """A trie under the hashes of its keys, as Ethereum's state and storage."""

    root: bytes
    nodes: dict[bytes, bytes]

    def proof(self, key: bytes) -> list[str]:
        path, found, name = _halves(keccak(key)), list[str](), self.root
        while name in self.nodes:
            found.append(hex_text(self.nodes[name]))
            name, path = _below(self.nodes[name], path)
        return found


def secure_trie(values: dict[bytes, bytes]) -> SecureTrie:
    nodes: dict[bytes, bytes] = {}
    top = encode_rlp(_node(sorted((_halves(keccak(key)), one) for key, one in values.items()), nodes))
    nodes[keccak(top)] = top
    return SecureTrie(keccak(top), nodes)


class ChainProof(NamedTuple):
    """A proof as JSON, and the hash of its block."""

    document: Json
    block_hash: bytes


def chain_proof(
    envelope: Envelope,
    network: Network,
    item: bytes,
    query: Query,
    shown: Callable[[Place], int] = lambda place: int(place.scope is None) << place.bit,
    *,
    is_anchored: bool = True,
) -> ChainProof:
    """Prove the words of a permission, by default that its own bit is set, and its license's anchor.

    Args:
        envelope: The consent.
        network: Its network.
        item: The item hash.
        query: Who asks, for what.
        shown: The bits of the word of a place.
        is_anchored: Whether the root of the license's batch stands in the registry.
    """
    held = License(as_kind(envelope.message, Consent), envelope.items)
    position = held.items.index(item)
    places = [one.at(held.consent, position, item) for one in covering(held.consent, query)]
    batch = Batch(sha256(b"node key"), (keccak(b"another"), envelope.digest, keccak(b"third")))
    slots = {word_slot(one.address, one.word): bits for one in places if (bits := shown(one))}
    slots |= {anchor_slot(batch.root): BLOCK << 48 | TIME} if is_anchored else {}
    slots[bytes(32)] = 7
    storage = secure_trie({slot: encode_rlp(number_bytes(value)) for slot, value in slots.items()})
    state, header = _state_and_header(network, storage.root)

    def slot_json(slot: bytes) -> Json:
        value = hex(slots.get(slot, 0))
        return {"slot": hex_text(slot), "value": value, "proof": storage.proof(slot)}

    document: Json = {
        "type": CHAIN_PROOF_TYPE,
        "network": {"chain_id": network.chain_id, "registry": address_text(network.registry)},
        "license": hex_text(envelope.digest),
        "item": hex_text(item),
        "grantee": address_text(query.grantee),
        "purpose": query.purpose,
        "envelope": hex_text(encode(envelope)),
        "block": {"number": BLOCK, "hash": hex_text(keccak(header)), "header": hex_text(header)},
        "account": _account_json(state, storage.root, network),
        "places": [_place_json(one) | slot_json(word_slot(one.address, one.word)) for one in places],
        "anchor": {"root": hex_text(batch.root)}
        | slot_json(anchor_slot(batch.root))
        | {"batch": _batch_json(batch)},
    }
    return ChainProof(document, keccak(header))


def _place_json(place: Place) -> Json:
    return {
        "address": address_text(place.address),
        "word": str(place.word),
        "bit": place.bit,
        "scope": place.scope,
    }


def _state_and_header(network: Network, storage: bytes) -> tuple[SecureTrie, bytes]:
    """The state with the registry's account, and the header of a block with that state."""
    account = [number_bytes(1), number_bytes(5), storage, keccak(b"code")]
    state = secure_trie({network.registry: encode_rlp(account), bytes(20): encode_rlp([b"", b""])})
    numbers = [0, BLOCK, 30_000_000, 70_000, TIME]
    hashes = [sha256(b"parent"), sha256(b"uncles"), bytes(20), state.root, bytes(32), bytes(32)]
    fields = [*hashes, bytes(256), *map(number_bytes, numbers), b"sayso", bytes(32), bytes(8)]
    return state, encode_rlp(fields)


def _account_json(state: SecureTrie, storage: bytes, network: Network) -> Json:
    return {
        "account_proof": state.proof(network.registry),
        "balance": hex(5),
        "nonce": hex(1),
        "code_hash": hex_text(keccak(b"code")),
        "storage_hash": hex_text(storage),
    }


def _batch_json(batch: Batch) -> Json:
    proof = batch.proof(1)
    return {
        "sponsor": proof.sponsor.hex(),
        "count": proof.count,
        "index": proof.index,
        "path": [hex_text(one) for one in proof.path],
        "tree": hex_text(proof.tree),
    }
