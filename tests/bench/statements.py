"""How fast a node takes statements in: verified and kept, beside consents of as many hashes.

From the bytes of a bundle of sync to rows in the store, in one transaction: decode, rules, notice,
digest, signatures of wallet and sponsor, parent rule, ranks, sums for sync. Each message has another
signer. What reaches the disk is measured by `store.durable_per_s`.
"""

from collections.abc import Iterator

from eth_account import Account
from hexbytes import HexBytes
from nacl.signing import SigningKey

from bench.consents import EXPIRES_AT, ISSUED_AT, NETWORK, consent
from bench.figure import REPEATS, Figure, rates
from sayso_node.intake.admissions import Circumstances, admit
from sayso_node.store.admission.keeper import Keeper
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.store.sqlite.connection import SqliteConnection
from sayso_node.store.tables.schema import SCHEMA
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.messages.envelope import Envelope, decode_all, encode
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.primitives import address_from_text, sha256
from sayso_protocol.signatures.wallets import EoaVerifier

MESSAGES, HASHES, LARGE = 400, 16, 1_024
SPONSOR = SigningKey(sha256(b"sponsor"))
KEY = bytes(SPONSOR.verify_key)
AT = Circumstances(
    Keeper(b"", Quotas(operators=frozenset({KEY}))), PendingRoom(), "bench", ISSUED_AT + 1, ISSUED_AT
)
LAB = sha256(b"lab")[:20]


def figures() -> Iterator[Figure]:
    """statements.*"""
    works, stores = {}, []
    for name, made, count, hashes in (
        ("ours", sublicense, MESSAGES, HASHES),
        ("consents", _consent, MESSAGES, HASHES),
        ("uses", use, MESSAGES, HASHES),
        ("sublicenses of 1", sublicense, MESSAGES, 1),
        ("consents of 1", _consent, MESSAGES, 1),
        ("sublicenses of 1,024", sublicense, 20, LARGE),
        ("consents of 1,024", _consent, 20, LARGE),
    ):
        envelopes = [made(number, hashes) for number in range(count)]
        waiting = [_store(envelopes) for _ in range(REPEATS)]
        stores += waiting
        works[name] = _taking([encode(one) for one in envelopes], waiting)
    seen = rates(works)
    peers = {name: rate for name, rate in seen.items() if name != "ours"}
    yield Figure("statements.per_core", seen["ours"], "messages/s", "higher", peers)
    for db in stores:
        db.close()


def _taking(bodies: list[bytes], stores: list[SqliteConnection]):  # type: ignore[no-untyped-def]
    left = iter(stores)

    def take() -> int:
        db = next(left)
        envelopes = [one for one in decode_all(bodies, NETWORK) if isinstance(one, Envelope)]
        for one in envelopes:
            one.check_signatures(EoaVerifier())
        db.execute("BEGIN")
        admitted = admit(db, envelopes, AT)
        db.execute("COMMIT")
        if admitted != [Admitted.STORED] * len(bodies):
            raise AssertionError("a message was not kept")
        return len(bodies)

    return take


def _store(envelopes: list[Envelope]) -> SqliteConnection:
    """Tables in memory, in which the licenses that are passed on or used are held by the signers."""
    db = SqliteConnection(":memory:", isolation_level=None)
    db.executescript(SCHEMA)
    some = ((one, each.message.signer) for each in envelopes for one in each.items)
    if not hasattr(envelopes[0].message, "contributor"):  # as many people as in the consents beside
        rows = ((one, -at, who, sha256(who)[:20]) for at, (one, who) in enumerate(some))
        db.executemany("INSERT INTO grants VALUES (?, ?, ?, ?)", rows)
    db.execute("INSERT INTO singles VALUES ('lot-key', x'00')")
    return db


def _consent(number: int, hashes: int) -> Envelope:
    return consent(number, hashes, grantee=LAB).sponsored_by(SPONSOR)


def sublicense(number: int, count: int) -> Envelope:
    """A sublicense of a signer of its own, signed and sponsored."""
    account, signer, hashes = _parts(number, count)
    message = Sublicense(
        signer,
        content_root(hashes),
        count,
        NO_PARENT,
        LAB,
        ("train-ai",),
        bytes(32),
        "",
        ISSUED_AT,
        EXPIRES_AT,
    )
    signature = bytes(account.unsafe_sign_hash(HexBytes(digest(message, NETWORK))).signature)
    return Envelope(message, NETWORK, signature, hashes).sponsored_by(SPONSOR)


def use(number: int, count: int) -> Envelope:
    """A use, likewise."""
    account, signer, hashes = _parts(number, count)
    message = Use(signer, content_root(hashes), count, "train-ai", "run", bytes(32), ISSUED_AT)
    signature = bytes(account.unsafe_sign_hash(HexBytes(digest(message, NETWORK))).signature)
    return Envelope(message, NETWORK, signature, hashes).sponsored_by(SPONSOR)


def _parts(number: int, count: int):  # type: ignore[no-untyped-def]
    account = Account.from_key(sha256(b"bench %d" % number))
    hashes = tuple(sorted(sha256(b"%d/%d" % (number, index)) for index in range(count)))
    return account, address_from_text(account.address), hashes
