"""Signatures of nodes at the edges of Ed25519 (rule 4.5.2), made by arithmetic of their own.

No library signs with a part of small order, so this module adds points itself, after RFC 8032 5.1. Each
refused signature satisfies the equation of a laxer verifier, and breaks one rule. Points that are not
canonical are also of small order here, because nobody can sign for the others.
"""

import hashlib
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, NamedTuple

from sayso_protocol.signatures.nodes import RECEIPT

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SECRET, NONCE = 0x5A750, 0x1234567  # scalars of the signer

Point = tuple[int, int]
ZERO: Point = (0, 1)


def _add(one: Point, other: Point) -> Point:
    (x, y), (u, v) = one, other
    product = D * x * u * y * v % P
    across = (x * v + u * y) * pow(1 + product, -1, P) % P
    return across, (y * v + x * u) * pow(1 - product, -1, P) % P


def _times(scalar: int, point: Point) -> Point:
    total = ZERO
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point, scalar = _add(point, point), scalar >> 1
    return total


def _x_of(y: int) -> int | None:
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    root = pow(square, (P + 3) // 8, P)
    if (root * root - square) % P:
        root = root * pow(2, (P - 1) // 4, P) % P
    return None if (root * root - square) % P else root


def _even(x: int | None) -> int:
    assert x is not None
    return x if x % 2 == 0 else P - x


BASE: Point = (_even(_x_of(4 * pow(5, -1, P) % P)), 4 * pow(5, -1, P) % P)


def _torsion() -> Point:
    """Return a point of order 8: what is left of some point after multiplication by the prime order."""
    for y in count(2):
        if (x := _x_of(y)) is not None:
            point = _times(ORDER, (x, y))
            if _times(4, point) != ZERO:
                return point
    raise AssertionError


TORSION = _torsion()


def _encode(point: Point) -> bytes:
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _hash(r: bytes, key: bytes, content: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + key + RECEIPT + content).digest(), "little")


def _challenge(r: bytes, key: bytes, content: bytes) -> int:
    return _hash(r, key, content) % ORDER


class Case(NamedTuple):
    """Case is a key with content and signature; it is right or breaks one rule."""

    key: bytes
    content: bytes
    signature: bytes


def _signed(key: Point, r: Point, content: bytes, written: Callable[[int], int] = int) -> Case:
    """Return the signature with this R; the scalar is that of the part of prime order."""
    key_bytes, r_bytes = _encode(key), _encode(r)
    s = (NONCE + _challenge(r_bytes, key_bytes, content) * SECRET) % ORDER
    return Case(key_bytes, content, r_bytes + written(s).to_bytes(32, "little"))


def _contents() -> Iterator[bytes]:
    return (b"content %d" % number for number in count())


def _mixed(is_whole: bool) -> Case:
    """Return a case whose key has a part of small order, which the challenge removes or not.

    The hash itself does the contrary, so that nobody leaves out the remainder.
    """
    mixed, r = _add(KEY, TORSION), _times(NONCE, BASE)
    for content in _contents():
        asked = _encode(r), _encode(mixed), content
        if (_challenge(*asked) % 8 == 0, _hash(*asked) % 8 == 0) == (is_whole, not is_whole):
            return _signed(mixed, r, content)
    raise AssertionError


def _without_key(key: bytes) -> Case:
    """Return the case of a key of small order that the challenge removes, so that S . B = R holds."""
    r = _encode(_times(NONCE, BASE))
    for content in _contents():
        if _challenge(r, key, content) % 8 == 0:
            return Case(key, content, r + NONCE.to_bytes(32, "little"))
    raise AssertionError


def _without_r(r: bytes) -> Case:
    """Return the case of an R that is zero as a point: S is the challenge times the secret."""
    key = _encode(KEY)
    s = _challenge(r, key, b"content") * SECRET % ORDER
    return Case(key, b"content", r + s.to_bytes(32, "little"))


KEY = _times(SECRET, BASE)
PLAIN = _times(NONCE, BASE)
_ZERO_TWICE = (P + 1).to_bytes(32, "little")  # the zero point, with a y that is not the smallest

CASES: dict[str, tuple[Case, bool]] = {
    "an ordinary signature": (_signed(KEY, PLAIN, b"content"), True),
    "a key with a part of small order, which the challenge removes": (_mixed(is_whole=True), True),
    "a key with a part of small order, which eight times the equation removes": (
        _mixed(is_whole=False),
        False,
    ),
    "an R with a part of small order, which eight times the equation removes": (
        _signed(KEY, _add(PLAIN, TORSION), b"content"),
        False,
    ),
    "an S that is not below the order": (
        _signed(KEY, PLAIN, b"content", lambda s: s + ORDER),
        False,
    ),
    "a key of order 8": (_without_key(_encode(TORSION)), False),
    "a key of order 1": (_without_key(_encode(ZERO)), False),
    "a key that is not canonical": (_without_key(_ZERO_TWICE), False),
    "an R of order 1": (_without_r(_encode(ZERO)), False),
    "an R that is not canonical": (_without_r(_ZERO_TWICE), False),
}


def ed25519() -> list[dict[str, Any]]:
    """Signatures under the context of receipts, with the code of the refusal or null."""
    return [
        {
            "name": name,
            "key": case.key.hex(),
            "context": RECEIPT[:-1].decode(),
            "content": "0x" + case.content.hex(),
            "signature": "0x" + case.signature.hex(),
            "code": None if is_right else "bad-signature",
        }
        for name, (case, is_right) in CASES.items()
    ]
