"""The registry at one address of one chain: reading its state and sending calls.

Reading is free and needs no account. A view reads the state of a block; pass its number if the answer
will be quoted.

    registry = Registry(w3, address, chain_id)
    await registry.send(registry.revoke_scopes(["everything"]), account)
"""

from collections.abc import Sequence
from typing import Any

from eth_account.signers.local import LocalAccount
from web3 import AsyncWeb3
from web3.types import BlockIdentifier

from sayso_contracts.registry.abi import decode_answer
from sayso_contracts.registry.calls import Call, Calls
from sayso_contracts.rpc import rpc_errors
from sayso_contracts.transactions import (
    Fees,
    Receipt,
    SignedTransaction,
    Transaction,
    prepare,
    sign,
    submit,
    wait,
)
from sayso_protocol.errors import TooLarge
from sayso_protocol.primitives import address_from_text, address_text

MAX_WORDS_READ = 1_024  # words of one call; about 2.5 million gas at the endpoint


class Registry(Calls):
    """Registry reads one registry and sends its calls, which come from Calls."""

    def __init__(self, w3: AsyncWeb3[Any], address: str, chain_id: int) -> None:
        super().__init__(address_text(address_from_text(address)))
        self._w3 = w3
        self.chain_id = chain_id

    async def revoked_words(
        self, contributor: bytes, words: Sequence[int], block: BlockIdentifier = "latest"
    ) -> tuple[int, ...]:
        """Return the set bits of at most 1,024 words; raises NotDeployed and TooLarge."""
        if len(words) > MAX_WORDS_READ:
            raise TooLarge(f"{len(words)} words, at most {MAX_WORDS_READ} a call")
        call = self._call("revokedWords", address_text(contributor), words)
        (bits,) = decode_answer("revokedWords", await self._ask(call, block))
        return tuple(bits)

    async def prepare(
        self,
        call: Call,
        sender: str,
        *,
        nonce: int | None = None,
        fees: Fees | None = None,
        gas: int | None = None,
    ) -> Transaction:
        """Return the unsigned transaction; raises WrongChain, CallReverted, TransactionTooLarge."""
        return await prepare(self._w3, self.chain_id, sender, call, nonce=nonce, fees=fees, gas=gas)

    async def sign(
        self,
        call: Call,
        account: LocalAccount,
        *,
        nonce: int | None = None,
        fees: Fees | None = None,
        gas: int | None = None,
    ) -> SignedTransaction:
        """Prepare and sign a transaction without sending it; the caller may store it before `submit`."""
        prepared = await self.prepare(call, account.address, nonce=nonce, fees=fees, gas=gas)
        return sign(prepared, account)

    async def submit(self, raw: bytes) -> bytes:
        """Send a signed transaction and return its hash; sending it twice is harmless."""
        return await submit(self._w3, raw)

    async def send(self, call: Call, account: LocalAccount) -> bytes:
        """Prepare, sign and submit a call; returns the transaction's hash."""
        return await self.submit((await self.sign(call, account)).raw)

    async def wait(self, tx_hash: bytes, timeout_s: float) -> Receipt:
        """Wait until a transaction succeeds; raises TransactionFailed and RpcFailed."""
        return await wait(self._w3, tx_hash, timeout_s)

    async def _ask(self, call: Call, block: BlockIdentifier) -> bytes:
        question: Any = {"to": call.to, "data": call.data}
        with rpc_errors():
            return bytes(await self._w3.eth.call(question, block))
