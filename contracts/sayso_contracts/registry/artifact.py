"""The compiled registry: ABI and bytecode, written by contracts/build.py.

`python contracts/build.py --check` verifies that contracts/src compiles to them.

    creation_code()  # the init code for CREATE2
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any

AbiEntry = dict[str, Any]


@cache
def _artifact() -> dict[str, Any]:
    text = files("sayso_contracts.registry").joinpath("registry.json").read_text(encoding="utf-8")
    artifact: dict[str, Any] = json.loads(text)
    return artifact


def abi() -> list[AbiEntry]:
    """Return the contract's ABI in JSON form."""
    entries: list[AbiEntry] = _artifact()["abi"]
    return entries


def creation_code() -> bytes:
    """Return the init code of the contract, whose constructor has no parameters."""
    return bytes.fromhex(_artifact()["bytecode"][2:])


def runtime_code() -> bytes:
    """Return the code that eth_getCode returns for a registry."""
    return bytes.fromhex(_artifact()["runtimeBytecode"][2:])


@cache
def wallet_probe_code() -> bytes:
    """Return the code that verifies a contract wallet's signature in eth_call, without its arguments."""
    return bytes.fromhex(_artifact()["walletProbe"][2:])


@cache
def wallet_deployer_code() -> bytes:
    """Return the init code that deploys a contract wallet, without its arguments."""
    return bytes.fromhex(_artifact()["walletDeployer"][2:])
