"""What web3.py does with a real chain, it does with this one."""

import asyncio

import pytest
from eth_account import Account
from eth_typing import HexStr
from web3.exceptions import ContractCustomError, ContractLogicError, TransactionNotFound, Web3RPCError
from web3.types import TxParams

from cli.devchain.harness import REVERT_DEADBEEF, REVERT_EMPTY, TWO_LOGS, Client

# The deployer of EIP-1014 contracts that many chains share: a transaction that nobody has the key of.
DEPLOYER = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
DEPLOYER_TX = HexStr(
    "0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe7fffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014"
    "600cf31ba02222222222222222222222222222222222222222222222222222222222222222a022222222222222222222222"
    "22222222222222222222222222222222222222222"
)


async def test_a_transfer_with_eip_1559_fees(client: Client) -> None:
    giver, taker = client.chain.accounts[:2]
    before = await client.web3.eth.get_balance(taker.address)
    receipt = await client.send(giver, to=taker.address, value=7)
    assert (receipt["status"], receipt["gasUsed"], receipt["type"]) == (1, 21_000, 2)
    assert await client.web3.eth.get_balance(taker.address) == before + 7
    assert await client.web3.eth.get_transaction_count(giver.address) == 1
    block = await client.web3.eth.get_block(receipt["blockHash"], full_transactions=True)
    sent = await client.web3.eth.get_transaction(receipt["transactionHash"])
    assert block["transactions"] == [sent]
    assert (sent["to"], sent["value"], sent["from"]) == (taker.address, 7, giver.address)


async def test_a_contract_is_created_and_answers(client: Client) -> None:
    address = await client.deploy("602a5f5260205ff3")
    code = await client.web3.eth.get_code(client.web3.to_checksum_address(address))
    assert code.hex() == "602a5f5260205ff3"
    answer = await client.web3.eth.call({"to": client.web3.to_checksum_address(address)})
    assert int.from_bytes(answer) == 42


async def test_the_transaction_of_a_creation_names_no_receiver(client: Client) -> None:
    receipt = await client.send(client.chain.accounts[0], data="0x00")
    sent = await client.web3.eth.get_transaction(receipt["transactionHash"])
    assert receipt["contractAddress"] is not None
    assert not sent["to"]
    assert not receipt["to"]


async def test_estimated_gas_suffices(client: Client) -> None:
    sender = client.chain.accounts[0]
    call: TxParams = {"from": sender.address, "data": HexStr("0x" + "60005b" * 50)}
    gas = await client.web3.eth.estimate_gas(call)
    assert (await client.send(sender, data=call["data"], gas=gas))["status"] == 1


async def test_a_transaction_from_before_eip_155_is_taken(client: Client) -> None:
    signer = Account.recover_transaction(DEPLOYER_TX)
    await client.send(client.chain.accounts[0], to=signer, value=10**16)
    sent = await client.web3.eth.send_raw_transaction(DEPLOYER_TX)
    receipt = await client.web3.eth.get_transaction_receipt(sent)
    assert receipt["contractAddress"] == DEPLOYER
    assert (await client.web3.eth.get_transaction(sent))["v"] == 27
    salt, init = bytes(32), bytes.fromhex("6001600c60003960016000f3") + b"\x00"
    made = await client.send(client.chain.accounts[0], to=DEPLOYER, data=salt + init)
    assert made["status"] == 1


async def test_a_call_says_why_it_reverted(client: Client) -> None:
    address = client.web3.to_checksum_address(await client.deploy(REVERT_DEADBEEF))
    with pytest.raises(ContractCustomError, match="0xdeadbeef"):
        await client.web3.eth.call({"to": address})
    error = (await client.rpc("eth_estimateGas", {"to": address}))["error"]
    assert (error["code"], error["data"]) == (3, "0xdeadbeef")


async def test_a_revert_without_data_is_a_revert(client: Client) -> None:
    address = client.web3.to_checksum_address(await client.deploy(REVERT_EMPTY))
    with pytest.raises(ContractLogicError, match="execution reverted"):
        await client.web3.eth.call({"to": address})


async def test_a_reverted_transaction_is_mined_with_status_0(client: Client) -> None:
    address = await client.deploy(REVERT_DEADBEEF)
    receipt = await client.send(client.chain.accounts[0], to=address)
    assert receipt["status"] == 0


async def test_a_call_without_receiver_runs_init_code(client: Client) -> None:
    """The way an ERC-6492 signature of a wallet that does not exist yet is checked."""
    answer = await client.web3.eth.call({"data": HexStr("0x60015f5260205ff3")})
    assert int.from_bytes(answer) == 1
    for nobody in (None, "", "0x"):
        answer = await client.rpc("eth_estimateGas", {"to": nobody, "input": "0x60015f5260205ff3"})
        assert int(answer["result"], 16) > 53_000
    assert await client.web3.eth.block_number == 0


async def test_logs_are_found_by_block_address_and_topic(client: Client) -> None:
    web3, sender = client.web3, client.chain.accounts[0]
    first, second = [await client.deploy(TWO_LOGS) for _ in range(2)]
    mined = [
        await client.send(sender, to=to, data=f"0x{topic:064x}")
        for to, topic in ((first, 1), (second, 2), (first, 2))
    ]
    numbers = [receipt["blockNumber"] for receipt in mined]
    assert [log["logIndex"] for log in mined[0]["logs"]] == [0, 1]

    async def topics(**query: object) -> list[int]:
        logs = await web3.eth.get_logs({"fromBlock": 0, **query})  # type: ignore[typeddict-item]
        return [int.from_bytes(log["topics"][0]) for log in logs]

    assert await topics() == [1, 32, 2, 32, 2, 32]
    assert await topics(address=first) == [1, 32, 2, 32]
    assert await topics(address=[first, second], topics=[["0x" + f"{2:064x}"]]) == [2, 2]
    assert await topics(fromBlock=numbers[1], toBlock=numbers[1]) == [2, 32]
    assert await topics(fromBlock=numbers[2] + 5) == []
    assert await topics(topics=[None]) == [1, 32, 2, 32, 2, 32]
    assert await topics(topics=[None, None]) == []
    only = await web3.eth.get_logs({"blockHash": mined[0]["blockHash"]})
    assert [log["transactionHash"] for log in only] == [mined[0]["transactionHash"]] * 2


async def test_state_is_read_at_the_block_that_was_asked_for(client: Client) -> None:
    giver, taker = client.chain.accounts[:2]
    receipt = await client.send(giver, to=taker.address, value=5)
    before = await client.web3.eth.get_balance(taker.address, 0)
    by_hash = {"blockHash": client.web3.to_hex(receipt["blockHash"])}
    answer = await client.rpc("eth_getBalance", taker.address, by_hash)
    assert int(answer["result"], 16) == before + 5


async def test_transactions_sent_all_at_once_are_all_mined(client: Client) -> None:
    taker = client.web3.eth.account.create().address
    sent = [client.send(account, to=taker, value=1) for account in client.chain.accounts]
    receipts = await asyncio.gather(*sent)
    assert sorted(r["blockNumber"] for r in receipts) == list(range(1, len(receipts) + 1))
    assert await client.web3.eth.get_balance(taker) == len(receipts)


async def test_nonces_out_of_turn_are_refused_in_words_that_clients_know(client: Client) -> None:
    sender = client.chain.accounts[0]
    await client.send(sender, to=sender.address)
    with pytest.raises(Web3RPCError, match="nonce too low"):
        await client.send(sender, to=sender.address, nonce=0, value=1)
    with pytest.raises(Web3RPCError, match="nonce too high"):
        await client.send(sender, to=sender.address, nonce=2)
    with pytest.raises(Web3RPCError, match="already known"):
        await client.send(sender, to=sender.address, nonce=0)


async def test_an_unknown_transaction_has_no_receipt(client: Client) -> None:
    with pytest.raises(TransactionNotFound):
        await client.web3.eth.get_transaction_receipt(bytes(32))  # type: ignore[arg-type]


async def test_fees_can_be_planned(client: Client) -> None:
    await client.send(client.chain.accounts[0], to=client.chain.accounts[1].address)
    history = await client.web3.eth.fee_history(2, "latest", [50.0])
    latest = await client.web3.eth.get_block("latest")
    assert history["oldestBlock"] == 0
    assert history["baseFeePerGas"][1] == latest["baseFeePerGas"]
    assert len(history["baseFeePerGas"]) == len(history["gasUsedRatio"]) + 1 == 3
    assert len(history["reward"]) == 2
    assert await client.web3.eth.gas_price > 0
