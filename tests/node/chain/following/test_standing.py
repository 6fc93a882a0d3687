"""An anchor's age is that of its block, so nodes that joined at different times agree about standing."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso_node.chain.following.standing import STANDING_AGE_S, Standing
from sayso_node.errors import ChainUnreachable
from sayso_node.store.admission import sponsors
from support.fake_chain import FakeChain, unreachable
from support.node_rig import NOW, NodeRig
from support.tries import tries

HOUR_S = 3_600


def chain_of(*pauses: int) -> FakeChain:
    chain = FakeChain(NOW - STANDING_AGE_S)
    for pause in pauses:
        chain.time += pause
        chain.mine()
    return chain


def oldest(chain: FakeChain) -> int:
    """By brute force: the last block that is old enough at the last whole hour."""
    until = (int(chain.blocks[-1].time) - STANDING_AGE_S) // HOUR_S * HOUR_S
    return max((n for n, block in enumerate(chain.blocks) if block.time <= until), default=0)


async def found(rig: NodeRig, chain: FakeChain, standing: Standing | None = None) -> int:
    await (standing or Standing(chain, rig.store, deploy_block=1)).update(await chain.head())
    with rig.store.read() as db:
        return sponsors.standing_block(db)


@settings(deadline=None, max_examples=tries(25))
@given(st.lists(st.integers(1, 9_000), max_size=400), st.integers(0, 400))
async def test_who_was_there_all_the_time_and_who_came_late_agree(pauses: list[int], then: int) -> None:
    with TemporaryDirectory() as name, NodeRig(Path(name), name="old") as old:
        standing = Standing(chain_of(), old.store, deploy_block=1)
        for count in (then, len(pauses)):
            chain = chain_of(*pauses[:count], STANDING_AGE_S)
            standing._chain = chain
            early = await found(old, chain, standing)
        with NodeRig(Path(name), name="new") as new:
            assert early == await found(new, chain) == oldest(chain)


async def test_the_questions_are_few_and_one_search_an_hour(tmp_path: Path) -> None:
    chain = chain_of(*([12] * 20_000), STANDING_AGE_S)
    with NodeRig(tmp_path) as rig:
        standing = Standing(chain, rig.store, deploy_block=1)
        assert await found(rig, chain, standing) == oldest(chain) > 19_000
        assert chain.calls.count("header") <= 25
        before = len(chain.calls)
        chain.mine()
        await found(rig, chain, standing)
        assert "header" not in chain.calls[before:]
        chain.time += HOUR_S
        chain.mine()
        await found(rig, chain, standing)
        assert chain.calls[before:].count("header") <= 20


async def test_who_cannot_ask_gives_nobody_more(tmp_path: Path) -> None:
    chain = chain_of(*([600] * 50), STANDING_AGE_S)
    with NodeRig(tmp_path) as rig:
        before = await found(rig, chain)
        chain.time += 2 * HOUR_S
        chain.mine()
        chain.trouble = unreachable("header")
        with pytest.raises(ChainUnreachable):
            await found(rig, chain)
        with rig.store.read() as db:
            assert sponsors.standing_block(db) == before
