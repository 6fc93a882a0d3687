"""The development chain: alysis (py-evm) with five changes.

1. A block has the time of the given clock, or its parent's time if the clock went back.
2. Every transaction is mined at once, into its own block. Blocks of the same second then have equal
   timestamps, which Ethereum forbids and some layers 2 allow.
3. Queries by transaction hash and log filter are answered from an index that is written with each block,
   because alysis reads the whole chain, which takes more than a second after an hour of blocks.

4. CREATE2's deployer exists from the start, as on most chains.
5. Signatures of passkeys are verified by a precompile, as since Osaka and on rollups (EIP-7951).

The module is not thread-safe.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, cast

from alysis import Node, ValidationError
from eth.abc import BlockHeaderAPI, ComputationAPI, SignedTransactionAPI, StateAPI
from eth.chains.base import MiningChain
from eth.constants import BLANK_ROOT_HASH, POST_MERGE_MIX_HASH, POST_MERGE_NONCE
from eth.db import get_db_backend
from eth.typing import AccountDetails, HeaderParams
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.forks.prague.state import PragueState
from eth_typing import Address as EthAddress
from eth_typing import BlockNumber
from eth_utils.address import to_checksum_address
from ethereum_rpc import Address, BlockLabel, TxHash, unstructure

from sayso.devchain import p256
from sayso.devchain.logs import LogIndex
from sayso.devchain.proofs import Nodes, account_proof
from sayso.devchain.transactions import transaction_json, transaction_type
from sayso_contracts.registry.create2 import DEPLOYER, DEPLOYER_CODE

GAS_LIMIT = 30_000_000  # of a block and of an eth_call
BALANCE_WEI = 10_000 * 10**18  # initial balance of every account

CODE = {DEPLOYER: DEPLOYER_CODE}  # of accounts in the genesis block

Json = dict[str, Any]


class _DevComputation(PragueComputation):
    @classmethod
    def get_precompiles(cls) -> dict[EthAddress, Callable[[ComputationAPI], Any]]:
        return {**super().get_precompiles(), EthAddress(p256.ADDRESS): p256.p256_verify}

    @property
    def precompiles(self) -> dict[EthAddress, Callable[[ComputationAPI], Any]]:
        return self.get_precompiles()


class _DevState(PragueState):
    computation_class = _DevComputation


class _DevVM(PragueVM):
    """Prague rules, except for equal timestamps (rule 2) and the precompile (rule 5)."""

    @classmethod
    def get_state_class(cls) -> type[StateAPI]:
        return _DevState

    @classmethod
    def validate_header(cls, header: BlockHeaderAPI, parent_header: BlockHeaderAPI) -> None:
        if header.timestamp == parent_header.timestamp:
            parent_header = parent_header.copy(timestamp=header.timestamp - 1)
        super().validate_header(header, parent_header)


class Chain(Node):
    """Chain holds all blocks in memory and mines the next one on demand."""

    def __init__(self, chain_id: int, funded: Iterable[str], clock: Callable[[], float]) -> None:
        super().__init__(root_balance_wei=0, chain_id=chain_id, net_version=chain_id)
        self._clock = clock
        self._ahead_s = 0
        self._replace_genesis(funded)
        self.receipts: dict[str, Json] = {}
        self.transactions: dict[str, Json] = {}
        self.logs = LogIndex()

    def _replace_genesis(self, funded: Iterable[str]) -> None:
        """Create the genesis block with the given clock and accounts, which alysis fixes otherwise."""
        chain_class = type(self._backend.chain)  # alysis creates the class anew for every Node
        chain_class.vm_configuration = ((BlockNumber(0), _DevVM),)
        state = {_key(address): _account(BALANCE_WEI, 0, b"") for address in funded}
        state |= {_key(address): _account(0, 1, code) for address, code in CODE.items()}
        header: dict[str, HeaderParams] = {
            "coinbase": bytes(20),
            "difficulty": 0,
            "extra_data": b"",
            "gas_limit": GAS_LIMIT,
            "mix_hash": POST_MERGE_MIX_HASH,
            "nonce": POST_MERGE_NONCE,
            "receipt_root": BLANK_ROOT_HASH,
            "timestamp": int(self._clock()),
            "transaction_root": BLANK_ROOT_HASH,
        }
        chain = chain_class.from_genesis(get_db_backend(), header, state)
        self._backend.chain = cast("MiningChain", chain)

    @property
    def base_fee_wei(self) -> int:
        """Return the base fee per gas of the next block, in wei."""
        return int(self._backend.get_base_fee(BlockLabel.PENDING))

    def header(self, number: int) -> BlockHeaderAPI:
        """Return the header of a mined block."""
        return self._backend.chain.get_canonical_block_header_by_number(BlockNumber(number))

    def prove(self, address: Address, keys: Sequence[str], number: int) -> Json:
        """Return the EIP-1186 proof of an account and its storage after a block."""
        nodes = cast("Nodes", self._backend.chain.chaindb.db)
        return account_proof(nodes, self.header(number).state_root, bytes(address), keys)

    def increase_time(self, seconds: int) -> int:
        """Move the time of all further blocks forward, returning by how much in all; ValidationError."""
        if seconds < 0:
            raise ValidationError("time does not go back")
        self._ahead_s += seconds
        return self._ahead_s

    def mine(self) -> None:
        """Add an empty block."""
        self._open_block()
        self.mine_block()

    def _open_block(self) -> None:
        # Set before any transaction runs, because contracts read the timestamp of the pending block.
        parent = self._backend.chain.get_canonical_head()
        now = max(int(self._clock()) + self._ahead_s, parent.timestamp)
        self._backend.chain.set_header_timestamp(now)

    def submit(self, raw: bytes) -> str:
        """Mine a signed transaction and return its hash, 0x-prefixed; raises ValidationError."""
        transaction = self._decode(raw)
        self._check_nonce(transaction)
        self._open_block()
        transaction_hash: TxHash = self.eth_send_raw_transaction(raw)
        self._index(transaction_hash, transaction)
        return str(unstructure(transaction_hash))

    def _decode(self, raw: bytes) -> SignedTransactionAPI:
        try:
            transaction: SignedTransactionAPI = self._backend.decode_transaction(raw)
            transaction.validate()
            to_checksum_address(transaction.sender)
        except Exception as error:  # py-evm raises many types for bad bytes
            raise ValidationError(f"not a signed transaction: {error}") from error
        return transaction

    def _check_nonce(self, transaction: SignedTransactionAPI) -> None:
        """Raise the errors of geth, whose texts clients match."""
        if "0x" + transaction.hash.hex() in self.transactions:
            raise ValidationError("already known")
        expected = self.eth_get_transaction_count(Address(transaction.sender), BlockLabel.LATEST)
        if transaction.nonce != expected:
            low_or_high = "low" if transaction.nonce < expected else "high"
            raise ValidationError(
                f"nonce too {low_or_high}: next nonce {expected}, tx nonce {transaction.nonce}"
            )

    def _index(self, transaction_hash: TxHash, transaction: SignedTransactionAPI) -> None:
        mined = self.eth_get_transaction_receipt(transaction_hash)
        receipt = cast("Json", unstructure(mined))
        receipt["type"] = hex(transaction_type(transaction))
        key = receipt["transactionHash"]
        self.receipts[key] = receipt
        self.transactions[key] = transaction_json(transaction, receipt, self.eth_chain_id())
        self.logs.add(int(receipt["blockNumber"], 16), receipt["logs"])


def _key(address: str) -> EthAddress:
    return EthAddress(bytes.fromhex(address[2:]))


def _account(balance: int, nonce: int, code: bytes) -> AccountDetails:
    return {"balance": balance, "nonce": nonce, "code": code, "storage": {}}
