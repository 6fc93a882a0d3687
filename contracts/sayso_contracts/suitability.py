"""What a chain lacks of what this release uses, and what therefore does not work there.

A chain is asked by eth_call and by its newest block; nothing is sent.
"""

from typing import Any, Final, NamedTuple

from sayso_contracts.deploy import has_deployer
from sayso_contracts.errors import CallReverted, ChainUnsuitable, RpcFailed
from sayso_contracts.registry.create2 import DEPLOYER
from sayso_contracts.rpc import rpc_errors
from sayso_protocol.primitives import hex_text

P256_VERIFY: Final = "0x0000000000000000000000000000000000000100"

# A hash, its signature (r, s) and the key (x, y): the example of RFC 6979, A.2.5, with SHA-256.
_HASH: Final = bytes.fromhex("af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf")
_SIGNED: Final = bytes.fromhex(
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
_YES: Final = (1).to_bytes(32)

# Init code that returns the byte 01: by old opcodes alone, and after the newest ones of our contracts:
# PUSH0 PUSH0 PUSH0 MCOPY (EIP-3855, EIP-5656).
_OLD_CODE: Final = bytes.fromhex("600160005360016000f3")
_NEW_CODE: Final = bytes.fromhex("5f5f5f5e") + _OLD_CODE


class Lack(NamedTuple):
    """Lack is something that a chain does not have, and what does not work without it."""

    what: str
    consequence: str

    def __str__(self) -> str:
        return f"the chain lacks {self.what}: {self.consequence}"


_DEPLOYER: Final = Lack(
    f"CREATE2's deployer at {DEPLOYER}",
    "it has to be installed first, which costs 0.01 coins and a transaction without a chain id, which "
    "many chains refuse; without it the registry cannot have its address",
)
_P256: Final = Lack(
    "P-256 (EIP-7951, RIP-7212)",
    "wallets that belong to a passkey cannot allow or revoke if they rely on it; others of them need "
    "many times the gas, which each relay pays",
)
_BASE_FEE: Final = Lack(
    "fees by EIP-1559",
    "this release sends no other transactions, so the chain may refuse the deployment, anchors, relays "
    "and revocations on chain",
)
_OPCODES: Final = Lack(
    "the opcodes of Cancun",
    "the registry fails when it is called, and nodes cannot ask contract wallets",
)
ALL: Final = (_DEPLOYER, _P256, _BASE_FEE, _OPCODES)


async def lacks(w3: Any) -> tuple[Lack, ...]:
    """Return what a chain lacks.

    Raises WrongBytecode if other code is where the deployer should be, and RpcFailed.
    """
    found = list[Lack]()
    if not await has_deployer(w3):
        found.append(_DEPLOYER)
    if not await _verifies_p256(w3):
        found.append(_P256)
    with rpc_errors():
        head = await w3.eth.get_block("latest")
    if head.get("baseFeePerGas") is None:
        found.append(_BASE_FEE)
    if not await _runs_newest_opcodes(w3):
        found.append(_OPCODES)
    return tuple(found)


def refuse(found: tuple[Lack, ...]) -> None:
    """Raise ChainUnsuitable if a chain lacks something; the message says all of it."""
    if found:
        raise ChainUnsuitable("; ".join(map(str, found)))


async def _verifies_p256(w3: Any) -> bool:
    """Return whether the precompile accepts a signature, and not the same over another hash."""
    other = bytes([_HASH[0] ^ 1]) + _HASH[1:]
    good = await _output(w3, {"to": P256_VERIFY, "data": hex_text(_HASH + _SIGNED)})
    bad = await _output(w3, {"to": P256_VERIFY, "data": hex_text(other + _SIGNED)})
    return good == _YES and bad != _YES


async def _runs_newest_opcodes(w3: Any) -> bool:
    """Return whether the chain runs them; raises RpcFailed if the endpoint runs no code at all."""
    if await _output(w3, {"data": hex_text(_OLD_CODE)}) != b"\x01":
        raise RpcFailed("the chain endpoint does not run code by eth_call")
    try:
        return await _output(w3, {"data": hex_text(_NEW_CODE)}) == b"\x01"
    except RpcFailed:  # an unknown opcode has no code of its own among the errors of endpoints
        return False


async def _output(w3: Any, call: dict[str, str]) -> bytes:
    """Return the output of a call, empty if it reverts; raises RpcFailed."""
    try:
        with rpc_errors():
            return bytes(await w3.eth.call(call, "latest"))
    except CallReverted:
        return b""
