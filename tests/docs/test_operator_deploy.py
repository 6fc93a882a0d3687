"""What the how-to says of costs follows from the table of gas; its steps are run as they are written."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import costs
from docs.as_written import AsWritten, way
from docs.markdown import ROOT
from sayso_contracts.suitability import ALL
from support.anvil import binary

PAGE = "docs/how-to/operator-deploy.md"
GUIDE = (ROOT / PAGE).read_text()


def test_the_costs_follow_from_the_gas_and_the_prices() -> None:
    assert costs.main(["--check"]) == 0


def test_the_costs_of_one_anchor_are_what_a_pocket_calculator_says() -> None:
    """45,690 gas and 156 bytes, at the prices of the day on which the page was written."""
    base, ethereum = costs.prices(GUIDE)
    [anchor, *_] = costs.rows()
    byte = 16 * 2269 * 2 + 1_055_762 * 0.1  # gwei for a million
    cents = (45_690 * 0.01 + 156 * byte / 10**6) * 3000 / 10**9
    assert (anchor.transactions, anchor.gas, anchor.data_bytes) == (1, 45_690, 156)
    assert base.dollars(anchor.gas, anchor.data_bytes) == pytest.approx(cents)
    assert ethereum.dollars(anchor.gas, anchor.data_bytes) == pytest.approx(45_690 * 2 * 3000 / 10**9)


def test_another_days_price_gives_other_costs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a reader does: put in a price, and run the command."""
    page = tmp_path / "page.md"
    page.write_text(
        GUIDE.replace("| a coin, in dollars | 3000 | 3000 |", "| a coin, in dollars | 1500 | 6000 |")
    )
    monkeypatch.setattr(costs, "PAGE", page)
    assert costs.main(["--check"]) == 1
    assert "run `.venv/bin/python scripts/costs.py`" in capsys.readouterr().err
    assert costs.main([]) == 0
    assert (
        "| 1,000 licenses, each a minute after the last | 1,000 | 45,690,000 | 156,000 | 0.73 | 548.28 |"
        in (page.read_text())
    )
    assert costs.main(["--check"]) == 0


def test_the_budget_that_it_names_is_enough_for_a_day() -> None:
    found = re.search(r"budget_eth_per_day = ([\d.]+)", GUIDE)
    assert found
    base, _ = costs.prices(GUIDE)
    anchor, _, relay, *_ = costs.rows()
    of_a_day = 24 * 60 * base.dollars(anchor.gas, anchor.data_bytes)
    of_a_day += base.dollars(relay.gas, relay.data_bytes)
    # A node reckons with twice the base fee, and with twice what the oracle says.
    assert 2 * of_a_day / base.coin <= float(found[1])


def test_everything_that_a_chain_may_lack_is_explained() -> None:
    rows = {row[0] for row in costs.cells(GUIDE, "| the chain lacks |")}
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
