"""Chooses gas prices: within the operator's limit, and higher for a transaction that is stuck.

Prices are in wei per gas (EIP-1559). A replacement must raise both prices by a tenth (go-ethereum's rule
for its pool); this module raises them by an eighth.
"""

from dataclasses import dataclass

from sayso_contracts.transactions import Fees

GWEI = 10**9
ETHER = 10**18
BUMP = 8  # raise by an eighth


class TooExpensive(Exception):
    """The gas price is above the operator's limit; an alarm, not an error."""


@dataclass
class Allowance:
    """The operator's spending limits; a running node may be given others.

    Attributes:
        max_fee: Highest price of one gas, in wei.
        budget: Highest cost of a day, in wei.
        low: Balance in wei below which an alarm is raised.
    """

    max_fee: int
    budget: int
    low: int


def first_fees(suggested: Fees, cap: int) -> Fees:
    """Return the first offer for a transaction.

    The suggestion leaves room for the base fee to double. If only that room exceeds the limit, the limit
    is offered; if the present price exceeds it, TooExpensive is raised.
    """
    present = (suggested.max_fee - suggested.priority_fee) // 2 + suggested.priority_fee
    if present > cap:
        raise TooExpensive(
            f"the gas price is {present / GWEI:.3f} gwei, above the limit of {cap / GWEI:.3f}"
        )
    return Fees(min(suggested.max_fee, cap), min(suggested.priority_fee, cap))


def higher_fees(offered: Fees, suggested: Fees, cap: int) -> Fees:
    """Return the offer that replaces a stuck transaction; raises TooExpensive."""
    least = Fees(_more(offered.max_fee), _more(offered.priority_fee))
    if least.max_fee > cap:
        raise TooExpensive(
            f"stuck at {offered.max_fee / GWEI:.3f} gwei a gas, and the limit is {cap / GWEI:.3f}"
        )
    max_fee = min(max(least.max_fee, suggested.max_fee), cap)
    return Fees(max_fee, min(max(least.priority_fee, suggested.priority_fee), max_fee))


def _more(price: int) -> int:
    return price + price // BUMP + 1
