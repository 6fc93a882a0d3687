"""Wallets of many makers sign our messages, and docs/reference/wallets.md says what happened."""

from dataclasses import asdict
from pathlib import Path

import pytest

from docs.test_notices import CUT
from interop.signers.asked import MARKETS, MESSAGES, STOPS
from interop.signers.keys import LIBRARIES, keys
from interop.signers.makers import KERNEL
from interop.signers.page import PAGE, read_matrix, render
from interop.signers.story import all_stories, places, story


def test_the_page_fits_the_figures() -> None:
    again = "run `PYTHONPATH=tests .venv/bin/python -m interop.signers`"
    assert PAGE.read_text() == render(read_matrix()), again


def test_every_library_of_a_key_signs_every_message() -> None:
    found = keys()
    assert found.keys() == MESSAGES.keys()
    assert found == read_matrix()["keys"]
    for name, one in found.items():
        assert one["same"] == list(LIBRARIES), name
        assert one["metamask"] == "accepted", name
        assert "must match the active chainId" in one["metamask on another chain"]


def test_common_messages_keep_to_their_budget() -> None:
    """What is signed often is short: the notice and its sentence, or what counts most of a consent."""
    rows = read_matrix()["keys"]
    for name, stop in STOPS.items():
        assert len(stop.notice) + len(stop.scopes[0]) <= CUT, name
        assert rows[name]["screens"] <= 8, name
        assert rows[name]["trezor round trips"] <= 15, name
    for name, market in MARKETS.items():
        assert market.notice.index("; from ") <= CUT, name
        assert rows[name]["screens"] <= 40, name


async def test_one_wallet_goes_through_its_story(tmp_path: Path) -> None:
    """The everyday part of the next: a wallet that binds signatures to its chain."""
    async with places(tmp_path / "prague", "prague") as (here, there):
        found = asdict(await story(KERNEL, 1, here, there))
    assert found == read_matrix()["chain"][KERNEL]
    assert found["other_id"] == "`refused-by-wallet`"


@pytest.mark.long
async def test_every_wallet_goes_through_its_story(tmp_path: Path) -> None:
    found = await all_stories(tmp_path)
    assert found == read_matrix()["chain"]
    for name, row in found.items():
        assert (row["consent"], row["revocation"], row["relay"]) == ("kept", "kept", "on the chain"), (
            name
        )
