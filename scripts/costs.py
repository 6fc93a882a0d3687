"""Computes what a network costs its operators, from measured gas and the prices of a day.

`python scripts/costs.py` reads the prices from the table on docs/how-to/operator-deploy.md and the gas
from docs/reference/gas.md, and writes the table of costs on that page. `--check` compares it instead,
and ends with 1 if it differs. To know the costs at today's prices, change the table of prices first.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

from sayso_contracts.registry.calls import Call, Calls, SignedRevocation
from sayso_contracts.registry.create2 import deployment_call, registry_address
from sayso_protocol.messages.revocation import Revocation

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "docs/how-to/operator-deploy.md"
GAS = REPOSITORY / "docs/reference/gas.md"
CALLS = Calls(registry_address())
ENVELOPE_BYTES = 120  # of a transaction besides its data, with its signature
GWEI, MILLION = 10**9, 10**6
RELAYED, MANY = 50, 1_000
HEAD = "| what | transactions | gas | bytes | dollars on Base | dollars on Ethereum |"


class Price(NamedTuple):
    """What one gas and one byte cost, in wei, and a coin in dollars."""

    gas: float
    byte: float
    coin: float

    def dollars(self, gas: float, data_bytes: int) -> float:
        """Return the price of transactions with this gas and these bytes."""
        return (gas * self.gas + data_bytes * self.byte) * self.coin / 10**18


class Row(NamedTuple):
    """Something that operators pay for: its transactions, their gas and their bytes."""

    what: str
    transactions: int
    gas: float
    data_bytes: int


def cells(page: str, start: str) -> list[list[str]]:
    """Return the rows of the table whose first line begins so."""
    _, _, after = page.partition(f"\n{start}")
    lines = after.split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def prices(page: str) -> tuple[Price, Price]:
    """Return the prices of Base and of Ethereum that the page states."""
    given = {name: values for name, *values in cells(page, "| price |")}
    base = {name: float(values[0]) for name, values in given.items()}
    byte = (  # the OP Stack since Fjord, without compression
        16 * base["base fee scalar"] * base["base fee of Ethereum, for data, in gwei"]
        + base["blob base fee scalar"] * base["blob base fee of Ethereum, for data, in gwei"]
    )
    gas, coin = given["gas, in gwei"], given["a coin, in dollars"]
    ours = Price(float(gas[0]) * GWEI, byte * GWEI / MILLION, float(coin[0]))
    return ours, Price(float(gas[1]) * GWEI, 0, float(coin[1]))


def _gas_of(operation: str) -> float:
    [found] = re.findall(rf"^\| `{operation}` \| [^|]* \| ([\d,.]+) \|", GAS.read_text(), re.MULTILINE)
    return float(found.replace(",", ""))


def _bytes_of(call: Call) -> int:
    return len(call.data) + ENVELOPE_BYTES


def _relay() -> Call:
    signers = range(1, RELAYED + 1)
    stops = (Revocation(bytes([one]) * 20, (), (one,), (1 << one,)) for one in signers)
    return CALLS.relay(SignedRevocation(stop, 1, bytes(65)) for stop in stops)


def rows() -> list[Row]:
    """Return what is paid for, as measured and encoded."""
    anchor, relay = _bytes_of(CALLS.anchor(bytes(32))), _bytes_of(_relay())
    alone, relays = _bytes_of(CALLS.revoke_scopes(["everything"])), MANY // RELAYED
    fresh, used = _gas_of("relay_50"), _gas_of("relay_50_used")
    dated = _gas_of("anchor_one")
    people = f"{MANY:,} revocations of {MANY:,} people, relayed {RELAYED} at a time"
    return [
        Row(f"{MANY:,} licenses, anchored together", 1, dated, anchor),
        Row(f"{MANY:,} licenses, each a minute after the last", MANY, MANY * dated, MANY * anchor),
        Row(people, relays, MANY * fresh, relays * relay),
        Row(
            f"{MANY:,} more of the same people, in words that they used before",
            relays,
            MANY * used,
            relays * relay,
        ),
        Row(
            f"{MANY:,} people who revoke everything by a transaction of their own",
            MANY,
            MANY * _gas_of("revoke_scope"),
            MANY * alone,
        ),
        Row("the registry, once", 1, _gas_of("deploy"), _bytes_of(deployment_call())),
    ]


def _money(dollars: float) -> str:
    return f"{dollars:,.2f}" if dollars >= 1 else f"{dollars:.2g}"


def table(page: str) -> str:
    """Return the table of costs at the prices of a page."""
    lines = [HEAD, "|---|--:|--:|--:|--:|--:|"]
    for one in rows():
        dollars = (_money(price.dollars(one.gas, one.data_bytes)) for price in prices(page))
        figures = f"{one.transactions:,} | {one.gas:,.0f} | {one.data_bytes:,}"
        lines.append(f"| {one.what} | {figures} | {' | '.join(dollars)} |")
    return "\n".join(lines)


def render(page: str) -> str:
    """Return the page with the table that follows from its prices."""
    before, _, after = page.partition(HEAD)
    return before + table(page) + "\n\n" + after.split("\n\n", 1)[1]


def main(arguments: list[str]) -> int:
    """Write the table, or compare it; returns 1 if it differs."""
    page = PAGE.read_text()
    if "--check" not in arguments:
        PAGE.write_text(render(page))
        sys.stdout.write(table(page) + "\n")
        return 0
    if render(page) == page:
        return 0
    sys.stderr.write(f"{PAGE} has other costs: run `.venv/bin/python scripts/costs.py`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
