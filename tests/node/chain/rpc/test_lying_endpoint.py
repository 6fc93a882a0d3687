"""Whatever an endpoint answers, it is an answer or ChainUnreachable: nothing else comes out."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from eth_account import Account

from sayso_contracts.errors import TransactionTooLarge
from sayso_contracts.registry.abi import encode_call
from sayso_contracts.registry.events import ANCHORED_TOPIC, REVOKED_TOPIC
from sayso_contracts.transactions import Fees
from sayso_node.chain.paying.web3_account import Web3Account
from sayso_node.chain.rpc import json_rpc
from sayso_node.chain.rpc.endpoints import Endpoints
from sayso_node.chain.rpc.web3_chain import Web3Chain
from sayso_node.errors import ChainUnreachable
from sayso_node.freshness import Freshness
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text, hex_text
from support.endpoint import CHAIN_ID, CUT, HASH, SILENT, Endpoint, Failure, Raw, block, endpoint
from support.protocol_strategies import ADA

REGISTRY = b"\x5a" * 20
PAYER = Account.from_key(b"\7" * 32)
NETWORK = Network(CHAIN_ID, REGISTRY)
ROOT = b"\x11" * 32
DATA = encode_call("anchor", ROOT)
FEES = Fees(2, 1)
TRANSACTION = b"\x02" + b"\x99" * 99

NO_JSON_RPC = {
    "no JSON": Raw(b"<html>Bad gateway</html>", 502),
    "words": Raw(b"all is well"),
    "nothing": Raw(b""),
    "a list": Raw(b"[1, 2]"),
    "a number": Raw(b"7"),
    "null": Raw(b"null"),
    "a text": Raw(b'"result"'),
    "no result": Raw(b'{"jsonrpc": "2.0", "id": 1}'),
    "nested deeply": Raw(b"[" * 200_000),
    "a number of too many digits": Raw(b'{"id": 0, "jsonrpc": "2.0", "result": ' + b"9" * 9_999 + b"}"),
    "no UTF-8": Raw(b'{"jsonrpc": "2.0", "result": "\xff"}'),
    "not found": Raw(b"{}", 404),
    "too many requests": Raw(b"{}", 429),
    "an error": Failure({"code": -32_000, "message": "no"}),
    "an error without words": Failure({"code": -32_000}),
    "an error that is a text": Failure("no"),
    "an error that is a list": Failure([1]),
    "hangs up": CUT,
    "a redirect with a body": Raw(b'{"jsonrpc": "2.0", "id": 1, "result": "0x7a69"}', 302),
    "the answer to another question": Raw(b'{"jsonrpc": "2.0", "id": 999, "result": []}'),
    "the id of a text of another": Raw(b'{"jsonrpc": "2.0", "id": "999", "result": []}'),
    "a list of the right answer twice": Raw(b'[{"id": 1, "result": []}, {"id": 1, "result": []}]'),
}
NO_NUMBER: dict[str, Any] = {
    "a null": None,
    "words": "zz",
    "a list": [],
    "an object": {},
    "a fraction": 1.5,
    "empty": "",
}
HEADS: dict[str, Any] = {
    "a null": None,
    "a list": [],
    "a text": "0x7",
    "empty": {},
    "no hash": block(hash=None),
    "no number": block(number=None),
    "no time": block(timestamp=None),
    "short hash": block(hash="0x" + "ab" * 31),
    "long hash": block(hash="0x" + "ab" * 33),
    "hash of words": block(hash="zz"),
    "hash is a number": block(hash=7),
    "hash is a list": block(hash=[1] * 32),
    "huge number": block(1 << 70),
    "negative number": block(number="-0x1"),
    "number of words": block(number="seven"),
    "huge time": block(timestamp=hex(10**400)),
    "negative time": block(timestamp="-0x1"),
    "time of words": block(timestamp="noon"),
    "decimal time": block(timestamp="1750000000"),
    "decimal number": block(number="7"),
    "number with a sign": block(number="+0x7"),
    "number between spaces": block(number=" 0x7 "),
    "number with an underscore": block(number="0x_7"),
    "number in Arabic digits": block(number="0x\u0667"),
}


def log(**changes: Any) -> dict[str, Any]:
    """A good log of the registry, of an anchored root."""
    values = {
        "address": address_text(REGISTRY),
        "topics": [hex_text(ANCHORED_TOPIC), hex_text(ROOT), hex_text(ADA.rjust(32, b"\0"))],
        "data": "0x",
        "blockNumber": "0x5",
        "blockHash": HASH,
        "logIndex": "0x0",
        "transactionHash": HASH,
        "transactionIndex": "0x0",
        "removed": False,
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


REVOKED = [hex_text(REVOKED_TOPIC), hex_text(ADA.rjust(32, b"\0")), hex_text((1 << 250).to_bytes(32))]
LOGS: dict[str, Any] = {
    "a null": None,
    "an object": {},
    "a text": "0x",
    "a number": 7,
    "a list of numbers": [1],
    "a list of nulls": [None],
    "a list of texts": ["0x"],
    "an empty log": [{}],
    "no topics": [log(topics=None)],
    "topics of numbers": [log(topics=[1, 2, 3])],
    "too few topics": [log(topics=[hex_text(ANCHORED_TOPIC)])],
    "a short topic": [log(topics=[hex_text(ANCHORED_TOPIC), "0x11", hex_text(ADA.rjust(32, b"\0"))])],
    "an address with more before it": [log(topics=[hex_text(ANCHORED_TOPIC), hex_text(ROOT), HASH])],
    "no block": [log(blockNumber=None)],
    "no block hash": [log(blockHash=None)],
    "a short block hash": [log(blockHash="0xab")],
    "a block before": [log(blockNumber="0x3")],
    "a block after": [log(blockNumber="0x9")],
    "a huge block": [log(blockNumber=hex(1 << 70))],
    "a word too large": [log(topics=REVOKED, data="0x" + "00" * 31 + "01")],
    "bits missing": [log(topics=[*REVOKED[:2], hex_text(bytes(32))], data="0x")],
    "bits too long": [log(topics=[*REVOKED[:2], hex_text(bytes(32))], data="0x" + "01" * 64)],
    "good beside bad": [log(), log(blockNumber="zz")],
    "a decimal block": [log(blockNumber="5")],
    "a decimal index": [log(logIndex="0")],
    "removed in words": [log(removed="false")],
    "removed as a number": [log(removed=1)],
}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that only ever asks for fewer requests is given up soon."""
    monkeypatch.setattr(json_rpc, "PATIENCES", 0.02)


@pytest.fixture
async def rpc() -> AsyncIterator[Endpoint]:
    async with endpoint() as rpc:
        yield rpc


@pytest.fixture
async def chain(rpc: Endpoint) -> AsyncIterator[Web3Chain]:
    chain = Web3Chain(rpc.url, NETWORK)
    yield chain
    await chain.close()


@pytest.fixture
def account(chain: Web3Chain) -> Web3Account:
    return paying(chain)


def paying(chain: Web3Chain) -> Web3Account:
    endpoints = Endpoints([chain], Freshness([]), Alarms(), Counters(), finality=1)
    return Web3Account(PAYER, NETWORK, endpoints)


async def test_the_endpoint_is_good_as_long_as_it_does_not_lie(
    chain: Web3Chain, account: Web3Account, rpc: Endpoint
) -> None:
    """Otherwise the tests below would prove nothing."""
    head = await chain.head()
    assert (head.point.number, hex_text(head.point.hash), head.time) == (7, HASH, 1_750_000_000)
    found = await chain.header(5)
    assert found
    assert found.point.hash == head.point.hash
    rpc.answers["eth_getLogs"] = [log()]
    [event] = await chain.events(4, 6)
    assert (event.block_number, vars(event)["root"]) == (5, ROOT)
    gas = await account.estimate(DATA)
    signed = await account.sign(DATA, await account.used_nonces(), gas, await account.suggest_fees())
    assert not await account.knows(signed.hash)
    await account.send(signed.raw)


@pytest.mark.parametrize("name", [*NO_JSON_RPC, *HEADS])
async def test_heads(chain: Web3Chain, rpc: Endpoint, name: str) -> None:
    rpc.answers["eth_getBlockByNumber"] = NO_JSON_RPC.get(name) or HEADS[name]
    with pytest.raises(ChainUnreachable):
        await chain.head()


@pytest.mark.parametrize("name", [*NO_JSON_RPC, *HEADS])
async def test_blocks(chain: Web3Chain, rpc: Endpoint, name: str) -> None:
    rpc.answers["eth_getBlockByNumber"] = NO_JSON_RPC.get(name) or HEADS[name]
    if name == "a null":  # there is no such block
        assert await chain.header(7) is None
        return
    with pytest.raises(ChainUnreachable):
        await chain.header(7)


async def test_a_block_of_another_height_is_not_taken(chain: Web3Chain, rpc: Endpoint) -> None:
    rpc.answers["eth_getBlockByNumber"] = block(8)
    with pytest.raises(ChainUnreachable):
        await chain.header(7)


@pytest.mark.parametrize("name", [*NO_JSON_RPC, *LOGS])
async def test_logs(chain: Web3Chain, rpc: Endpoint, name: str) -> None:
    rpc.answers["eth_getLogs"] = NO_JSON_RPC.get(name) or LOGS[name]
    with pytest.raises(ChainUnreachable):
        await chain.events(4, 6)


async def test_logs_of_others_and_removed_ones_are_left_out(chain: Web3Chain, rpc: Endpoint) -> None:
    others = [log(address=address_text(ADA)), log(removed=True), log(topics=[HASH]), log(topics=[])]
    rpc.answers["eth_getLogs"] = [*others, log(logIndex="0x3"), log(logIndex="0x1")]
    events = await chain.events(4, 6)
    assert [event.log_index for event in events] == [1, 3]


@pytest.mark.parametrize("name", [*NO_JSON_RPC, *NO_NUMBER, "another chain"])
async def test_the_chain_is_asked_for_first(chain: Web3Chain, rpc: Endpoint, name: str) -> None:
    rpc.answers["eth_chainId"] = NO_JSON_RPC.get(name) or NO_NUMBER.get(name, hex(CHAIN_ID + 1))
    for _ in range(2):
        with pytest.raises(ChainUnreachable):
            await chain.head()
    assert "eth_getBlockByNumber" not in rpc.asked


@pytest.mark.parametrize("name", [*NO_JSON_RPC, *NO_NUMBER])
async def test_what_an_account_asks(account: Web3Account, rpc: Endpoint, name: str) -> None:
    for method in ("eth_estimateGas", "eth_getTransactionCount", "eth_getBalance"):
        rpc.answers[method] = NO_JSON_RPC.get(name) or NO_NUMBER[name]
    for asking in (
        account.estimate(DATA),
        account.used_nonces(),
        account.used_nonces(3),
        account.pending_nonces(),
        account.balance(),
    ):
        with pytest.raises(ChainUnreachable):
            await asking


async def test_a_call_that_cannot_work_is_not_signed(account: Web3Account, rpc: Endpoint) -> None:
    rpc.answers["eth_estimateGas"] = Failure(
        {"code": 3, "message": "execution reverted", "data": "0x08c379a0"}
    )
    with pytest.raises(ChainUnreachable):
        await account.estimate(DATA)
    rpc.answers["eth_estimateGas"] = hex(1 << 70)
    with pytest.raises(TransactionTooLarge):
        await account.estimate(DATA)


async def test_nothing_is_signed_for_another_chain(account: Web3Account, rpc: Endpoint) -> None:
    rpc.answers["eth_chainId"] = hex(CHAIN_ID + 1)
    with pytest.raises(ChainUnreachable):
        await account.sign(DATA, 0, 60_000, FEES)


@pytest.mark.parametrize("name", NO_JSON_RPC)
async def test_sending(account: Web3Account, rpc: Endpoint, name: str) -> None:
    for method in ("eth_sendRawTransaction", "eth_getTransactionByHash", "eth_getTransactionReceipt"):
        rpc.answers[method] = NO_JSON_RPC[name]
    for asking in (account.send(TRANSACTION), account.knows(ROOT), account.landed(ROOT)):
        with pytest.raises(ChainUnreachable):
            await asking


@pytest.mark.parametrize("answer", [[], 7, {}, {"hash": HASH}, {"hash": "zz"}])
async def test_another_transaction_is_not_ours(account: Web3Account, rpc: Endpoint, answer: Any) -> None:
    rpc.answers["eth_getTransactionByHash"] = answer
    with pytest.raises(ChainUnreachable):
        await account.knows(ROOT)


RECEIPT = {
    "transactionHash": hex_text(ROOT),
    "blockNumber": "0x5",
    "blockHash": HASH,
    "gasUsed": "0x10",
    "effectiveGasPrice": "0x3",
    "status": "0x1",
    "logs": [],
}
RECEIPTS: dict[str, Any] = {
    "a list": [],
    "a number": 7,
    "empty": {},
    "another's": RECEIPT | {"transactionHash": HASH},
    "no block": RECEIPT | {"blockNumber": None},
    "a block of words": RECEIPT | {"blockNumber": "seven"},
    "gas of words": RECEIPT | {"gasUsed": "much"},
    "no price": {name: value for name, value in RECEIPT.items() if name != "effectiveGasPrice"},
}


async def test_a_receipt(account: Web3Account, rpc: Endpoint) -> None:
    rpc.answers["eth_getTransactionReceipt"] = None
    assert await account.landed(ROOT) is None
    rpc.answers["eth_getTransactionReceipt"] = RECEIPT
    landed = await account.landed(ROOT)
    assert landed
    assert (landed.block.number, landed.ok, landed.cost) == (5, True, 48)


@pytest.mark.parametrize("name", RECEIPTS)
async def test_receipts(account: Web3Account, rpc: Endpoint, name: str) -> None:
    rpc.answers["eth_getTransactionReceipt"] = RECEIPTS[name]
    with pytest.raises(ChainUnreachable):
        await account.landed(ROOT)


async def test_an_endpoint_that_stays_silent() -> None:
    async with endpoint() as rpc:
        chain = Web3Chain(rpc.url, NETWORK, 0.2)
        rpc.answers["eth_getLogs"] = SILENT
        with pytest.raises(ChainUnreachable):
            await chain.events(4, 6)
        await chain.close()


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:1", "ws://127.0.0.1:1", "http://[::1", "nonsense", "ftp://127.0.0.1", ""],
)
async def test_an_endpoint_that_is_not_there(url: str) -> None:
    chain = Web3Chain(url, NETWORK)
    account = paying(chain)
    for asking in (chain.head(), chain.header(7), chain.events(4, 6), account.balance()):
        with pytest.raises(ChainUnreachable):
            await asking
    with pytest.raises(ChainUnreachable):
        await account.send(TRANSACTION)
    await chain.close()
