"""Smart accounts besides Safes; docs/reference/wallets.md says what of them is real code.

Of the package that carries Kernel's code only two constants are read. So `overrides` in package.json put
a small package in the place of all that one would need to compile it, most of which is not on npm.
"""

import json
import re
import subprocess
from base64 import urlsafe_b64encode
from functools import cache
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from web3 import Web3

from interop.signers.on_chain import (
    Asked,
    Chain,
    Wallet,
    by_key,
    carrying,
    created,
    key,
    owner,
    passkey_of,
)
from sayso_protocol.primitives import address_from_text, hex_text, keccak
from support.anvil import REPOSITORY

FOLDER: Final = REPOSITORY / "tests/interop"
KERNEL: Final = FOLDER / "node_modules/@rhinestone/modulekit/src/deployment/precompiles"
METAMASK: Final = FOLDER / "node_modules/@metamask/delegation-abis/dist/bytecode"
BY_KEY, BY_PASSKEY = 0, 1  # owners of a Coinbase Smart Wallet
_ROOT: Final = b"\0"  # a signature that the root validator of a Kernel checks
_VALIDATOR: Final = b"\1"
_CALL: Final = bytes(32)  # one call, which reverts if it fails (ERC-7579)
_NOBODY: Final = "0x" + "00" * 20
_DOMAIN: Final = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
_DOMAIN_KINDS: Final = ("bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]")


def _call(function: str, *values: Any) -> bytes:
    """The data of a call, for a function as the ABI writes it."""
    kinds = function.partition("(")[2].rstrip(")").split(",")
    return keccak(function.encode())[:4] + abi_encode(kinds, values)


@cache
def _kernel_code(name: str) -> bytes:
    """A constant of the package that carries Kernel's code."""
    path = KERNEL / "KernelPrecompiles.sol"
    assert path.is_file(), "run `make interop`, which installs what it needs"
    [found] = re.findall(rf'constant {name} =\s*hex"([0-9a-f]+)"', path.read_text())
    return bytes.fromhex(found)


@cache
def _metamask_code(name: str) -> bytes:
    """The code of a contract of MetaMask's package."""
    [found] = re.findall(r'"0x([0-9a-f]{1000,})"', (METAMASK / f"{name}.mjs").read_text())
    return bytes.fromhex(found)


def _kernel_domain(chain: Chain, kernel_: ChecksumAddress) -> bytes:
    """The hash of the domain that a Kernel says it has (EIP-5267)."""
    said = chain.w3.eth.call({"to": kernel_, "data": keccak(b"eip712Domain()")[:4]})
    _, name, version, chain_id, place, *_ = abi_decode(_DOMAIN_KINDS, bytes(said))
    assert (name, chain_id, place) == ("Kernel", chain.w3.eth.chain_id, kernel_.lower())
    kinds = ["bytes32", "bytes32", "bytes32", "uint256", "address"]
    hashes = keccak(_DOMAIN), keccak(name.encode()), keccak(version.encode())
    return keccak(abi_encode(kinds, [*hashes, chain_id, place]))


def _kernel_of(chain: Chain, account: LocalAccount) -> ChecksumAddress:
    """A Kernel that a key owns. The account that pays for all is its entry point."""
    validator = carrying(chain, "KeyValidator", [], [])
    code = _kernel_code("KERNEL_BYTECODE") + abi_encode(["address"], [chain.safes.payer])
    implementation = abi_encode(["address"], [created(chain, code)])
    factory = created(chain, _kernel_code("KERNEL_FACTORY_BYTECODE") + implementation)
    root, mine = _VALIDATOR + address_from_text(validator.address), address_from_text(account.address)
    starts = _call("initialize(bytes21,address,bytes,bytes,bytes[])", root, _NOBODY, mine, b"", [])
    create = {"to": factory, "data": _call("createAccount(bytes,bytes32)", starts, bytes(32))}
    place = bytes(chain.w3.eth.call(create))[12:]  # type: ignore[arg-type]
    chain.safes.send(create)
    return Web3.to_checksum_address(place)


def kernel(chain: Chain, name: str) -> Wallet:
    account = owner(name)
    place = _kernel_of(chain, account)
    domain = _kernel_domain(chain, place)

    def sign(asked: Asked) -> bytes:
        inside = keccak(keccak(b"Kernel(bytes32 hash)") + asked.digest)
        return _ROOT + by_key(account, keccak(b"\x19\x01" + domain + inside))

    def send(to: str, data: bytes) -> None:
        packed = address_from_text(to) + bytes(32) + data
        chain.safes.send({"to": place, "data": _call("execute(bytes32,bytes)", _CALL, packed)})

    return Wallet(address_from_text(place), sign, send)


def _coinbase(chain: Chain, name: str, by: int) -> Wallet:
    account, secret = owner(name), passkey_of(name)
    point = secret.public_key().public_numbers()
    x, y = point.x.to_bytes(32), point.y.to_bytes(32)
    kinds = ["address", "bytes32", "bytes32"]
    contract = carrying(chain, "ReplaySafeWallet", kinds, [account.address, x, y])

    def sign(asked: Asked) -> bytes:
        question = {
            "url": chain.url,
            "chain_id": chain.w3.eth.chain_id,
            "address": contract.address,
            "key": hex_text(bytes(account.key)),
            "point": hex_text(x + y),
            "passkey": _web_key(secret),
            "owner": by,
            "digest": hex_text(asked.digest),
        }
        done = subprocess.run(
            ("node", "signers/coinbase.mjs"),
            cwd=FOLDER,
            input=json.dumps(question),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return bytes.fromhex(done.stdout[2:])

    def send(to: str, data: bytes) -> None:
        call = contract.encode_abi("execute", (to, 0, data))
        chain.send_by(account, {"to": contract.address, "data": call})

    return Wallet(address_from_text(contract.address), sign, send)


def _web_key(secret: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    """A private key as a JSON Web Key (RFC 7517)."""
    private, public = secret.private_numbers(), secret.public_key().public_numbers()
    parts = {"d": private.private_value, "x": public.x, "y": public.y}
    texts = {
        name: urlsafe_b64encode(one.to_bytes(32)).decode().rstrip("=") for name, one in parts.items()
    }
    return {"kty": "EC", "crv": "P-256", **texts}


def coinbase_by_key(chain: Chain, name: str) -> Wallet:
    return _coinbase(chain, name, BY_KEY)


def coinbase_by_passkey(chain: Chain, name: str) -> Wallet:
    return _coinbase(chain, name, BY_PASSKEY)


def delegated_to_metamask(chain: Chain, name: str) -> Wallet:
    """A key whose account runs MetaMask's EIP7702StatelessDeleGator; only its own signatures matter."""
    found, payer = key(chain, name), chain.safes.payer
    values = abi_encode(["address", "address"], [payer, payer])  # delegation manager and entry point
    chain.delegate(owner(name), created(chain, _metamask_code("EIP7702StatelessDeleGator") + values))
    return found
