"""How fast messages are verified: beside the bare signature recovery that it cannot do without.

From the bytes of a bundle of sync to digests that are known to be signed: decode and canonical check,
rules and notice, digest, dedupe, recovery, address. The consents are all different.
"""

import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from coincurve import PublicKey
from eth_account import Account
from eth_account.messages import encode_typed_data

from bench.consents import BUYERS, NETWORK, consent
from bench.figure import REPEATS, Figure, rates
from sayso_protocol.messages.envelope import Envelope, decode_all, encode
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.messages.wire import bundles, decode_bundle
from sayso_protocol.signatures.wallets import EoaVerifier

MESSAGES = 1_000  # a bundle of sync, which has at most 1,024
LARGE = 1_024  # items
THREADS = 2


def figures() -> Iterator[Figure]:
    """verify.*"""
    envelopes = [consent(number, grantee=BUYERS[number % len(BUYERS)]) for number in range(MESSAGES)]
    bodies = [encode(one) for one in envelopes]
    frames = [decode_bundle(frame) for frame in bundles(bodies)]
    large = [encode(consent(number, LARGE)) for number in range(20)]
    seen = rates(
        {
            "ours": lambda: _verify([bodies]),
            "coincurve.recover": lambda: _recover(envelopes),
            "eth-account": lambda: _eth_account(envelopes[:50]),
            "by frames of gossip": lambda: _verify(frames),
            "one by one": lambda: _verify([[body] for body in bodies]),
            "large": lambda: _verify([large]),
        }
    )
    others = ("coincurve.recover", "eth-account", "by frames of gossip", "one by one")
    peers = {name: seen[name] for name in others}
    limit = "one secp256k1 recovery per message: the coincurve figure"
    yield Figure("verify.per_core", seen["ours"], "messages/s", "higher", peers, limit)
    ratio = seen["ours"] / seen["large"]
    yield Figure("verify.consent_1024_over_1", ratio, "x", "lower", {}, "1: the same signature")
    yield Figure("verify.permissions_per_s", seen["large"] * LARGE, "permissions/s", "higher")
    limit = f"{THREADS}: only secp256k1 runs without Python's lock"
    yield Figure("verify.two_threads", _by_threads(frames), "x", "higher", {"one thread": 1.0}, limit)


def per_core() -> float:
    """verify.per_core alone, for a figure that stands beside it."""
    bodies = [
        encode(consent(number, grantee=BUYERS[number % len(BUYERS)])) for number in range(MESSAGES)
    ]
    return rates({"ours": lambda: _verify([bodies])})["ours"]


def _verify(frames: list[list[bytes]]) -> int:
    """How many messages passed; all have to."""
    verifier = EoaVerifier()
    known: set[bytes] = set()
    for bodies in frames:
        envelopes = [one for one in decode_all(bodies, NETWORK) if isinstance(one, Envelope)]
        fresh = [one for one in envelopes if one.digest not in known]
        errors = verifier.verify([one.claim for one in fresh])
        known.update([one.digest for one, error in zip(fresh, errors, strict=True) if error is None])
    if len(known) != sum(map(len, frames)):
        raise AssertionError("a consent was refused")
    return len(known)


def _recover(envelopes: list[Envelope]) -> int:
    for one in envelopes:
        compact = one.signature[:64] + bytes([one.signature[64] - 27])
        PublicKey.from_signature_and_message(compact, one.digest, hasher=None)
    return len(envelopes)


def _eth_account(envelopes: list[Envelope]) -> int:
    for one in envelopes:
        signable = encode_typed_data(full_message=typed_data(one.message, NETWORK))
        Account.recover_message(signable, signature=one.signature)
    return len(envelopes)


def _by_threads(frames: list[list[bytes]]) -> float:
    """How many times faster two threads verify than one, by the wall clock."""
    gains = []
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in range(REPEATS):
            begun = time.perf_counter()
            _verify(frames)
            middle = time.perf_counter()
            list(pool.map(_verify, [frames[start::THREADS] for start in range(THREADS)]))
            gains.append((middle - begun) / (time.perf_counter() - middle))
    return statistics.median(gains)
