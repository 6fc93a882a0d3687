"""The JSON-RPC methods: those of alysis, with replacements where they differ from real nodes.

The replacements also accept EIP-1898 block ids, a missing block id (latest), `input` for `data`, fees in
a call (ignored, because a call costs nothing), and a call without `to`, which runs init code and returns
its result (ERC-6492 needs it).
"""

from collections.abc import Callable
from dataclasses import replace
from inspect import signature
from typing import Any, cast

from alysis import RPCNode, ValidationError
from eth_utils.exceptions import ValidationError as EthValidationError
from ethereum_rpc import (
    Address,
    Block,
    BlockHash,
    BlockLabel,
    EstimateGasParams,
    EthCallParams,
    RPCError,
    RPCErrorCode,
    structure,
    unstructure,
)

from sayso.devchain.chain import GAS_LIMIT, Chain
from sayso.devchain.proofs import header_json

TIP_WEI = 1_000_000_000  # what eth_maxPriorityFeePerGas suggests, per gas
MAX_FEE_HISTORY = 1024  # blocks
EMPTY = (None, "", "0x")
ZERO_ADDRESS = "0x" + 40 * "0"
UNCHANGED = ("eth_accounts", "eth_blockNumber", "eth_chainId", "eth_gasPrice", "net_version")
AT_A_BLOCK = {"eth_getBalance": 1, "eth_getCode": 1, "eth_getStorageAt": 2, "eth_getTransactionCount": 1}

Json = Any  # a value of json.loads
Method = Callable[[tuple[Json, ...]], Json]


class Methods(RPCNode):
    """Methods executes one call at a time with `rpc(method, *params)`, which raises RPCError."""

    def __init__(self, chain: Chain) -> None:
        super().__init__(chain)
        self._chain = chain
        kept: dict[str, Method] = {name: self._methods[name] for name in UNCHANGED}
        at_a_block = {name: self._with_block(name, where) for name, where in AT_A_BLOCK.items()}
        ours = {name: _positional(method) for name, method in self._own_methods().items()}
        self._methods = cast("Any", kept | at_a_block | ours)

    def rpc(self, method_name: str, *params: Json) -> Json:
        """Execute one call; raises RPCError."""
        try:
            return super().rpc(method_name, *params)
        except (ValueError, ArithmeticError, EthValidationError) as error:
            # alysis and py-evm raise these for addresses and slots of a wrong length.
            raise RPCError.with_code(RPCErrorCode.INVALID_PARAMETER, str(error)) from error

    def _own_methods(self) -> dict[str, Callable[..., Json]]:
        chain = self._chain
        return {
            "eth_call": self._call,
            "eth_estimateGas": self._estimate,
            "eth_feeHistory": self._fee_history,
            "eth_getBlockByHash": self._block_by_hash,
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getLogs": self._logs,
            "eth_getProof": self._proof,
            "eth_getTransactionByHash": lambda key: chain.transactions.get(str(key).lower()),
            "eth_getTransactionReceipt": lambda key: chain.receipts.get(str(key).lower()),
            "eth_maxPriorityFeePerGas": lambda: hex(TIP_WEI),
            "eth_sendRawTransaction": self._send,
            "eth_syncing": lambda: False,
            "evm_increaseTime": self._increase_time,
            "evm_mine": self._mine,
            "web3_clientVersion": lambda: "sayso-devchain",
        }

    def _with_block(self, name: str, where: int) -> Method:
        """Wrap an alysis method to accept every form of block id."""
        method = cast("Method", self._methods[name])

        def call(params: tuple[Json, ...]) -> Json:
            block = self._block(params[where] if len(params) > where else "latest")
            return method((*params[:where], unstructure(block, Block), *params[where + 1 :]))

        return call

    def _block(self, block: Json) -> Block:
        """Return the number or label of a block id (EIP-1898); raises for an unknown block hash."""
        if isinstance(block, dict):
            if "blockNumber" not in block:
                block_hash = structure(BlockHash, block.get("blockHash"))
                return self._chain.eth_get_block_by_hash(block_hash, with_transactions=False).number
            block = block["blockNumber"]
        return cast("Block", structure(cast("Any", Block), block))

    def _call(self, call: Json, block: Json = "latest") -> Json:
        fields = _call_fields(call)
        params = structure(EthCallParams, {"to": ZERO_ADDRESS} | fields)
        if "to" not in fields:
            params = replace(params, to=cast("Address", b""))  # py-evm's mark of a creation
        return unstructure(self._chain.eth_call(params, self._block(block)))

    def _estimate(self, call: Json, block: Json = "latest") -> Json:
        params = structure(EstimateGasParams, {"from": ZERO_ADDRESS} | _call_fields(call))
        return unstructure(self._chain.eth_estimate_gas(params, self._block(block)))

    def _send(self, raw: Json) -> Json:
        try:
            return self._chain.submit(structure(bytes, raw))
        except ValidationError as error:
            raise RPCError.with_code(RPCErrorCode.SERVER_ERROR, str(error)) from error

    def _increase_time(self, seconds: Json) -> Json:
        """Move the clock of all further blocks forward; returns by how much in all, as anvil does."""
        by = structure(int, seconds) if isinstance(seconds, str) else int(seconds)
        return self._chain.increase_time(by)

    def _mine(self) -> Json:
        self._chain.mine()
        return "0x0"

    def _block_by_number(self, block: Json, full: Json = False) -> Json:  # noqa: FBT002
        return self._filled(self._eth_get_block_by_number((block, False)), full)

    def _block_by_hash(self, block_hash: Json, full: Json = False) -> Json:  # noqa: FBT002
        return self._filled(self._eth_get_block_by_hash((block_hash, False)), full)

    def _filled(self, block: Json, full: Json) -> Json:
        if block is None:
            return None
        if block["hash"] is not None:  # not pending
            block |= header_json(self._chain.header(int(block["number"], 16)))
        if full:
            block["transactions"] = [self._chain.transactions[key] for key in block["transactions"]]
        return block

    def _proof(self, address: Json, keys: Json, block: Json = "latest") -> Json:
        number = self._number(block)
        structure(list[int], keys)  # raises unless they are hex numbers
        return self._chain.prove(structure(Address, address), keys, number)

    def _number(self, block: Json) -> int:
        """Return the number of a block id; labels refer to the present."""
        label = self._block(block)
        if label is BlockLabel.EARLIEST:
            return 0
        return label if isinstance(label, int) else int(self._chain.eth_block_number())

    def _logs(self, query: Json) -> Json:
        if not isinstance(query, dict):
            raise ValidationError("the parameter of eth_getLogs must be an object")
        if "blockHash" in query:
            first = last = self._number({"blockHash": query["blockHash"]})
        else:
            first = self._number(query.get("fromBlock") or "latest")
            last = self._number(query.get("toBlock") or "latest")
        if first > last and "toBlock" in query:
            raise ValidationError("invalid block range: fromBlock is after toBlock")
        return self._chain.logs.find(first, last, query.get("address"), query.get("topics"))

    def _fee_history(self, count: Json, newest: Json, percentiles: Json = ()) -> Json:
        wanted = structure(int, count) if isinstance(count, str) else int(count)
        last = self._number(newest)
        first = max(0, last + 1 - min(max(wanted, 1), MAX_FEE_HISTORY))
        blocks = [self._block_by_number(hex(number)) for number in range(first, last + 1)]
        history: dict[str, Json] = {
            "oldestBlock": hex(first),
            "baseFeePerGas": [b["baseFeePerGas"] for b in blocks] + [hex(self._chain.base_fee_wei)],
            "gasUsedRatio": [int(b["gasUsed"], 16) / int(b["gasLimit"], 16) for b in blocks],
        }
        if percentiles:
            history["reward"] = [[hex(TIP_WEI)] * len(percentiles) for _ in blocks]
        return history


def _positional(method: Callable[..., Json]) -> Method:
    """Raise ValidationError for a wrong number of parameters."""
    expected = signature(method)

    def call(params: tuple[Json, ...]) -> Json:
        try:
            expected.bind(*params)
        except TypeError as error:
            raise ValidationError(f"wrong parameters: {error}") from error
        return method(*params)

    return call


def _call_fields(call: Json) -> dict[str, Json]:
    """Return the fields that decide the outcome of a call; null and empty fields count as missing."""
    if not isinstance(call, dict):
        raise ValidationError("a call must be an object")
    given = {key: value for key, value in call.items() if value not in EMPTY}
    fields = {key: given[key] for key in ("from", "to", "gas", "value") if key in given}
    if "gas" in fields:
        fields["gas"] = hex(min(structure(int, fields["gas"]), GAS_LIMIT))  # the same cap as geth
    data = given.get("data", given.get("input"))
    return fields if data is None else fields | {"data": data}
