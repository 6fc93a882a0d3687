"""Asks the endpoint again and again whether it is still of our chain, and whether the registry is there.

An endpoint may be moved to another chain behind the same address. A chain without the registry has no
revocations and no events, so it looks quiet, and a node that believed it would clear what is revoked.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from sayso_contracts.rpc import quantity_from_text
from sayso_node.chain.rpc.json_rpc import JsonRpc
from sayso_node.errors import ChainUnreachable
from sayso_node.freshness import Freshness
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.retrying import every
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text

REGISTRY_EVERY_S: Final = 30.0


class RegistryWatch:
    """Watches the chain and the registry of the endpoint in use."""

    def __init__(
        self,
        links: Callable[[], Sequence[JsonRpc]],
        network: Network,
        freshness: Freshness,
        alarms: Alarms,
    ) -> None:
        self._links = links
        self._network = network
        self._freshness = freshness
        self._alarms = alarms

    async def run(self) -> None:
        """Run until cancelled."""
        async for _ in every(REGISTRY_EVERY_S):
            await self.look()

    async def look(self) -> None:
        """Ask once; an endpoint that does not answer changes nothing."""
        for link in self._links()[:1]:
            try:
                wrong = await self._wrong(link)
            except ChainUnreachable:
                continue
            self._freshness.wrong_chain = wrong
            self._alarms.set("registry-missing", wrong)
        self._freshness.registry_asked()

    async def _wrong(self, link: JsonRpc) -> str | None:
        """Return what is wrong, None if nothing is; raises ChainUnreachable."""
        chain_id = _number(await link.ask("eth_chainId", []))
        if chain_id != self._network.chain_id:
            return f"{link.name} is of chain {chain_id}, not {self._network.chain_id}"
        registry = address_text(self._network.registry)
        code = _result(await link.ask("eth_getCode", [registry, "latest"]))
        if code in ("0x", "0x0", ""):
            return f"{link.name} has no code at the registry {registry}"
        return None


def _result(answer: dict[str, Any]) -> str:
    result = answer.get("result")
    if not isinstance(result, str):
        raise ChainUnreachable("the endpoint does not say what code or chain it has")
    return result


def _number(answer: dict[str, Any]) -> int:
    try:
        return quantity_from_text(_result(answer))
    except ValueError as error:
        raise ChainUnreachable("the endpoint's chain is no number") from error
