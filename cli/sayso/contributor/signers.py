"""External signers: wallets that sign over JSON-RPC (eth_signTypedData_v4).

The signer receives the typed data of a message, asks its owner or a policy, and returns the signature.
It needs no trust: the signature must be the contributor's, over the message that was sent.

    signer = external_signer("http://127.0.0.1:1248")
    envelope = signer.sign_message(revocation, network)
"""

import asyncio
from contextlib import suppress
from typing import Any, Final

import aiohttp

from sayso.errors import SignerFailed
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import InvalidAddress, Malformed, Unsupported
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text, address_text
from sayso_protocol.redaction import redacted, shown_url
from sayso_protocol.signatures.wallets import EoaVerifier

SIGNER_TIMEOUT_S: Final = 600.0  # for a person to read and agree
SIGNER_ANSWER_BYTES: Final = 1_048_576
EOA_BYTES: Final = 65


class ExternalSigner:
    """ExternalSigner is one account of an external signer; `address` is text, as in eth-account."""

    def __init__(self, url: str, address: str) -> None:
        self.url = url
        self.address = address

    def sign_message(self, message: Message, network: Network, items: tuple[bytes, ...]) -> Envelope:
        """Request a signature; raises SignerFailed and BadSignature.

        A node verifies the signature of a contract wallet, because this needs the chain.
        """
        data = typed_data(message, network)
        answer = _ask(self.url, "eth_signTypedData_v4", [self.address, data])
        envelope = Envelope(message, network, _signature(answer), items)
        with suppress(Unsupported):
            envelope.check_signatures(EoaVerifier())
        return envelope


def external_signer(url: str, account: bytes | None = None) -> ExternalSigner:
    """Select the named account of a signer, or its only one; raises SignerFailed."""
    accounts = _ask(url, "eth_accounts", [])
    try:
        held = [address_from_text(one) for one in accounts]
    except (InvalidAddress, TypeError, AttributeError) as error:
        raise SignerFailed(f"the answer of {shown_url(url)} is not a list of addresses") from error
    if account is None and len(held) != 1:
        raise SignerFailed(
            f"{shown_url(url)} has {len(held):,} accounts; name one with --account ADDRESS"
        )
    if account is not None and account not in held:
        raise SignerFailed(f"{shown_url(url)} does not hold the account {address_text(account)}")
    return ExternalSigner(url, address_text(account or held[0]))


def _signature(answer: Any) -> bytes:
    """Parse a signature. Some signers return v as 0 or 1, which rule 4.4 does not allow."""
    try:
        signature = bytes.fromhex(answer.removeprefix("0x"))
    except (AttributeError, ValueError) as error:
        raise SignerFailed("the answer of the signer is not a signature") from error
    if len(signature) > LIMITS.wallet_signature_bytes:
        raise SignerFailed("the signer's signature is too long")
    if len(signature) == EOA_BYTES and signature[-1] in {0, 1}:
        return signature[:-1] + bytes([signature[-1] + 27])
    return signature


def _ask(url: str, method: str, params: list[Any]) -> Any:
    answer = asyncio.run(_post(url, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
    if not isinstance(answer, dict):
        raise SignerFailed(f"the answer of {shown_url(url)} is not JSON-RPC")
    if error := answer.get("error"):
        why = error.get("message") if isinstance(error, dict) else error
        raise SignerFailed(f"{shown_url(url)} refused {method}: {redacted(str(why), url)[:200]}")
    return answer.get("result")


async def _post(url: str, body: dict[str, Any]) -> Any:
    timeout = aiohttp.ClientTimeout(total=SIGNER_TIMEOUT_S, sock_connect=10.0)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, json=body, allow_redirects=False) as response,
        ):
            return parse_json(await response.content.read(SIGNER_ANSWER_BYTES))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, Malformed) as error:
        why = redacted(str(error), url) or type(error).__name__
        raise SignerFailed(f"no answer from the signer {shown_url(url)}: {why}") from None
