"""What a gas may cost: the operator's cap, and what a stuck transaction is offered more.

Prices are wei for one gas (EIP-1559). A transaction that replaces another must offer a tenth more of
both prices (go-ethereum's rule for its pool); we offer an eighth.
"""

from dataclasses import dataclass

from sayso_contracts.transactions import Fees

GWEI = 10**9
ETHER = 10**18
BUMP = 8  # an eighth more


class TooExpensive(Exception):
    """Gas costs more than the operator allows; not an error of anybody's."""


@dataclass(frozen=True)
class Allowance:
    """What the operator lets the node spend.

    Attributes:
        max_fee: Wei for one gas, at most.
        budget: Wei in a day, at most.
        low: Wei; with less, the operator is told that the account runs low.
    """

    max_fee: int
    budget: int
    low: int


def first_fees(suggested: Fees, cap: int) -> Fees:
    """What to offer at first.

    The suggestion leaves room for the base fee to double. If only that room is above the cap, the cap is
    offered; if the present price is, nothing is: raises TooExpensive.
    """
    present = (suggested.max_fee - suggested.priority_fee) // 2 + suggested.priority_fee
    if present > cap:
        raise TooExpensive(f"{present / GWEI:.3f} gwei a gas, at most {cap / GWEI:.3f} are allowed")
    return Fees(min(suggested.max_fee, cap), min(suggested.priority_fee, cap))


def higher_fees(offered: Fees, suggested: Fees, cap: int) -> Fees:
    """What to offer in place of a transaction that is stuck; raises TooExpensive."""
    least = Fees(_more(offered.max_fee), _more(offered.priority_fee))
    if least.max_fee > cap:
        raise TooExpensive(
            f"stuck at {offered.max_fee / GWEI:.3f} gwei a gas, at most {cap / GWEI:.3f} are allowed"
        )
    max_fee = min(max(least.max_fee, suggested.max_fee), cap)
    return Fees(max_fee, min(max(least.priority_fee, suggested.priority_fee), max_fee))


def _more(price: int) -> int:
    return price + price // BUMP + 1
