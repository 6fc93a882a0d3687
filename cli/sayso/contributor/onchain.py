"""Revoking on chain from the contributor's own wallet; needs the `node` extra.

Nobody can refuse or omit such a revocation. The wallet pays the gas.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from eth_account.signers.local import LocalAccount

from sayso.extras import extra
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text

if TYPE_CHECKING:
    from sayso_contracts.registry.calls import Call, Calls
    from sayso_contracts.transactions import Receipt

RPC_TIMEOUT_S: Final = 20.0
TRANSACTION_TIMEOUT_S: Final = 300.0


@asynccontextmanager
async def web3_at(url: str) -> AsyncIterator[Any]:
    """Open an AsyncWeb3 on a JSON-RPC endpoint for the `async with` block; raises ExtraMissing."""
    with extra("node"):
        from web3 import AsyncWeb3  # noqa: PLC0415  # needs the node extra

        from sayso_node.chain.rpc.json_rpc import JsonRpc  # noqa: PLC0415
        from sayso_node.chain.rpc.web3_chain import LinkProvider  # noqa: PLC0415
        from sayso_node.errors import ChainUnreachable  # noqa: PLC0415

    class Provider(LinkProvider):
        async def make_request(self, method: Any, params: Any) -> Any:
            try:
                return await super().make_request(method, params)
            except ChainUnreachable as error:
                raise ConnectionError(str(error)) from None  # an RpcFailed, as with any other provider

    link = JsonRpc(url, RPC_TIMEOUT_S)  # never shows the URL, which may hold a key
    try:
        yield AsyncWeb3(Provider(link))
    finally:
        await link.close()


async def revoke_on_chain(
    url: str, network: Network, account: LocalAccount, revocations: Sequence[Revocation]
) -> "list[Receipt]":
    """Send each revocation as one transaction and wait for its receipt.

    Raises:
        ExtraMissing: web3 is not installed.
        WrongChain: The endpoint serves another chain.
        RpcFailed, CallReverted, NotDeployed, TransactionFailed: See sayso_contracts.errors.
    """
    async with web3_at(url) as w3:
        from sayso_contracts.deploy import verify  # noqa: PLC0415  # needs the node extra
        from sayso_contracts.registry.client import Registry  # noqa: PLC0415

        registry = Registry(w3, address_text(network.registry), network.chain_id)
        await verify(w3, registry.address)
        receipts = []
        for revocation in revocations:
            sent = await registry.send(call_for(registry, revocation), account)
            receipts.append(await registry.wait(sent, TRANSACTION_TIMEOUT_S))
        return receipts


def call_for(registry: "Calls", revocation: Revocation) -> "Call":
    """Return the cheapest call that sets the bits; a revocation has either scopes or words."""
    if revocation.scopes:
        return registry.revoke_scopes(revocation.scopes)
    if len(revocation.words) == 1:
        return registry.revoke(revocation.words[0], revocation.masks[0])
    return registry.revoke_many(revocation.words, revocation.masks)
