"""Statements (rules 3.11 to 3.15): valid ones, and ones that nobody may take in, with the code."""

from collections.abc import Callable, Sequence
from typing import Any

from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.encoding.packing import pack
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.message import DISPUTE, REMOVAL, SUBLICENSE, USE
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, contributor_hash
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.primitives import hex_text, sha256
from sayso_protocol.signatures.wallets import EoaVerifier
from support import holders
from support.holders import KEYS, LABS, T
from support.packed import unpack
from support.protocol_strategies import ADA, BEN, NETWORK

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
        "dispute of files": BASE[DISPUTE],
        "dispute of contributors": holders.dispute(ADA, people, CONTRIBUTORS),
    }


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


def _changed(kind: int, change: Callable[[list[Any]], None]) -> bytes:
    """An envelope whose fields were changed after it was signed."""

    def lists(value: Any) -> Any:
        return [lists(one) for one in value] if isinstance(value, list | tuple) else value

    tree = lists(unpack(encode(BASE[kind])))
    change(tree)
    return pack(tree)


def _field(kind: int, at: int, value: Any) -> bytes:
    return _changed(kind, lambda tree: tree[2].__setitem__(at, value))


def _around(kind: int, at: int, value: Any) -> bytes:
    return _changed(kind, lambda tree: tree.__setitem__(at, value))


def _named(kind: int, hashes: Sequence[bytes]) -> bytes:
    """Other hashes, with the root and the number that they give."""

    def change(tree: list[Any]) -> None:
        tree[2][CONTENT], tree[2][COUNT], tree[3] = content_root(hashes), len(hashes), list(hashes)

    return _changed(kind, change)


def _nobody() -> bytes:
    """A dispute of nobody and of others (rule 3.15.3)."""
    people = [bytes(32), *sorted(contributor_hash(one) for one in (ADA, BEN))]

    def change(tree: list[Any]) -> None:
        tree[2][CONTENT : COUNT + 2] = [content_root(people), 3, CONTRIBUTORS]
        tree[3] = people

    return _changed(DISPUTE, change)


def _shared() -> dict[str, bytes]:
    """Rules 3.11, 4.8.1 and 6.2.3, for every kind."""
    found: dict[str, bytes] = {}
    for kind, one in BASE.items():
        name = type(one.message).__name__.lower()
        found |= {
            f"a {name} of nobody": _field(kind, SIGNER, bytes(20)),
            f"a {name} of 19 bytes": _field(kind, SIGNER, BEN[:19]),
            f"a {name} with another notice": _field(kind, NOTICE, "I agree."),
            f"a {name}: count 0": _field(kind, COUNT, 0),
            f"a {name}: count 1,025": _field(kind, COUNT, 1_025),
            f"a {name}: one hash too few": _around(kind, 3, list(HASHES[:2])),
            f"a {name}: no hashes": _around(kind, 3, []),
            f"a {name}: hashes in another order": _named(kind, HASHES[::-1]),
            f"a {name}: a hash twice": _named(kind, [HASHES[0], *HASHES[:2]]),
            f"a {name}: a hash of 31 bytes": _around(kind, 3, [HASHES[0][:31], *HASHES[1:]]),
            f"a {name}: other hashes": _around(kind, 3, list(MANY[:3])),
            f"a {name}: text for a hash": _around(kind, 3, ["a", *HASHES[1:]]),
            f"a {name} for no network": _around(kind, 5, None),
            f"a {name} for another chain": _around(kind, 5, [1, NETWORK.registry]),
            f"a {name} for another registry": _around(kind, 5, [NETWORK.chain_id, ADA]),
            f"a {name} with a signature of 64 bytes": _around(kind, 4, one.signature[:64]),
            f"a {name} with a contract wallet's signature": _around(kind, 4, bytes(66)),
            f"a {name} with another's signature": _around(kind, 4, BASE[kind % 4 + 3].signature),
            f"a {name} without signature": _around(kind, 4, b""),
            f"a {name} with a field more": _changed(kind, lambda tree: tree[2].append(0)),
            f"a {name} with a field less": _changed(kind, lambda tree: tree[2].pop()),
            f"a {name} with a wrong sponsor": _around(kind, 6, [bytes(32), bytes(64)]),
        }
    return found


def _own() -> dict[str, bytes]:
    """Rules 3.12 to 3.15."""
    parent, grantee, purposes, terms, uri, issued, expires = range(4, 11)
    begins, ends = T, T + 315_619_200
    return {
        "1,025 hashes": _named(USE, [*MANY, b"\xff" * 32]),
        "a parent of 31 bytes": _field(SUBLICENSE, parent, bytes(31)),
        "a sublicense to nobody": _field(SUBLICENSE, grantee, bytes(20)),
        "a sublicense to its signer": _field(SUBLICENSE, grantee, BEN),
        "a sublicense for nothing": _field(SUBLICENSE, purposes, []),
        "purposes out of order": _field(SUBLICENSE, purposes, ["train-ai", "evaluate"]),
        "a purpose in upper case": _field(SUBLICENSE, purposes, ["Train-ai"]),
        "17 purposes": _field(SUBLICENSE, purposes, [f"p{number:02}" for number in range(17)]),
        "terms of 31 bytes": _field(SUBLICENSE, terms, bytes(31)),
        "terms by http": _field(SUBLICENSE, uri, "http://kled.ai"),
        "it ends as it begins": _field(SUBLICENSE, expires, begins),
        "it ends after ten years and a second": _field(SUBLICENSE, expires, ends + 1),
        "it begins in the year 10000": _field(SUBLICENSE, issued, 253_402_300_800),
        "a use for a purpose in upper case": _field(USE, 4, "Train-ai"),
        "a run of 65 characters": _field(USE, 5, "r" * 65),
        "a run with a space": _field(USE, 5, "run 7"),
        "a record of 31 bytes": _field(USE, 6, bytes(31)),
        "a use in the year 10000": _field(USE, 7, 253_402_300_800),
        "a block of 54 bits": _field(REMOVAL, 4, 2**53),
        "a removal's record of 33 bytes": _field(REMOVAL, 5, bytes(33)),
        "a dispute of people": _field(DISPUTE, 4, "people"),
        "a code in upper case": _field(DISPUTE, 5, "Voice"),
        "an empty code": _field(DISPUTE, 5, ""),
        "a dispute for 366 days and a second": _field(DISPUTE, 7, T + 31_622_401),
        "a file for a contributor": _field(DISPUTE, 4, CONTRIBUTORS),
        "nobody for a contributor": _nobody(),
    }


def _code(name: str, data: bytes) -> str:
    try:
        decode(data, NETWORK).check_signatures(EoaVerifier())
    except SaysoError as error:
        return error.code
    raise AssertionError(f"{name} is not refused")


def statements_of_holders() -> Json:
    """Valid statements, and refused ones."""
    return {
        "messages": [_message(name, one) for name, one in _valid().items()],
        "refused": [
            {"name": name, "envelope": hex_text(data), "code": _code(name, data)}
            for name, data in (_shared() | _own()).items()
        ],
    }
