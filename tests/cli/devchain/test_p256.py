"""The precompile for passkeys answers as the one of a real chain does (EIP-7951)."""

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from web3 import HTTPProvider, Web3

from cli.devchain.harness import Client
from sayso_contracts.suitability import P256_VERIFY
from sayso_protocol.primitives import hex_text, sha256
from support.anvil import anvil

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
PRIME = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
DIGEST = sha256(b"what a passkey signs")


def questions() -> dict[str, bytes]:
    key = generate_private_key(SECP256R1())
    r, s = decode_dss_signature(key.sign(DIGEST, ECDSA(Prehashed(SHA256()))))
    at = key.public_key().public_numbers()
    x, y = at.x, at.y

    def asked(*numbers: int, digest: bytes = DIGEST) -> bytes:
        return digest + b"".join(number.to_bytes(32) for number in numbers)

    return {
        "good": asked(r, s, x, y),
        "good, with the other s": asked(r, ORDER - s, x, y),
        "other hash": asked(r, s, x, y, digest=sha256(b"another")),
        "other key": asked(r, s, x, PRIME - y),
        "r and s exchanged": asked(s, r, x, y),
        "no r": asked(0, s, x, y),
        "no s": asked(r, 0, x, y),
        "r too large": asked(ORDER, s, x, y),
        "s beyond the order": asked(r, s + ORDER if s + ORDER < 2**256 else 2**256 - 1, x, y),
        "x beyond the field": asked(r, s, PRIME, y),
        "not on the curve": asked(r, s, x, (y + 1) % PRIME),
        "no point": asked(r, s, 0, 0),
        "a byte short": asked(r, s, x, y)[:-1],
        "a byte long": asked(r, s, x, y) + b"\0",
        "nothing": b"",
    }


@pytest.fixture(scope="module")
def real() -> Iterator[Web3]:
    with anvil(hardfork="osaka") as url:
        yield Web3(HTTPProvider(url))


async def test_it_answers_as_a_real_chain(client: Client, real: Web3) -> None:
    answers = {}
    for name, data in questions().items():
        call = {"to": P256_VERIFY, "data": hex_text(data)}
        answer = await client.rpc("eth_call", call, "latest")
        answers[name] = answer["result"]
        assert answer["result"] == hex_text(real.eth.call(call)), name  # type: ignore[arg-type]
    good = [name for name, answer in answers.items() if answer != "0x"]
    assert good == ["good", "good, with the other s"]
