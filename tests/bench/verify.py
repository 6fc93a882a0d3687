"""How fast messages are verified: beside the bare signature recovery that it cannot do without."""

from collections.abc import Iterator

from coincurve import PublicKey
from eth_account import Account
from eth_account.messages import encode_typed_data

from bench.consents import NETWORK, consent
from bench.figure import Figure, rates
from sayso_protocol.envelope import decode, encode
from sayso_protocol.signatures import EoaVerifier
from sayso_protocol.typed_data import typed_data

MESSAGES = 300
LARGE = 1_024  # items


def figures() -> Iterator[Figure]:
    """verify.*"""
    envelopes = [consent(number) for number in range(MESSAGES)]
    bodies = [encode(one) for one in envelopes]
    texts = [typed_data(one.message, NETWORK) for one in envelopes[:50]]
    large = [encode(consent(number, LARGE)) for number in range(20)]
    verifier = EoaVerifier()

    def verify(some: list[bytes]) -> int:
        for body in some:
            decode(body, NETWORK).check_signatures(verifier)
        return len(some)

    def recover() -> int:
        for one in envelopes:
            compact = one.signature[:64] + bytes([one.signature[64] - 27])
            PublicKey.from_signature_and_message(compact, one.digest, hasher=None)
        return len(envelopes)

    def eth_account() -> int:
        for text, one in zip(texts, envelopes, strict=False):
            Account.recover_message(encode_typed_data(full_message=text), signature=one.signature)
        return len(texts)

    seen = rates(
        {
            "ours": lambda: verify(bodies),
            "coincurve.recover": recover,
            "eth-account": eth_account,
            "large": lambda: verify(large),
        }
    )
    peers = {name: seen[name] for name in ("coincurve.recover", "eth-account")}
    limit = "one secp256k1 recovery per message: the coincurve figure"
    yield Figure("verify.per_core", seen["ours"], "messages/s", "higher", peers, limit)
    ratio = seen["ours"] / seen["large"]
    yield Figure("verify.consent_1024_over_1", ratio, "x", "lower", {}, "1: the same signature")
    yield Figure("verify.permissions_per_s", seen["large"] * LARGE, "permissions/s", "higher")
