"""Safe 1.4.1 on a chain of a test, from the artifacts that its makers publish on npm.

code = SafeCode(w3)
safe = code.safe([ann, bob, cem], threshold=2)
safe.deploy(); safe.sign(digest, ann, bob)
"""

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import encode as abi_encode
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount
from web3 import Web3

from sayso_protocol.primitives import address_from_text, keccak
from sayso_protocol.signatures.contract_wallets import WalletProof, wrap
from support.anvil import REPOSITORY

PACKAGE: Final = REPOSITORY / "tests/interop/node_modules/@safe-global/safe-contracts"
NAMES: Final = {
    "Safe": "Safe.sol",
    "SafeProxyFactory": "proxies/SafeProxyFactory.sol",
    "CompatibilityFallbackHandler": "handler/CompatibilityFallbackHandler.sol",
    "SignMessageLib": "libraries/SignMessageLib.sol",
}
NOBODY: Final = "0x" + "00" * 20
CALL, DELEGATE_CALL = 0, 1
_DOMAIN: Final = keccak(b"EIP712Domain(uint256 chainId,address verifyingContract)")
_MESSAGE: Final = keccak(b"SafeMessage(bytes message)")
_ETH_SIGN: Final = 4  # added to v of a signature over the prefixed hash


def artifact(name: str) -> dict[str, Any]:
    """The ABI and the code of one contract; fails if npm did not install them."""
    path = Path(PACKAGE, "build/artifacts/contracts", NAMES[name], f"{name}.json")
    assert path.is_file(), "run `make interop`, which installs what it needs"
    read: dict[str, Any] = json.loads(path.read_text())
    return read


class SafeCode:
    """The contracts that all Safes share, deployed by the third account of the chain."""

    def __init__(self, w3: Web3) -> None:
        self.w3 = w3
        self.payer = list(w3.eth.accounts)[2]
        self.at = {name: self._deployed(name) for name in NAMES}

    def _deployed(self, name: str) -> Any:
        made = artifact(name)
        receipt = self.send({"data": made["bytecode"]})
        return self.w3.eth.contract(receipt["contractAddress"], abi=made["abi"])

    def send(self, transaction: dict[str, Any]) -> Any:
        sent = self.w3.eth.send_transaction({"from": self.payer} | transaction)  # type: ignore[arg-type]
        receipt = self.w3.eth.wait_for_transaction_receipt(sent)
        assert receipt["status"] == 1
        return receipt

    def safe(self, owners: Sequence[LocalAccount], threshold: int, salt: int = 0) -> "Safe":
        return Safe(self, owners, threshold, salt)


class Safe:
    """One Safe, deployed or not yet."""

    def __init__(
        self, code: SafeCode, owners: Sequence[LocalAccount], threshold: int, salt: int
    ) -> None:
        self.code, self.owners, self.threshold = code, owners, threshold
        names = [one.address for one in owners]
        handler = code.at["CompatibilityFallbackHandler"].address
        setup = (names, threshold, NOBODY, b"", handler, NOBODY, 0, NOBODY)
        singleton, factory = code.at["Safe"], code.at["SafeProxyFactory"]
        starts = bytes.fromhex(singleton.encode_abi("setup", setup)[2:])
        create = factory.encode_abi("createProxyWithNonce", (singleton.address, starts, salt))
        self.deployment = bytes.fromhex(create[2:])
        self.factory: bytes = address_from_text(factory.address)
        inside = bytes(factory.functions.proxyCreationCode().call())
        inside += abi_encode(["address"], [singleton.address])
        salted = keccak(keccak(starts) + salt.to_bytes(32))
        self.bytes = keccak(b"\xff" + self.factory + salted + keccak(inside))[12:]  # EIP-1014
        self.address = Web3.to_checksum_address(self.bytes)

    def deploy(self) -> "Safe":
        self.code.send({"to": Web3.to_checksum_address(self.factory), "data": self.deployment})
        assert self.code.w3.eth.get_code(self.address)
        return self

    @cached_property
    def _contract(self) -> Any:
        return self.code.w3.eth.contract(self.address, abi=self.code.at["Safe"].abi)

    def asked_of_owners(self, digest: bytes) -> bytes:
        """What owners sign when the wallet is to sign a digest: its own EIP-712 message."""
        chain_id = self.code.w3.eth.chain_id
        domain = keccak(_DOMAIN + chain_id.to_bytes(32) + self.bytes.rjust(32, b"\0"))
        return keccak(b"\x19\x01" + domain + keccak(_MESSAGE + keccak(digest)))

    def sign(self, digest: bytes, *by: LocalAccount, eth_sign: bool = False) -> bytes:
        """The wallet's own signature: those of owners, in the order of their addresses."""
        hashed, parts = self.asked_of_owners(digest), []
        for owner in sorted(by, key=lambda one: int(one.address, 16)):
            if eth_sign:
                made = owner.sign_message(encode_defunct(hashed))
                v = made.v + _ETH_SIGN
            else:
                made = owner.unsafe_sign_hash(hashed)  # type: ignore[arg-type]
                v = made.v
            parts.append(made.r.to_bytes(32) + made.s.to_bytes(32) + bytes([v]))
        return b"".join(parts)

    def before_it_exists(self, own: bytes) -> bytes:
        """A signature with the call that deploys the wallet (ERC-6492)."""
        return wrap(WalletProof(own, self.factory, self.deployment))

    def approve(self, digest: bytes) -> None:
        """Sign on the chain, so that the signature is empty (SignMessageLib)."""
        library = self.code.at["SignMessageLib"]
        call = library.encode_abi("signMessage", [abi_encode(["bytes32"], [digest])])
        self.execute(library.address, bytes.fromhex(call[2:]), DELEGATE_CALL)

    def execute(self, to: str, data: bytes, operation: int = CALL) -> None:
        """Send a transaction from the wallet, signed by as many owners as it needs."""
        wallet = self._contract.functions
        head = (to, 0, data, operation, 0, 0, 0, NOBODY, NOBODY)
        hashed = bytes(wallet.getTransactionHash(*head, wallet.nonce().call()).call())
        parts = []
        some = sorted(self.owners[: self.threshold], key=lambda one: int(one.address, 16))
        for owner in some:
            made = owner.unsafe_sign_hash(hashed)  # type: ignore[arg-type]
            parts.append(bytes(made.signature))
        call = self._contract.encode_abi("execTransaction", (*head, b"".join(parts)))
        self.code.send({"to": self.address, "data": call})
