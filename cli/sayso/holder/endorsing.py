"""Calls of the registry by which a contract wallet endorses a statement (rule 4.8)."""

from collections.abc import Iterable

from sayso_contracts.registry.calls import Calls
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text, hex_text


def endorsing_calls(digests: Iterable[bytes], network: Network) -> list[dict[str, str]]:
    """Return a transaction for each digest, 32 bytes, as wallets import them; values in wei."""
    calls = Calls(address_text(network.registry))
    made = ((calls.endorse(one), one) for one in digests)
    return [
        {"to": call.to, "value": "0", "data": hex_text(call.data), "digest": hex_text(digest)}
        for call, digest in made
    ]
