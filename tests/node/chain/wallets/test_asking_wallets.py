"""Asking about contract wallets: endpoints that fail, and who waits when many ask."""

import asyncio
from typing import Any

import pytest

from node.chain.wallets.asking import ANY, BY_ADA, DIGEST, POINT, outcome
from sayso_node.chain.rpc.eth_call import EthCall
from sayso_node.chain.wallets import contract_wallets
from sayso_node.chain.wallets.contract_wallets import ContractWallets
from sayso_node.errors import ChainUnreachable
from sayso_protocol.errors import Unsupported
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.signatures.wallets import Claim
from support.endpoint import CUT, SILENT, Failure, Raw, endpoint
from support.protocol_strategies import (
    ADA,
)
from support.ways import Ways

FAILURES = {
    "an error": Failure({"code": -32_000, "message": "no"}),
    "a revert": Failure({"code": 3, "message": "execution reverted", "data": "0x"}),
    "nothing": None,
    "no bytes": "0x",
    "no hexadecimal": "0xzz",
    "half a word": "0x" + "00" * 15 + "01",
    "zero": "0x" + "00" * 32,
    "four": "0x" + "00" * 31 + "04",
    "six": "0x" + "00" * 31 + "06",
    "two words": "0x" + "00" * 31 + "01" + "00" * 32,
    "an object": {},
    "no JSON": Raw(b"<html>", 502),
    "nested": Raw(b"[" * 200_000),
    "without end": Raw(b'{"result": "0x' + b"00" * 100_000 + b'"}'),
    "hangs up": CUT,
    "silence": SILENT,
}


@pytest.mark.parametrize("answer", FAILURES.values(), ids=FAILURES)
async def test_an_endpoint_that_fails_says_nothing_about_the_wallet(answer: Any) -> None:
    claim = Claim(ADA, DIGEST, ANY)
    async with endpoint() as rpc:
        ways = Ways(rpc.url)
        calls = EthCall(ways)
        wallets = ContractWallets(calls, timeout_s=0.5)
        rpc.answers["eth_call"] = answer
        assert await outcome(wallets, claim, POINT) is Unsupported
        rpc.answers["eth_call"] = "0x" + "00" * 31 + "01"  # nothing of the failure is remembered
        assert await outcome(wallets, claim, POINT) is None
        await ways.close()


async def test_no_endpoint() -> None:
    ways = Ways("http://127.0.0.1:1")
    calls = EthCall(ways)
    assert await outcome(ContractWallets(calls), Claim(ADA, DIGEST, ANY), POINT) is Unsupported
    with pytest.raises(ChainUnreachable):
        await calls.created(b"", 1, POINT)
    await ways.close()


class Gate:
    """A chain that accepts, once the gate is open; knows who was asked about."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.asked: list[bytes] = []
        self.under_way = self.most = 0

    async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
        self.asked.append(code)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.open.wait()
        await asyncio.sleep(0)
        self.under_way -= 1
        return (1).to_bytes(32)


def claims(count: int, signer: bytes = ADA) -> list[Claim]:
    return [Claim(signer, number.to_bytes(32), ANY) for number in range(count)]


async def settle() -> None:
    for _ in range(100):
        await asyncio.sleep(0)


async def test_a_source_that_brings_much_leaves_room_for_others() -> None:
    gate = Gate()
    wallets = ContractWallets(gate)
    flood = asyncio.create_task(wallets.ask(claims(100), "loud", POINT))
    await settle()
    assert len(gate.asked) == contract_wallets.AT_ONCE_PER_SOURCE
    quiet = [
        asyncio.create_task(wallets.ask(claims(1, bytes([number]) * 20), str(number), POINT))
        for number in range(1, 5)
    ]
    await settle()
    assert len(gate.asked) == contract_wallets.AT_ONCE_PER_SOURCE + len(quiet)
    gate.open.set()
    for number, task in enumerate(quiet, 1):
        (await task).check(*claims(1, bytes([number]) * 20)[0])
    outcomes = (await flood).verify(claims(100))
    assert outcomes.count(None) == contract_wallets.WAITING_PER_SOURCE
    assert {type(one) for one in outcomes} == {type(None), Unsupported}
    assert gate.most <= contract_wallets.CALLS_AT_ONCE
    assert not wallets._waiting
    assert not wallets._shares


async def test_not_more_than_a_few_questions_are_under_way() -> None:
    gate = Gate()
    wallets = ContractWallets(gate)
    tasks = [asyncio.create_task(wallets.ask(claims(3), str(source), POINT)) for source in range(20)]
    await settle()
    assert gate.most == contract_wallets.CALLS_AT_ONCE
    gate.open.set()
    await asyncio.gather(*tasks)
    assert gate.most == contract_wallets.CALLS_AT_ONCE


async def test_an_answer_is_remembered_for_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract_wallets, "REMEMBERED_ANSWERS", 2)
    gate = Gate()
    gate.open.set()
    wallets = ContractWallets(gate)
    one, two, three = claims(3)
    for asked, block, questions in (
        ([one, one], POINT, 1),
        ([one], POINT, 1),
        ([one], ChainPoint(8, b"\x08" * 32), 2),
        ([two], POINT, 3),  # forgets the oldest
        ([one], POINT, 4),
        ([three, one], POINT, 5),
    ):
        assert (await wallets.ask(asked, "peer", block)).verify(asked) == [None] * len(asked)
        assert len(gate.asked) == questions


async def test_keys_are_not_asked_about() -> None:
    gate = Gate()
    answers = await ContractWallets(gate).ask([Claim(ADA, DIGEST, BY_ADA)], "peer", POINT)
    assert gate.asked == []
    answers.check(ADA, DIGEST, BY_ADA)


async def test_a_cancelled_question_leaves_nothing_behind() -> None:
    wallets = ContractWallets(Gate())
    task = asyncio.create_task(wallets.ask(claims(5), "peer", POINT))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await settle()
    assert not wallets._waiting
    assert not wallets._shares
    assert wallets._under_way._value == contract_wallets.CALLS_AT_ONCE
