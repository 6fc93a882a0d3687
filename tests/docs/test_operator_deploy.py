"""What the how-to says of costs follows from the table of gas; its steps are run as they are written."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from docs.as_written import AsWritten, way
from docs.markdown import ROOT
from sayso_contracts.registry.calls import Call, Calls, SignedRevocation
from sayso_contracts.registry.create2 import deployment_call, registry_address
from sayso_contracts.suitability import ALL
from sayso_protocol.messages.revocation import Revocation
from support.anvil import binary

PAGE = "docs/how-to/operator-deploy.md"
GUIDE = (ROOT / PAGE).read_text()
CALLS = Calls(registry_address())
ENVELOPE_BYTES = 120  # of a transaction besides its data, with its signature
GWEI = 10**9
RELAYED, LICENSES, PEOPLE = 50, 1_000, 1_000


class Price(NamedTuple):
    """What one gas and one byte cost, in wei, and a coin in dollars."""

    gas: float
    byte: float
    coin: float

    def dollars(self, gas: float, data_bytes: int) -> float:
        return (gas * self.gas + data_bytes * self.byte) * self.coin / 10**18


def cells(start: str) -> list[list[str]]:
    """The rows of the table whose first line begins so."""
    lines = GUIDE.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith(start))
    rows: list[list[str]] = []
    for line in lines[first + 2 :]:
        if not line.startswith("|"):
            return rows
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def gas_of(operation: str) -> float:
    """The measured gas, as docs/reference/gas.md states it."""
    table = (ROOT / "docs/reference/gas.md").read_text()
    found = re.search(rf"^\| `{operation}` \| [^|]* \| ([\d,.]+) \|", table, re.MULTILINE)
    assert found, operation
    return float(found[1].replace(",", ""))


def prices() -> tuple[Price, Price]:
    """Of Base and of Ethereum, as the page assumes them."""
    given = {name: values for name, *values in cells("| price |")}
    base = {name: float(values[0]) for name, values in given.items()}
    byte = (  # the OP Stack since Fjord, without compression
        16 * base["base fee scalar"] * base["base fee of Ethereum, for data, in gwei"]
        + base["blob base fee scalar"] * base["blob base fee of Ethereum, for data, in gwei"]
    )
    coin = "a coin, in dollars"
    ours = Price(base["gas, in gwei"] * GWEI, byte * GWEI / 10**6, base[coin])
    theirs = Price(float(given["gas, in gwei"][1]) * GWEI, 0, float(given[coin][1]))
    return ours, theirs


def data_of(call: Call) -> int:
    return len(call.data) + ENVELOPE_BYTES


def relay_bytes() -> int:
    signed = (
        SignedRevocation(Revocation(bytes([number]) * 20, (), (number,), (1 << number,)), 1, bytes(65))
        for number in range(1, RELAYED + 1)
    )
    return data_of(CALLS.relay(signed))


def expected() -> list[tuple[int, float, int]]:
    """Transactions, gas and bytes of each row of the table."""
    anchor, relays = data_of(CALLS.anchor(bytes(32))), PEOPLE // RELAYED
    alone = data_of(CALLS.revoke_scopes(["everything"]))
    return [
        (1, gas_of("anchor_one"), anchor),
        (LICENSES, LICENSES * gas_of("anchor_one"), LICENSES * anchor),
        (relays, PEOPLE * gas_of("relay_50"), relays * relay_bytes()),
        (relays, PEOPLE * gas_of("relay_50_used"), relays * relay_bytes()),
        (PEOPLE, PEOPLE * gas_of("revoke_scope"), PEOPLE * alone),
        (1, gas_of("deploy"), data_of(deployment_call())),
    ]


def money(dollars: float) -> str:
    return f"{dollars:,.2f}" if dollars >= 1 else f"{dollars:.2g}"


def test_the_costs_follow_from_the_gas_and_the_prices() -> None:
    base, ethereum = prices()
    shown = [row[1:] for row in cells("| what | transactions |")]
    computed = [
        [
            f"{count:,}",
            f"{gas:,.0f}",
            f"{data:,}",
            money(base.dollars(gas, data)),
            money(ethereum.dollars(gas, data)),
        ]
        for count, gas, data in expected()
    ]
    assert shown == computed


def test_the_budget_that_it_names_is_enough_for_a_day() -> None:
    found = re.search(r"budget_eth_per_day = ([\d.]+)", GUIDE)
    assert found
    base, _ = prices()
    anchor, relay = expected()[0], expected()[2]
    of_a_day = 24 * 60 * base.dollars(anchor[1], anchor[2]) + base.dollars(relay[1], relay[2])
    # A node reckons with twice the base fee, and with twice what the oracle says.
    assert 2 * of_a_day / base.coin <= float(found[1])


def test_everything_that_a_chain_may_lack_is_explained() -> None:
    rows = {row[0] for row in cells("| the chain lacks |")}
    assert {one.what.partition(" at ")[0].removeprefix("the precompile for ") for one in ALL} == rows


@pytest.mark.long
class TestDeploying(AsWritten):
    """Every step, on a chain by the rules of the OP Stack."""

    page = PAGE
    tools = ("curl",)

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def foundry(cls) -> Iterator[None]:
        """`anvil`, where a shell finds it."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PATH", str(binary().parent), prepend=":")
            yield


def test_every_block_of_commands_is_run() -> None:
    assert GUIDE.count("```sh") == len(way(PAGE))
