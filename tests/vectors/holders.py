"""Statements (rules 3.11 to 3.15): valid ones, and ones that nobody may take in, with the code."""

from collections.abc import Sequence
from typing import Any

from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.encoding.packing import pack
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.kinds import KINDS
from sayso_protocol.messages.message import DISPUTE, REMOVAL, SUBLICENSE, USE
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, contributor_hash
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.primitives import hex_text, sha256
from support import holders
from support.holders import KEYS, LABS, T
from support.protocol_strategies import ADA, BEN, NETWORK
from vectors.refused import listed
from vectors.sealing import Cases, around, field, fields_of, sealed

Json = dict[str, Any]
DAN = LABS[0]
HASHES = tuple(sorted(sha256(b"license %d" % number) for number in range(3)))
MANY = tuple(sorted(sha256(b"license %d" % number) for number in range(1_024)))
BASE = {
    SUBLICENSE: holders.sublicense(BEN, DAN, HASHES),
    USE: holders.use(BEN, HASHES),
    REMOVAL: holders.removal(BEN, HASHES),
    DISPUTE: holders.dispute(ADA, HASHES),
}
NOTICE, SIGNER, CONTENT, COUNT = range(4)
TREES = {kind: sealed(kind, fields_of(one.message), HASHES) for kind, one in BASE.items()}
_WITHOUT_NOTICE = (253_402_300_800, "people")  # what no notice can say


def _valid() -> dict[str, Envelope]:
    whole = {f"{len(MANY):,} hashes": holders.sublicense(BEN, DAN, MANY)}
    people = [contributor_hash(one) for one in (ADA, BEN)]
    longest = tuple(f"p{number:02}" for number in range(16))
    return {
        "sublicense": BASE[SUBLICENSE],
        "sublicense of a sublicense": holders.sublicense(
            DAN, BEN, HASHES[:1], BASE[SUBLICENSE].digest, purposes=longest
        ),
        "ten years": holders.sublicense(BEN, DAN, HASHES, expires_at=T + 315_619_200),
        **whole,
        "use": BASE[USE],
        "use without a run": holders.use(BEN, HASHES, ""),
        "use in a run of 64 characters": holders.use(BEN, HASHES, "r" * 64),
        "removal": BASE[REMOVAL],
        "removal as of block 0": holders.removal(BEN, HASHES, 0),
        "removal as of the highest block": holders.removal(BEN, HASHES, 2**53 - 1),
        "use of one license": holders.use(BEN, HASHES[:1]),
        "use in the last second of the year 9999": holders.use(BEN, HASHES, used_at=253_402_300_799),
        "removal as of block 128": holders.removal(BEN, HASHES, 128),
        "removal as of block 255": holders.removal(BEN, HASHES, 255),
        "sublicense for a purpose of 31 characters, of terms at 255 bytes": _sealed(
            SUBLICENSE, purposes=("p" * 31,), terms_uri="https://" + "k" * 247
        ),
        "removal of one license": holders.removal(BEN, HASHES[:1]),
        "sublicense of terms at 2,048 bytes": _sealed(SUBLICENSE, terms_uri="https://" + "k" * 2_040),
        "sublicense for a second": _sealed(SUBLICENSE, expires_at=T + 1),
        "dispute for a second": _sealed(DISPUTE, expires_at=T + 1),
        "dispute to the end of the year 9999": _sealed(
            DISPUTE, issued_at=253_402_300_700, expires_at=253_402_300_799
        ),
        "dispute with a code of 32 characters": _sealed(DISPUTE, code="v" * 32),
        "dispute of one file": holders.dispute(ADA, HASHES[:1]),
        "dispute of one contributor": holders.dispute(ADA, people[:1], CONTRIBUTORS),
        "dispute of files": BASE[DISPUTE],
        "dispute of contributors": holders.dispute(ADA, people, CONTRIBUTORS),
    }


def _sealed(kind: int, **changes: Any) -> Envelope:
    """A valid statement with other values of some fields."""
    return decode(pack(sealed(kind, fields_of(BASE[kind].message) | changes, HASHES)), NETWORK)


def _message(name: str, one: Envelope) -> Json:
    return {
        "name": name,
        "private_key": hex_text(KEYS[one.message.signer].secret),
        "typed_data": typed_data(one.message, one.network),
        "digest": hex_text(one.digest),
        "signature": hex_text(one.signature),
        "items": [hex_text(item) for item in one.items],
        "envelope": hex_text(encode(one)),
    }


def _field(kind: int, at: int, value: Any) -> bytes:
    """A statement with another value of one signed field, rightly signed where that has a digest."""
    fields, (_, name, _) = fields_of(BASE[kind].message), KINDS[kind].columns[at]
    right = fields.get(name)
    if isinstance(right, bytes) and len(right) != len(value):
        return field(TREES[kind], at, value)
    notice = {"notice": TREES[kind][2][NOTICE]} if value in _WITHOUT_NOTICE else {}
    return pack(sealed(kind, fields | notice | {name: value}, HASHES))


def _around(kind: int, at: int, value: Any) -> bytes:
    return around(TREES[kind], at, value)


def _named(kind: int, hashes: Sequence[bytes], **changes: Any) -> bytes:
    """Other hashes, with the root and the number that they give."""
    names = {"content": content_root(hashes), "count": len(hashes)}
    return pack(sealed(kind, fields_of(BASE[kind].message) | names | changes, hashes))


def _shared() -> Cases:
    """Rules 3.11, 4.8.1 and 6.2.3, for every kind."""
    found: dict[str, tuple[str, bytes]] = {}
    for kind, one in BASE.items():
        name, fields = type(one.message).__name__.lower(), fields_of(one.message)
        key, right = TREES[kind][6]

        def abroad(*place: Any, kind: int = kind, fields: Any = fields) -> bytes:
            return pack(sealed(kind, fields, HASHES, place))

        found |= {
            f"a {name} of nobody": ("3.11.1", _field(kind, SIGNER, bytes(20))),
            f"a {name} of 19 bytes": ("3.1.1", _field(kind, SIGNER, BEN[:19])),
            f"a {name} with another notice": ("3.10", _field(kind, NOTICE, "I agree.")),
            f"a {name}: count 0": ("3.11.2", _field(kind, COUNT, 0)),
            f"a {name}: count 1,025": ("3.11.2", _field(kind, COUNT, 1_025)),
            f"a {name} of nothing": ("3.11.2", pack(sealed(kind, {**fields, "count": 0}, ()))),
            f"a {name}: one hash too few": ("3.11.3", _around(kind, 3, list(HASHES[:2]))),
            f"a {name}: no hashes": ("3.11.3", _around(kind, 3, [])),
            f"a {name}: hashes in another order": ("3.11.4", _named(kind, HASHES[::-1])),
            f"a {name}: a hash twice": ("3.11.4", _named(kind, [HASHES[0], *HASHES[:2]])),
            f"a {name}: a hash of 31 bytes": (
                "3.11.4",
                _around(kind, 3, [HASHES[0][:31], *HASHES[1:]]),
            ),
            f"a {name}: other hashes": ("3.11.5", _around(kind, 3, list(MANY[:3]))),
            f"a {name}: content of 31 bytes": ("3.2.2", _field(kind, CONTENT, bytes(31))),
            f"a {name}: text for a hash": ("6.2", _around(kind, 3, ["a", *HASHES[1:]])),
            f"a {name} for no network": ("6.2", _around(kind, 5, None)),
            f"a {name} for another chain": ("6.2.4", abroad(1, NETWORK.registry)),
            f"a {name} for another registry": ("6.2.3", abroad(NETWORK.chain_id, ADA)),
            f"a {name} with a signature of 64 bytes": ("4.8.1", _around(kind, 4, one.signature[:64])),
            f"a {name} with a contract wallet's signature": ("4.8.1", _around(kind, 4, bytes(66))),
            f"a {name} with another's signature": (
                "4.8.1",
                _around(kind, 4, BASE[kind % 4 + 3].signature),
            ),
            f"a {name} without signature": ("4.8.2", _around(kind, 4, b"")),
            f"a {name} with a field more": ("6.2.1", _around(kind, 2, [*TREES[kind][2], 0])),
            f"a {name} with a field less": ("6.2.1", _around(kind, 2, TREES[kind][2][:-1])),
            f"a {name} with a wrong sponsor": ("4.5", _around(kind, 6, [key, right[::-1]])),
        }
    return found


def _own() -> Cases:
    """Rules 3.12 to 3.15."""
    return {**_of_sublicenses(), **_of_others()}


def _of_sublicenses() -> Cases:
    parent, grantee, purposes, terms, uri, _, expires = range(4, 11)
    begins, ends, year = T, T + 315_619_200, 253_402_300_800
    return {
        "1,025 hashes": ("6.1.4", _named(USE, [*MANY, b"\xff" * 32])),
        "a parent of 31 bytes": ("3.2.2", _field(SUBLICENSE, parent, bytes(31))),
        "a sublicense to nobody": ("3.12.1", _field(SUBLICENSE, grantee, bytes(20))),
        "a sublicense to its signer": ("3.12.2", _field(SUBLICENSE, grantee, BEN)),
        "a sublicense for nothing": ("3.3.1", _field(SUBLICENSE, purposes, ())),
        "purposes out of order": ("3.3.1", _field(SUBLICENSE, purposes, ("train-ai", "evaluate"))),
        "a purpose in upper case": ("3.3.2", _field(SUBLICENSE, purposes, ("Train-ai",))),
        "17 purposes": (
            "3.3.1",
            _field(SUBLICENSE, purposes, tuple(f"p{number:02}" for number in range(17))),
        ),
        "terms of 31 bytes": ("3.2.2", _field(SUBLICENSE, terms, bytes(31))),
        "terms by http": ("3.5.1", _field(SUBLICENSE, uri, "http://kled.ai")),
        "it ends as it begins": ("3.4.1", _field(SUBLICENSE, expires, begins)),
        "it ends after ten years and a second": ("3.4.2", _field(SUBLICENSE, expires, ends + 1)),
        "it ends in the year 10000": (
            "3.4.3",
            _named(
                SUBLICENSE,
                HASHES,
                issued_at=year - 9,
                expires_at=year,
                notice=TREES[SUBLICENSE][2][NOTICE],
            ),
        ),
    }


def _of_others() -> Cases:
    year = 253_402_300_800
    people = [bytes(32), *sorted(contributor_hash(one) for one in (ADA, BEN))]
    notices = {kind: tree[2][NOTICE] for kind, tree in TREES.items()}
    last = {"issued_at": year - 9, "expires_at": year}
    padded = [b"\1" + contributor_hash(ADA)[1:]]
    return {
        "a use for a purpose in upper case": ("3.13.1", _field(USE, 4, "Train-ai")),
        "a run of 65 characters": ("3.13.2", _field(USE, 5, "r" * 65)),
        "a run with a space": ("3.13.2", _field(USE, 5, "run 7")),
        "a record of 31 bytes": ("3.2.2", _field(USE, 6, bytes(31))),
        "a use in the year 10000": ("3.13.3", _field(USE, 7, year)),
        "a block of 54 bits": ("3.14.1", _field(REMOVAL, 4, 2**53)),
        "a removal's record of 33 bytes": ("3.2.2", _field(REMOVAL, 5, bytes(33))),
        "a dispute of people": ("3.15.1", _field(DISPUTE, 4, "people")),
        "a code in upper case": ("3.15.4", _field(DISPUTE, 5, "Voice")),
        "an empty code": ("3.15.4", _field(DISPUTE, 5, "")),
        "a code of 33 characters": ("3.15.4", _field(DISPUTE, 5, "v" * 33)),
        "a dispute that ends as it begins": ("3.15.5", _field(DISPUTE, 7, T)),
        "a dispute for 366 days and a second": ("3.15.5", _field(DISPUTE, 7, T + 31_622_401)),
        "a dispute into the year 10000": (
            "3.15.6",
            _named(DISPUTE, HASHES, **last, notice=notices[DISPUTE]),
        ),
        "a dispute of kind 7": ("6.2", _around(DISPUTE, 1, 7)),
        "a file for a contributor": ("3.15.3", _field(DISPUTE, 4, CONTRIBUTORS)),
        "nobody for a contributor": ("3.15.3", _named(DISPUTE, people, subject=CONTRIBUTORS)),
        "twelve bytes that are not zero before a contributor": (
            "3.15.3",
            _named(DISPUTE, padded, subject=CONTRIBUTORS),
        ),
    }


def statements_of_holders() -> Json:
    """Valid statements, and refused ones."""
    return {
        "messages": [_message(name, one) for name, one in _valid().items()],
        "refused": listed({**_shared(), **_own()}),
    }
