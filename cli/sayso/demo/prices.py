"""Prices of gas and coins, which a demo states, because they change every minute."""

from dataclasses import dataclass
from typing import Final

GWEI_PER_COIN: Final = 10**9


@dataclass(frozen=True)
class Prices:
    """Prices are what gas is multiplied with.

    Attributes:
        gas_gwei: The price of one gas, gwei.
        coin_dollars: The price of one coin of the chain, dollars.
    """

    gas_gwei: float = 0.05
    coin_dollars: float = 3_000.0

    def dollars(self, gas: float) -> float:
        """Return what so much gas costs."""
        return gas * self.gas_gwei / GWEI_PER_COIN * self.coin_dollars
