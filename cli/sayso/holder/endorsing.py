"""Calls of the registry by which a contract wallet endorses a statement (rule 4.8)."""

from collections.abc import Iterable
from typing import Final

from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text, hex_text, keccak

SELECTOR: Final = keccak(b"endorse(bytes32)")[:4]


def endorsing_calls(digests: Iterable[bytes], network: Network) -> list[dict[str, str]]:
    """Return a transaction for each digest, 32 bytes, as wallets import them; values in wei."""
    to = address_text(network.registry)
    return [
        {"to": to, "value": "0", "data": hex_text(SELECTOR + one), "digest": hex_text(one)}
        for one in digests
    ]
