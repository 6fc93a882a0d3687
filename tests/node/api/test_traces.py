"""GET /v1/licenses/{license}/trace, on whole nodes that anchor, relay, sync and date blocks."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from node.test_node import holds
from sayso_protocol.primitives import address_text, hex_text
from support.fake_chain import FakeChain
from support.fake_network import Switchboard
from support.holders import LABS, removal, sublicense, use
from support.node_rig import ManualClock, consent, revocation
from support.protocol_strategies import BEN
from support.running_node import RunningNode, running_node
from support.waiting import until

SOLD = consent(1, sponsor=None, purposes=("resale", "train-ai"))  # to Ben
PATH = f"/v1/licenses/{hex_text(SOLD.digest)}/trace"
DAN, *_ = LABS
PASSED = sublicense(BEN, DAN, [SOLD.digest], is_sponsored=False)
USED = replace(use(DAN, [PASSED.digest]), sponsor=None)
BLOCKS, LOOK_S = 8, 0.05  # between two looks at a trace, which take time from the nodes
OWN_TIMES = ("first_seen",)


async def trace(node: RunningNode) -> dict[str, Any]:
    status, body = await node.get(PATH)
    assert status == 200, body
    return dict(body)


async def duties(node: RunningNode) -> dict[str, list[str]]:
    found = await trace(node)
    return {one["address"]: [each["standing"] for each in one["duties"]] for one in found["holders"]}


def shared(value: Any) -> Any:
    """What does not depend on the node."""
    if isinstance(value, dict):
        return {name: shared(one) for name, one in value.items() if name not in OWN_TIMES}
    return [shared(one) for one in value] if isinstance(value, list) else value


async def mined(chain: FakeChain, node: RunningNode, *given: dict[str, list[str]]) -> None:
    """Mine until the node's trace says so."""

    async def is_so() -> bool:
        for _ in range(BLOCKS):
            chain.time += 12
            chain.mine()
        return await duties(node) in given

    await until(is_so, poll_s=LOOK_S)


async def test_two_nodes_show_the_same_from_sale_to_removal(tmp_path: Path) -> None:
    board, chain, clock = Switchboard(), FakeChain(), ManualClock()
    world: dict[str, Any] = {"board": board, "chain": chain, "clock": clock}
    for name in "ab":
        (tmp_path / name).mkdir()
    ben, dan = address_text(BEN), address_text(DAN)
    async with (
        running_node(tmp_path / "a", name="a", **world) as a,
        running_node(tmp_path / "b", name="b", **world) as b,
    ):
        await a.submit(SOLD, PASSED, USED)
        await holds(b, SOLD, PASSED, USED)
        assert await duties(b) == {ben: [], dan: []}
        await a.submit(revocation("everything for resale"))
        await mined(chain, b, {ben: ["due"], dan: ["due"]})
        final = (await trace(b))["final"]["number"]
        await a.submit(replace(removal(DAN, [PASSED.digest], final), sponsor=None))
        await mined(chain, b, {ben: ["due"], dan: ["confirmed"]})

        async def agree() -> bool:
            return bool(shared(await trace(a)) == shared(await trace(b)))

        await until(agree)
        found = {one["address"]: one for one in (await trace(b))["holders"]}
        assert found[dan]["uses"][0]["run"] == "run-7"
        assert found[dan]["uses"][0]["anchored"]["time"] is not None
        [owed] = found[dan]["duties"]
        assert owed["by"] == ["everything for resale"]
        assert owed["removal"]["anchored"]["number"] > owed["revoked"]["number"]
        chain.time += 31 * 86_400
        clock.time += 31 * 86_400
        await mined(chain, a, {ben: ["late"], dan: ["confirmed"]})


async def test_a_revocation_enters_a_batch_once(tmp_path: Path) -> None:
    stop = revocation("everything")
    async with running_node(tmp_path, chain=(chain := FakeChain()), clock=ManualClock()) as node:
        await node.submit(SOLD)
        for _ in range(2):
            await node.submit(stop)

        def batches() -> list[bytes]:
            chain.mine()
            with node.node._store.read() as db:
                query = "SELECT root FROM batch_members WHERE license = ?"
                return [root for (root,) in db.execute(query, (stop.digest,))]

        await until(batches)
        await node.submit(stop)
        assert node.stored()["anchor_queue"] == 0
        assert len(batches()) == 1


async def test_bad_requests(tmp_path: Path) -> None:
    async with running_node(tmp_path, clock=ManualClock()) as node:
        assert (await node.get(PATH))[0] == 404
        await node.submit(SOLD)
        for after in ("", "0x12", "0x" + "00" * 19, "7" * 5_000):
            status, body = await node.get(f"{PATH}?after={after}")
            assert status == 400, body
