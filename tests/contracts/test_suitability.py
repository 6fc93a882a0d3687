"""What a chain lacks is found: on real chains of several forks, and behind odd endpoints."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from web3 import AsyncHTTPProvider, AsyncWeb3

from contracts.harness import Chain
from sayso_contracts.errors import ChainUnsuitable, RpcFailed, WrongBytecode
from sayso_contracts.registry.create2 import DEPLOYER_CODE
from sayso_contracts.suitability import P256_VERIFY, lacks, refuse
from sayso_protocol.primitives import hex_text
from support.anvil import anvil
from support.endpoint import Endpoint, Failure, block, endpoint

DEPLOYER_MISSING, P256, BASE_FEE, OPCODES = "deployer", "P-256", "EIP-1559", "Cancun"
YES, BYTE = hex_text((1).to_bytes(32)), "0x01"


async def missing(url: str) -> list[str]:
    """Which of the four a chain lacks, by a word of its name."""
    w3 = AsyncWeb3(AsyncHTTPProvider(url))
    try:
        found = await lacks(w3)
    finally:
        await w3.provider.disconnect()
    names = (DEPLOYER_MISSING, P256, BASE_FEE, OPCODES)
    return [name for one in found for name in names if name in one.what]


@pytest.mark.parametrize(
    ("hardfork", "options", "expected"),
    [
        ("osaka", (), []),
        ("isthmus", ("-n", "optimism"), []),
        ("prague", (), [P256]),
        ("osaka", ("--disable-default-create2-deployer",), [DEPLOYER_MISSING]),
        ("shanghai", (), [P256, OPCODES]),
        ("london", (), [P256, OPCODES]),
        ("berlin", (), [P256, BASE_FEE, OPCODES]),
    ],
)
async def test_of_each_fork(hardfork: str, options: tuple[str, ...], expected: list[str]) -> None:
    with anvil(hardfork=hardfork, options=options) as url:
        assert await missing(url) == expected


async def test_our_own_chain_lacks_nothing(embedded_chain: Chain) -> None:
    assert await lacks(embedded_chain.w3) == ()


def signature_says(good: str, bad: str) -> Callable[[list[Any]], Any]:
    """An eth_call where the precompile answers so to a good and to a wrong signature."""
    asked = list[str]()

    def call(params: list[Any]) -> Any:
        if params[0].get("to", "").lower() != P256_VERIFY:
            return BYTE
        asked.append(params[0]["data"])
        return good if len(asked) == 1 else bad

    return call


@pytest.fixture
async def rpc() -> AsyncIterator[Endpoint]:
    """An endpoint of a chain that has everything."""
    async with endpoint() as rpc:
        rpc.answers["eth_getCode"] = hex_text(DEPLOYER_CODE)
        rpc.answers["eth_call"] = signature_says(YES, "0x")
        yield rpc


async def test_a_chain_that_has_everything(rpc: Endpoint) -> None:
    assert await missing(rpc.url) == []


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("0x", "0x"),
        (YES, YES),  # to whatever is asked
        (hex_text((2).to_bytes(32)), "0x"),
        (BYTE, "0x"),
        (YES + "00", "0x"),
        (Failure({"code": 3, "message": "execution reverted", "data": "0x"}), "0x"),
    ],
)
async def test_what_is_no_p256(rpc: Endpoint, good: Any, bad: Any) -> None:
    rpc.answers["eth_call"] = signature_says(good, bad)
    assert await missing(rpc.url) == [P256]


async def test_a_precompile_that_no_wrong_signature_passes_may_answer_no_in_any_way(
    rpc: Endpoint,
) -> None:
    rpc.answers["eth_call"] = signature_says(YES, hex_text(bytes(32)))
    assert await missing(rpc.url) == []


@pytest.mark.parametrize(
    "error",
    [
        {"code": -32000, "message": "invalid opcode: opcode 0x5e not defined"},
        {"code": -32003, "message": "EVM error NotActivated"},
        {"code": 3, "message": "execution reverted", "data": "0x"},
    ],
)
async def test_an_opcode_that_an_endpoint_does_not_know(rpc: Endpoint, error: dict[str, Any]) -> None:
    answered = rpc.answers["eth_call"]

    def call(params: list[Any]) -> Any:
        is_new = str(params[0].get("data")).startswith("0x5f5f5f5e")
        return Failure(error) if is_new else answered(params)

    rpc.answers["eth_call"] = call
    assert await missing(rpc.url) == [OPCODES]


async def test_an_endpoint_that_runs_no_code_says_nothing_about_its_chain(rpc: Endpoint) -> None:
    rpc.answers["eth_call"] = Failure({"code": -32005, "message": "limit exceeded"})
    with pytest.raises(RpcFailed):
        await missing(rpc.url)


async def test_one_that_answers_what_it_was_asked_runs_no_code_either(rpc: Endpoint) -> None:
    precompile = rpc.answers["eth_call"]
    rpc.answers["eth_call"] = lambda asked: precompile(asked) if "to" in asked[0] else asked[0]["data"]
    with pytest.raises(RpcFailed):
        await missing(rpc.url)


async def test_a_block_without_a_base_fee(rpc: Endpoint) -> None:
    rpc.answers["eth_getBlockByNumber"] = block(baseFeePerGas=None)
    assert await missing(rpc.url) == [BASE_FEE]


async def test_a_base_fee_of_nothing_is_one(rpc: Endpoint) -> None:
    rpc.answers["eth_getBlockByNumber"] = block(baseFeePerGas="0x0")
    assert await missing(rpc.url) == []


async def test_no_code_and_other_code_where_the_deployer_should_be(rpc: Endpoint) -> None:
    rpc.answers["eth_getCode"] = "0x"
    assert await missing(rpc.url) == [DEPLOYER_MISSING]
    rpc.answers["eth_getCode"] = "0x00"
    with pytest.raises(WrongBytecode):
        await missing(rpc.url)


async def test_everything_that_is_lacking_is_said_at_once(rpc: Endpoint) -> None:
    rpc.answers["eth_getCode"] = "0x"
    rpc.answers["eth_getBlockByNumber"] = block(baseFeePerGas=None)
    rpc.answers["eth_call"] = signature_says("0x", "0x")
    w3 = AsyncWeb3(AsyncHTTPProvider(rpc.url))
    found = await lacks(w3)
    await w3.provider.disconnect()
    with pytest.raises(ChainUnsuitable) as refused:
        refuse(found)
    for one in found:
        assert one.what in str(refused.value)
        assert one.consequence in str(refused.value)
    assert len(found) == 3
    refuse(())
