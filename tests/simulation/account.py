"""An account that pays, through the endpoint of a machine: one pool, nonces, and steady prices."""

from collections.abc import Iterator

import msgpack

from sayso_contracts.transactions import Fees, SignedTransaction
from sayso_node.chain.interface import Landed
from sayso_node.chain.paying.fees import GWEI
from sayso_node.errors import ChainUnreachable
from sayso_node.freshness import ChainHead
from sayso_protocol.primitives import keccak
from sayso_protocol.receipts.receipt import ChainPoint
from simulation.chain import Endpoint, Paid

FEES = Fees(3 * GWEI, GWEI)
GAS = 100_000
MONEY = 10**24  # wei


class SimAccount:
    """See sayso_node.chain.interface.Account."""

    def __init__(self, endpoint: Endpoint, address: bytes) -> None:
        self._endpoint = endpoint
        self.address = address

    async def head(self) -> ChainHead:
        return await self._endpoint.head()

    async def used_nonces(self, at: int | None = None) -> int:
        blocks = await self._endpoint.look()
        return blocks[-1 if at is None else at].nonces.get(self.address, 0)

    async def pending_nonces(self) -> int:
        """It counts what waits, too, as `eth_getTransactionCount` does for `pending`."""
        return max([await self.used_nonces(), *(one.nonce + 1 for one in self._waiting())])

    async def balance(self) -> int:
        await self._endpoint.look()
        return MONEY

    async def suggest_fees(self) -> Fees:
        await self._endpoint.look()
        return FEES

    async def has_code(self, address: bytes) -> bool:
        await self._endpoint.look()
        return True

    async def estimate(self, data: bytes, *, creates: bool = False) -> int:
        await self._endpoint.look()
        return GAS + len(data)

    async def data_fee(self, data: bytes) -> int:
        """Nothing is published elsewhere."""
        return 0

    async def sign(
        self, data: bytes, nonce: int, gas: int, fees: Fees, *, creates: bool = False
    ) -> SignedTransaction:
        await self._endpoint.look()
        raw: bytes = msgpack.packb([self.address, nonce, gas, fees.max_fee, fees.priority_fee, data])
        return SignedTransaction(raw, keccak(raw), nonce)

    async def knows(self, tx_hash: bytes) -> bool:
        blocks = await self._endpoint.look()
        if tx_hash in self._endpoint.chain.pool:
            return True
        return any(one.name == tx_hash for block in blocks for one in block.transactions)

    async def is_mined(self, tx_hash: bytes) -> bool:
        blocks = await self._endpoint.look()
        return any(one.name == tx_hash for block in blocks for one in block.transactions)

    async def send(self, raw_transaction: bytes) -> None:
        """It may arrive although the answer to it does not."""
        address, nonce, _gas, max_fee, _priority_fee, data = msgpack.unpackb(raw_transaction)
        one = Paid(keccak(raw_transaction), address, nonce, max_fee, data)
        if await self.knows(one.name):
            return
        if nonce < await self.used_nonces():
            raise ChainUnreachable("nonce too low")
        for rival in list(self._waiting()):
            if rival.nonce == nonce:
                if max_fee * 10 < rival.max_fee * 11:
                    raise ChainUnreachable("replacement transaction underpriced")
                del self._endpoint.chain.pool[rival.name]
        self._endpoint.chain.submit(one)
        self._endpoint.may_fail()

    async def landed(self, tx_hash: bytes) -> Landed | None:
        for number, block in enumerate(await self._endpoint.look()):
            for one in block.transactions:
                if one.name == tx_hash:
                    return Landed(ChainPoint(number, block.hash), True, GAS * GWEI, ())
        return None

    def _waiting(self) -> Iterator[Paid]:
        for one in self._endpoint.chain.pool.values():
            if isinstance(one, Paid) and one.account == self.address:
                yield one
