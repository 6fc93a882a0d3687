"""JSON-RPC framing: every body gets an answer of the specified form."""

import json
from typing import Any, cast

import pytest

from cli.devchain.harness import Client
from sayso.devchain.chain import BALANCE_WEI


async def test_one_request(client: Client) -> None:
    status, answer = await client.post(b'{"jsonrpc":"2.0","id":"x","method":"eth_chainId"}')
    assert (status, answer) == (200, {"jsonrpc": "2.0", "id": "x", "result": "0x7a69"})


async def test_a_batch_is_answered_in_order(client: Client) -> None:
    async with client.web3.batch_requests() as batch:
        batch.add(client.web3.eth.get_block("latest"))
        batch.add(client.web3.eth.get_balance(client.chain.accounts[0].address))
        block, balance = cast("list[Any]", await batch.async_execute())
    assert (block["number"], balance) == (0, BALANCE_WEI)


async def test_a_bad_request_does_not_spoil_its_batch(client: Client) -> None:
    bodies = [1, {"id": 2, "method": "eth_nothing"}, {"id": 3, "method": "net_version"}]
    _, answers = await client.post(json.dumps(bodies).encode())
    assert [answer.get("error", {}).get("code") for answer in answers] == [-32600, -32601, None]
    assert answers[2] == {"jsonrpc": "2.0", "id": 3, "result": "31337"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", -32700),
        (b"{", -32700),
        (b"\xff\xfe\x00", -32700),
        (b"[" * 1_000_000, -32700),
        (b"[]", -32600),
        (b"7", -32600),
        (b'{"id":1}', -32600),
        (b'{"id":1,"method":2}', -32600),
        (b'{"id":1,"method":"eth_chainId","params":{}}', -32600),
        (b"[" + b",".join([b"1"] * 1001) + b"]", -32600),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_what_is_no_request(client: Client, body: bytes, code: int) -> None:
    status, answer = await client.post(body)
    assert (status, answer["error"]["code"]) == (200, code)
    assert (await client.rpc("eth_blockNumber"))["result"] == "0x0"


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("eth_nothing", [], -32601),
        ("evm_revert", [], -32601),
        ("evm_increaseTime", [-1], -32602),
        ("eth_getBalance", [], -32602),
        ("eth_getBalance", ["0x12", "latest"], -32602),
        ("eth_getBalance", ["0x" + "00" * 20, "yesterday"], -32602),
        ("eth_getBalance", ["0x" + "00" * 20, "0x63"], -32000),
        ("eth_getBalance", ["0x" + "00" * 20, {"blockHash": "0x" + "11" * 32}], -32000),
        ("eth_getStorageAt", ["0x" + "00" * 20, "0x1" + "0" * 64, "latest"], -32602),
        ("eth_call", [], -32602),
        ("eth_call", ["0x"], -32602),
        ("eth_call", [{"to": "0x" + "00" * 20, "gas": "lots"}], -32602),
        ("eth_getLogs", [7], -32602),
        ("eth_getLogs", [{"fromBlock": "0x2", "toBlock": "0x1"}], -32602),
        ("eth_chainId", [1], -32602),
        ("eth_sendRawTransaction", ["0x"], -32000),
        ("eth_sendRawTransaction", ["0x02c0"], -32000),
        ("eth_sendRawTransaction", ["0x7fc0"], -32000),
        ("eth_sendRawTransaction", ["0xc0"], -32000),
        ("eth_sendRawTransaction", ["zz"], -32602),
    ],
    ids=str,
)
async def test_refusals(client: Client, method: str, params: list[object], code: int) -> None:
    answer = await client.rpc(method, *params)
    assert answer["error"]["code"] == code, answer
    assert answer["error"]["message"]
    assert (await client.rpc("eth_blockNumber"))["result"] == "0x0"


async def test_a_notification_is_not_answered(client: Client) -> None:
    assert await client.post(b'{"jsonrpc":"2.0","method":"eth_chainId"}') == (204, None)
    _, answer = await client.post(b'[{"method":"eth_chainId"},{"id":9,"method":"net_version"}]')
    assert [one["id"] for one in answer] == [9]


async def test_a_loop_in_a_call_ends_with_its_gas(client: Client) -> None:
    endless = {"data": "0x5b5f56", "gas": hex(10**6)}
    answer = await client.rpc("eth_call", endless)
    assert answer["error"]["code"] == -32000
