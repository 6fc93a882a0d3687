"""External signers: wallets that sign over JSON-RPC (eth_signTypedData_v4).

The signer receives the typed data of a message, asks its owner or a policy, and returns the signature.
It needs no trust: the signature must be the contributor's, over the message that was sent.

    signer = external_signer("http://127.0.0.1:1248")
    envelope = signer.sign_message(revocation, network)
"""

import asyncio
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

import aiohttp

from sayso.errors import BadAnswer, SignerFailed
from sayso.node_client.transport import read_body
from sayso.node_client.wallet_words import word_of_chain
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import (
    BadSignature,
    InvalidAddress,
    Malformed,
    RefusedByWallet,
    Unsupported,
)
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.kinds import kind_of
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text, address_text
from sayso_protocol.redaction import reason_of, redacted, shown_url
from sayso_protocol.signatures.contract_wallets import MARK
from sayso_protocol.signatures.wallet_forms import by_contract, by_key, is_plain_message, read_signature
from sayso_protocol.signatures.wallets import EOA_SIGNATURE_BYTES, EoaVerifier

SIGNER_TIMEOUT_S: Final = 600.0  # for a person to read and agree
SIGNER_ANSWER_BYTES: Final = 1_048_576


class ExternalSigner:
    """ExternalSigner is one account of an external signer; `address` is text, as in eth-account."""

    def __init__(self, url: str, address: str, rpc_url: str | None = None) -> None:
        self.url = url
        self.address = address
        self._rpc_url = rpc_url

    def sign_message(self, message: Message, network: Network, items: tuple[bytes, ...]) -> Envelope:
        """Request a signature and bring it into the form of rule 4.4; raises SignerFailed, BadSignature.

        A node asks a contract wallet about its signature, because this needs the chain. With an
        endpoint, it is asked here, too; then this raises also RefusedByWallet, and as word_of_chain.
        """
        data = typed_data(message, network)
        answer = _ask(self.url, "eth_signTypedData_v4", [self.address, data])
        envelope = self._in_form(Envelope(message, network, _signature(answer), items))
        with suppress(Unsupported):
            envelope.check_signatures(EoaVerifier())
        if self._rpc_url and envelope.claim.is_contract_wallets:
            word = asyncio.run(word_of_chain(self._rpc_url, network, envelope.claim))
            if not word.accepted:
                raise RefusedByWallet(word.why)
        return envelope

    def _in_form(self, envelope: Envelope) -> Envelope:
        """Return a message with its signature in the form of rule 4.4; raises BadSignature."""
        if found := by_key(envelope.claim):
            return replace(envelope, signature=found)
        if is_plain_message(envelope.claim):
            raise BadSignature(
                "the signer signed a plain message (personal_sign); set it to sign typed data "
                "(eth_signTypedData_v4), which is another signature"
            )
        is_contract = self._is_contract(envelope.network.chain_id)
        is_bare = len(envelope.signature) <= EOA_SIGNATURE_BYTES
        is_to_come = envelope.signature.endswith(MARK)  # the signature itself deploys the wallet
        if is_contract is False and not is_bare and not is_to_come:
            raise BadSignature(
                f"{self.address} is no contract there, and no key signs {len(envelope.signature)} bytes"
            )
        if is_bare and not is_contract:
            raise BadSignature(
                f"the key of {self.address} did not sign this: another wallet did, or for another "
                "network; if the account is a contract, name an endpoint of its chain with --rpc URL"
            )
        if kind_of(envelope.message).is_endorsable:
            raise BadSignature(
                f"your account is a contract: {self.address} endorses statements on the chain "
                "(--endorse)"
            )
        return replace(envelope, signature=by_contract(envelope.signature))

    def _is_contract(self, chain_id: int) -> bool | None:
        """Return whether the endpoint, or else the signer, says that the account has code there.

        Returns None if neither knows.
        """
        for url in filter(None, (self._rpc_url, self.url)):
            try:
                if int(_ask(url, "eth_chainId", []), 16) == chain_id:
                    return len(_ask(url, "eth_getCode", [self.address, "latest"])) > len("0x")
            except (SignerFailed, TypeError, ValueError):
                continue  # it knows only how to sign
        return None


def external_signer(
    url: str, account: bytes | None = None, rpc_url: str | None = None
) -> ExternalSigner:
    """Select the named account of a signer, or its only one; raises SignerFailed.

    Args:
        url: The signer.
        account: Its account, 20 bytes.
        rpc_url: An endpoint of the chain, to ask a contract wallet about its signatures.
    """
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
    return ExternalSigner(url, address_text(account or held[0]), rpc_url)


def _signature(answer: Any) -> bytes:
    try:
        return read_signature(answer)
    except Malformed as error:
        raise SignerFailed(f"the answer of the signer is not a signature: {error}") from error


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
            return parse_json(await read_body(response, SIGNER_ANSWER_BYTES))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError, BadAnswer, Malformed) as error:
        why = redacted(reason_of(error), url)
        raise SignerFailed(f"no answer from the signer {shown_url(url)}: {why}") from None
