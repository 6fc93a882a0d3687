"""Vectors of receipt proofs, right ones and others (rules 10.10 to 10.12)."""

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

from eth_account import Account

from sayso_contracts.registry.calls import Calls, SignedRevocation
from sayso_protocol.ethereum.transaction_proofs import (
    REVOKED_TOPIC,
    TRANSACTION_PROOF_TYPE,
    check_receipt_proof,
)
from sayso_protocol.ethereum.trie_building import trie_over
from sayso_protocol.ethereum.tries import encode_rlp, number_bytes
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.primitives import address_text, hex_text, keccak, sha256
from support.protocol_strategies import ADA, BEN, NETWORK, signed
from vectors.texts import code_of

Json = dict[str, Any]
REGISTRY = address_text(NETWORK.registry)
REVOCATION = Revocation(BEN, ("via kled.ai", "everything for train-ai"), (0, 64), (3, 5))
VIA, TRAINING = (scope_word(scope) for scope in REVOCATION.scopes)
RELAYER, OWNER = Account.from_key(sha256(b"relayer")), Account.from_key(sha256(b"owner"))
FEES: Json = {"maxFeePerGas": 30, "maxPriorityFeePerGas": 2}
KINDS: dict[str, Json] = {
    "plain": {"gasPrice": 20},
    "with an access list": {"type": 1, "gasPrice": 20, "accessList": []},
    "with fees": {"type": 2, **FEES},
    "with code": {"type": 4, **FEES},
}
MANDATE = OWNER.sign_authorization({"chainId": 31337, "address": REGISTRY, "nonce": 0})
KINDS["with code"]["authorizationList"] = [MANDATE]


UNSIGNED: dict[str, tuple[int, list[bytes]]] = {  # kind, and its fields but for those of the call
    "deposited on the OP Stack": (0x7E, [sha256(b"source"), ADA]),
    "unsigned on Arbitrum": (0x65, [number_bytes(31_337), ADA, b"", number_bytes(20)]),
    "of a contract on Arbitrum": (0x66, [number_bytes(31_337), sha256(b"request"), ADA, b"\x14"]),
    "a retry on Arbitrum": (0x68, [number_bytes(31_337), b"", ADA, number_bytes(20)]),
}


class Block(NamedTuple):
    """A block of this file's own."""

    number: int
    transactions: list[bytes]
    receipts: list[bytes]
    header: bytes

    def landing(self, index: int) -> Json:
        return {
            "block": {
                "number": self.number,
                "hash": hex_text(keccak(self.header)),
                "header": hex_text(self.header),
            },
            "index": index,
            "transaction": [hex_text(one) for one in trie_over(self.transactions).proof(index)],
            "receipt": [hex_text(one) for one in trie_over(self.receipts).proof(index)],
        }


def transaction(kind: str, account: Any = RELAYER, nonce: int = 0) -> bytes:
    """A transaction that calls the registry."""
    data = Calls(REGISTRY).relay([SignedRevocation(REVOCATION, NETWORK.chain_id, bytes(65))]).data
    what = {"chainId": 31337, "nonce": nonce, "to": REGISTRY, "value": 0, "gas": 200_000, "data": data}
    return bytes(account.sign_transaction(what | KINDS[kind]).raw_transaction)


def unsigned_transaction(name: str) -> bytes:
    """A transaction that the chain carries out in the name of somebody who did not sign it."""
    kind, first = UNSIGNED[name]
    data = Calls(REGISTRY).relay([SignedRevocation(REVOCATION, NETWORK.chain_id, bytes(65))]).data
    gas, call = number_bytes(200_000), bytes(data)
    rest = {
        0x7E: [NETWORK.registry, b"", b"", gas, b"", call],
        0x68: [gas, NETWORK.registry, b"", call, sha256(b"ticket"), ADA, b"", b""],
    }
    return bytes([kind]) + encode_rlp([*first, *rest.get(kind, [gas, NETWORK.registry, b"", call])])


def receipt(kind: bytes, logs: Sequence[Any], status: bytes = b"\1") -> bytes:
    """A receipt with these events."""
    return kind + encode_rlp([status, number_bytes(70_000), bytes(256), list(logs)])


def event(word: int, bits: int, contributor: bytes = BEN, registry: bytes = NETWORK.registry) -> Any:
    """What the registry logs when it sets bits."""
    topics = [REVOKED_TOPIC, contributor.rjust(32, b"\0")]
    return [registry, topics, word.to_bytes(32) + bits.to_bytes(32)]


def block(number: int, *pairs: tuple[bytes, bytes]) -> Block:
    """A block with these transactions and receipts."""
    transactions, receipts = [one for one, _ in pairs], [one for _, one in pairs]
    roots = [sha256(b"state"), trie_over(transactions).root, trie_over(receipts).root]
    numbers = [0, number, 30_000_000, 70_000, 1_750_000_000 + number]
    fields = [sha256(b"parent %d" % number), sha256(b"uncles"), bytes(20), *roots, bytes(256)]
    fields += [*map(number_bytes, numbers), b"sayso", bytes(32), bytes(8), number_bytes(7)]
    return Block(number, transactions, receipts, encode_rlp(fields))


ALL = [event(VIA, 1), event(TRAINING, 1), event(0, 3), event(64, 5)]
OTHER = (transaction("plain", OWNER), receipt(b"", []))
TYPE_BYTE = {"plain": b"", "with an access list": b"\1", "with fees": b"\2", "with code": b"\4"}


def _alone(kind: str, logs: Sequence[Any] = ALL, status: bytes = b"\1") -> Block:
    return block(100, OTHER, (transaction(kind), receipt(TYPE_BYTE[kind], logs, status)))


FIRST = block(100, (transaction("with fees"), receipt(b"\2", [event(VIA, 1), event(0, 1)])))
SECOND = block(
    103,
    OTHER,
    (transaction("plain", OWNER), receipt(b"", [event(0, 2), event(7, 1), event(64, 4)])),
    (transaction("with fees", nonce=1), receipt(b"\2", [event(TRAINING, 1), event(64, 3)])),
)
# More than 128 transactions: their indexes take two bytes, so the tries are deeper.
FULL = block(104, *[OTHER] * 140, (transaction("with fees"), receipt(b"\2", ALL)))


BY_ADA = [event(word, bits, ADA) for word, bits in REVOCATION.bits.items()]
ELSEWHERE = [event(word, bits, registry=ADA) for word, bits in REVOCATION.bits.items()]
LANDINGS = {
    "first": (FIRST, 0),
    "second, own": (SECOND, 1),
    "second, relayed": (SECOND, 2),
    "full block": (FULL, 140),
    "somebody else's bits": (_alone("with fees", BY_ADA), 1),
    "another contract's events": (_alone("with fees", ELSEWHERE), 1),
    "another event": (
        _alone("with fees", [[one[0], [keccak(b"Other()"), one[1][1]], one[2]] for one in ALL]),
        1,
    ),
    "a block that nobody named": (block(108, OTHER, (transaction("with fees"), receipt(b"\2", ALL))), 1),
    "reverted": (_alone("with fees", ALL, b""), 1),
    **{kind: (_alone(kind), 1) for kind in KINDS},
}
for _name, (_kind, _) in UNSIGNED.items():
    _pair = (unsigned_transaction(_name), receipt(bytes([_kind]), ALL))
    LANDINGS[_name] = (block(105, OTHER, _pair), 1)
_pair = (
    unsigned_transaction("deposited on the OP Stack"),
    receipt(b"\x7e", ALL)[:1] + encode_rlp([b"\1", number_bytes(70_000), bytes(256), ALL, b"\7", b"\1"]),
)
LANDINGS["deposited, with a version"] = (block(106, OTHER, _pair), 1)
_pair = (b"\x6a" + encode_rlp([number_bytes(31_337), b""]), receipt(b"\x6a", ALL))
LANDINGS["of a kind without a sender"] = (block(107, OTHER, _pair), 1)
THREE = ("first", "second, own", "second, relayed")
HEADER = hex_text(FIRST.header)
RECEIPT = FIRST.landing(0)["receipt"]
OTHER_REVOCATION = signed(Revocation(ADA, ("everything",)))
# Of which landings a proof is made, and what is changed in it then: where, and to what.
Change = tuple[list[Any], Any]
RIGHT: dict[str, tuple[str, ...]] = {
    **{f"a transaction {kind}": (kind,) for kind in KINDS},
    **{f"a transaction {kind}": (kind,) for kind in UNSIGNED},
    "a transaction deposited, with a version": ("deposited, with a version",),
    "a transaction of a kind without a sender": ("of a kind without a sender",),
    "three transactions": THREE,
    "a full block": ("full block",),
    "a transaction too few": THREE[:2],
    "none": (),
    "one twice": ("first", *THREE),
    "in another order": ("second, own", "first", "second, relayed"),
    "one that set nothing of it": (*THREE, "full block"),
    "somebody else's bits": ("somebody else's bits",),
    "another contract's events": ("another contract's events",),
    "another event": ("another event",),
    "a block that nobody named": ("a block that nobody named",),
    "one that was reverted": ("reverted",),
}
CHANGES: dict[str, Change] = {
    "another type": (["type"], "sayso-chain-proof-1"),
    "another chain": (["network", "chain_id"], 1),
    "another revocation": (["envelope"], hex_text(encode(OTHER_REVOCATION))),
    "another digest": (["digest"], hex_text(OTHER_REVOCATION.digest)),
    "a transaction without its nodes": (["landings", 2, "transaction"], []),
    "a receipt without its nodes": (["landings", 2, "receipt"], RECEIPT),
    "another place": (["landings", 1, "index"], 0),
    "a place that is not there": (["landings", 1, "index"], 9),
    "a place as text": (["landings", 1, "index"], "1"),
    "another header": (["landings", 0, "block", "header"], HEADER[:-2] + "08"),
    "another height": (["landings", 0, "block", "number"], 99),
    "a height as text": (["landings", 0, "block", "number"], "100"),
    "another block hash": (["landings", 1, "block", "hash"], hex_text(keccak(FIRST.header))),
    "no header": (["landings", 0, "block"], {}),
    "nodes in capitals": (["landings", 0, "receipt", 0], "0x" + RECEIPT[0][2:].upper()),
    "no list": (["landings"], {}),
}


def document() -> Json:
    """A proof as the API gives it away, without its landings."""
    envelope: Envelope = signed(REVOCATION)
    return {
        "type": TRANSACTION_PROOF_TYPE,
        "network": {"chain_id": NETWORK.chain_id, "registry": REGISTRY},
        "digest": hex_text(envelope.digest),
        "envelope": hex_text(encode(envelope)),
        "landings": [],
    }


def proof_of(case: Json, published: Json) -> Json:
    """The proof that a case describes."""
    proof: Json = copy.deepcopy(published["proof"])
    proof["landings"] = [copy.deepcopy(published["landings"][name]) for name in case["landings"]]
    for path, value in case["changes"]:
        inside: Any = proof
        for name in path[:-1]:
            inside = inside[name]
        inside[path[-1]] = value
    return proof


def landings() -> Json:
    """Proofs, against the hashes of the blocks of this file."""
    named = (one for name, (one, _) in LANDINGS.items() if name != "a block that nobody named")
    trusted = sorted({keccak(one.header) for one in named})
    published: Json = {
        "blocks": [hex_text(one) for one in trusted],
        "proof": document(),
        "landings": {name: one.landing(index) for name, (one, index) in LANDINGS.items()},
        "proofs": [],
    }
    cases: list[tuple[str, tuple[str, ...], list[Change]]]
    cases = [(name, names, []) for name, names in RIGHT.items()]
    cases += [(name, THREE, [change]) for name, change in CHANGES.items()]
    for name, names, changes in cases:
        case: Json = {"name": name, "landings": names, "changes": changes}
        proof = proof_of(case, published)
        case["code"] = code_of(lambda one: check_receipt_proof(one, NETWORK, trusted), proof)
        if case["code"] is None:
            case["found"] = _found(proof, trusted)
        published["proofs"].append(case)
    return published


def _found(proof: Json, trusted: list[bytes]) -> list[Json]:
    return [
        {
            "number": one.number,
            "time": one.time,
            "index": one.place,
            "transaction": hex_text(one.tx_hash),
            "sender": hex_text(one.sender),
            "signed": one.is_signed,
            "bits": [
                [hex_text(word.to_bytes(32)), hex_text(mask.to_bytes(32))]
                for word, mask in sorted(one.bits.items())
            ],
        }
        for one in check_receipt_proof(proof, NETWORK, trusted).landings
    ]
