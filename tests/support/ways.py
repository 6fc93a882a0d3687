"""Links to a chain for tests: see sayso_node.chain.rpc.eth_call.Links."""

from sayso_node.chain.rpc.json_rpc import TIMEOUT_S, JsonRpc


class Ways:
    """Some endpoints; the first is in use."""

    def __init__(self, *urls: str, timeout_s: float = TIMEOUT_S) -> None:
        self.links = tuple(JsonRpc(url, timeout_s) for url in urls)

    async def close(self) -> None:
        for link in self.links:
            await link.close()
