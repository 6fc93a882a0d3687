"""Wallets on a chain: keys, delegated accounts (EIP-7702), Safes, and the signers of OpenZeppelin.

Each signs what a page asks for, by the rules of its makers, and sends transactions.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from eth_abi.abi import encode as abi_encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from web3 import Web3

from node.chain.anvil_world import Registry
from sayso_contracts.registry.create2 import DEPLOYER
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text, keccak, sha256
from support.anvil import REPOSITORY
from support.safe import Safe, SafeCode

_ACCOUNTS: Final = REPOSITORY / "tests/interop/node_modules/@account-abstraction/contracts/artifacts"
P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
RICH_WEI: Final = hex(10**20)


def owner(name: str) -> LocalAccount:
    """The key of a name; for tests only."""
    account: LocalAccount = Account.from_key(keccak(f"wallet {name}".encode()))
    return account


class Chain:
    """A chain with the registry and what all wallets on it share."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.registry = Registry(url)
        self.w3: Web3 = self.registry.w3
        self.safes = SafeCode(self.w3)
        made = json.loads((_ACCOUNTS / "Simple7702Account.json").read_text())
        receipt = self.safes.send({"data": made["bytecode"]})
        self.simple_7702: str = receipt["contractAddress"]

    def send_by(self, account: LocalAccount, transaction: dict[str, Any]) -> None:
        """Sign a transaction by a key, pay for it, and wait for it."""
        self.registry.ask("anvil_setBalance", account.address, RICH_WEI)
        made = {
            "chainId": self.w3.eth.chain_id,
            "nonce": self.w3.eth.get_transaction_count(account.address),
            "gas": 500_000,
            "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 10**9,
            "value": 0,
            **transaction,
        }
        raw = account.sign_transaction(made).raw_transaction
        receipt = self.w3.eth.wait_for_transaction_receipt(self.w3.eth.send_raw_transaction(raw))
        assert receipt["status"] == 1

    def delegate(self, account: LocalAccount, code: str) -> None:
        """Let an account run the code of a contract (EIP-7702)."""
        nonce = self.w3.eth.get_transaction_count(account.address)
        agreed = {"chainId": self.w3.eth.chain_id, "address": code, "nonce": nonce + 1}
        signed = account.sign_authorization(agreed)
        self.send_by(account, {"to": account.address, "authorizationList": [signed]})
        assert bytes(self.w3.eth.get_code(account.address)).startswith(b"\xef\x01\x00")


@dataclass(frozen=True)
class Asked:
    """Asked is typed data in the parts that wallets work with (EIP-712).

    Attributes:
        separator: The hash of the domain.
        contents: The hash of the message.
        described: The type of the message.
    """

    separator: bytes
    contents: bytes
    described: str

    @property
    def digest(self) -> bytes:
        return keccak(b"\x19\x01" + self.separator + self.contents)


def asked_of(message: Message, network: Network) -> Asked:
    """What a wallet makes of typed data, by eth-account."""
    data = typed_data(message, network)
    made, name = encode_typed_data(full_message=data), str(data["primaryType"])
    fields = ",".join(f"{one['type']} {one['name']}" for one in data["types"][name])
    return Asked(bytes(made.header), bytes(made.body), f"{name}({fields})")


@dataclass(frozen=True)
class Wallet:
    """Wallet is one account on one chain.

    Attributes:
        address: 20 bytes.
        sign: Returns the signature as the wallet gives it.
        send: Sends a call of a contract from the account.
    """

    address: bytes
    sign: Callable[[Asked], bytes]
    send: Callable[[str, bytes], None]


def by_key(account: LocalAccount, digest: bytes) -> bytes:
    return bytes(account.unsafe_sign_hash(digest).signature)  # type: ignore[arg-type]


def key(chain: Chain, name: str) -> Wallet:
    account = owner(name)

    def sign(asked: Asked) -> bytes:
        return by_key(account, asked.digest)

    def send(to: str, data: bytes) -> None:
        chain.send_by(account, {"to": to, "data": data})

    return Wallet(address_from_text(account.address), sign, send)


def delegated(chain: Chain, name: str) -> Wallet:
    """A key whose account runs Simple7702Account."""
    found = key(chain, name)
    chain.delegate(owner(name), chain.simple_7702)
    return found


def _safe(chain: Chain, name: str, owners: int, threshold: int) -> Safe:
    return chain.safes.safe([owner(f"{name} {number}") for number in range(owners)], threshold)


def _wallet_of(safe: Safe, sign: Callable[[Asked], bytes]) -> Wallet:
    return Wallet(safe.bytes, sign, safe.execute)


def safe_of_one(chain: Chain, name: str) -> Wallet:
    safe = _safe(chain, name, 1, 1).deploy()
    return _wallet_of(safe, lambda asked: safe.sign(asked.digest, *safe.owners))


def safe_of_three(chain: Chain, name: str) -> Wallet:
    safe = _safe(chain, name, 3, 2).deploy()
    return _wallet_of(safe, lambda asked: safe.sign(asked.digest, safe.owners[2], safe.owners[0]))


def safe_by_eth_sign(chain: Chain, name: str) -> Wallet:
    safe = _safe(chain, name, 3, 2).deploy()
    return _wallet_of(safe, lambda asked: safe.sign(asked.digest, *safe.owners[:2], eth_sign=True))


def safe_on_chain(chain: Chain, name: str) -> Wallet:
    """A Safe that approves a digest by a transaction (SignMessageLib); its signature is empty."""
    safe = _safe(chain, name, 2, 2).deploy()

    def sign(asked: Asked) -> bytes:
        safe.approve(asked.digest)
        return b""

    return _wallet_of(safe, sign)


def safe_to_come(chain: Chain, name: str) -> Wallet:
    """A Safe that nobody has deployed (ERC-6492)."""
    safe = _safe(chain, name, 2, 1)
    return _wallet_of(safe, lambda asked: safe.before_it_exists(safe.sign(asked.digest, safe.owners[0])))


def carrying(chain: Chain, name: str, kinds: list[str], values: list[Any]) -> Any:
    """A wallet of contracts/test/support/Accounts.sol, deployed."""
    path = REPOSITORY / "contracts/out/Accounts.sol" / f"{name}.json"
    assert path.is_file(), "run `make contracts`, which compiles it"
    made = json.loads(path.read_text())
    code = bytes.fromhex(made["bytecode"]["object"][2:]) + abi_encode(kinds, values)
    return chain.w3.eth.contract(created(chain, code), abi=made["abi"])


def created(chain: Chain, code: bytes) -> ChecksumAddress:
    """Where a contract is whose creation code this is; it has the same address on every chain."""
    named = keccak(b"\xff" + address_from_text(DEPLOYER) + bytes(32) + keccak(code))[12:]  # EIP-1014
    place = Web3.to_checksum_address(named)
    if not chain.w3.eth.get_code(place):
        chain.safes.send({"to": DEPLOYER, "data": bytes(32) + code})
    return place


def _carried(
    chain: Chain, contract: Any, sign: Callable[[bytes], bytes]
) -> Callable[[str, bytes], None]:
    """Send calls by what the wallet signs."""

    def send(to: str, data: bytes) -> None:
        signature = sign(keccak(abi_encode(["address", "bytes"], [to, data])))
        call = contract.encode_abi("execute", (to, data, signature))
        chain.safes.send({"to": contract.address, "data": call})

    return send


def nesting(chain: Chain, name: str) -> Wallet:
    """A wallet that signs our message inside one of its own (ERC-7739)."""
    account = owner(name)
    contract = carrying(chain, "NestingWallet", ["address"], [account.address])
    inside = "string name,string version,uint256 chainId,address verifyingContract,bytes32 salt)"
    domain = keccak(b"NestingWallet"), keccak(b"1"), chain.w3.eth.chain_id, contract.address, bytes(32)
    kinds = ["bytes32", "bytes32", "uint256", "address", "bytes32"]

    def sign(asked: Asked) -> bytes:
        said = asked.described.encode()
        outer = f"TypedDataSign({asked.described.partition('(')[0]} contents,{inside}".encode() + said
        nested = keccak(keccak(outer) + asked.contents + abi_encode(kinds, domain))
        own = by_key(account, keccak(b"\x19\x01" + asked.separator + nested))
        return own + asked.separator + asked.contents + said + len(said).to_bytes(2)

    send = _carried(chain, contract, lambda digest: by_key(account, digest))
    return Wallet(address_from_text(contract.address), sign, send)


def passkey_of(name: str) -> ec.EllipticCurvePrivateKey:
    """The passkey of a name; for tests only."""
    return ec.derive_private_key(int.from_bytes(keccak(name.encode())) >> 1, ec.SECP256R1())


def passkey(chain: Chain, name: str) -> Wallet:
    """A wallet that a passkey opens: the browser signs a text with the digest in it (WebAuthn)."""
    secret = passkey_of(name)
    point = secret.public_key().public_numbers()
    coordinates = [point.x.to_bytes(32), point.y.to_bytes(32)]
    contract = carrying(chain, "PasskeyWallet", ["bytes32", "bytes32"], coordinates)
    authenticator = sha256(b"node.example") + b"\x05" + bytes(4)  # present and verified

    def sign(digest: bytes) -> bytes:
        challenge = urlsafe_b64encode(digest).decode().rstrip("=")
        text = f'{{"type":"webauthn.get","challenge":"{challenge}","origin":"https://node.example"}}'
        signed = secret.sign(authenticator + sha256(text.encode()), ec.ECDSA(hashes.SHA256()))
        r, s = decode_dss_signature(signed)
        s = min(s, P256_ORDER - s)
        kinds = ["bytes32", "bytes32", "uint256", "uint256", "bytes", "string"]
        places = text.index('"challenge"'), text.index('"type"')
        return abi_encode(kinds, [r.to_bytes(32), s.to_bytes(32), *places, authenticator, text])

    send = _carried(chain, contract, sign)
    return Wallet(address_from_text(contract.address), lambda asked: sign(asked.digest), send)
