"""The compiled registry: ABI and bytecode as contracts/build.py wrote them.

`python contracts/build.py --check` proves that they are what contracts/src compiles to.

    creation_code()  # what CREATE2 is given
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

AbiEntry = dict[str, Any]


@cache
def _artifact() -> dict[str, Any]:
    text = files("sayso_contracts").joinpath("registry.json").read_text(encoding="utf-8")
    artifact: dict[str, Any] = json.loads(text)
    return artifact


def abi() -> list[AbiEntry]:
    """The contract's interface in Ethereum's JSON form."""
    entries: list[AbiEntry] = _artifact()["abi"]
    return entries


def creation_code() -> bytes:
    """The bytes that create the contract; its constructor takes nothing."""
    return bytes.fromhex(_artifact()["bytecode"][2:])


def runtime_code() -> bytes:
    """The bytes that eth_getCode answers for a registry."""
    return bytes.fromhex(_artifact()["runtimeBytecode"][2:])


@cache
def wallet_probe_code() -> bytes:
    """The bytes that ask a contract wallet when they are run by eth_call, before their arguments."""
    return bytes.fromhex(_artifact()["walletProbe"][2:])


@cache
def wallet_deployer_code() -> bytes:
    """The bytes that deploy a contract wallet when they are created, before their arguments."""
    return bytes.fromhex(_artifact()["walletDeployer"][2:])
