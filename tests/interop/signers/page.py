"""docs/reference/wallets.md, from the figures in matrix.json.

    PYTHONPATH=tests .venv/bin/python -m interop.signers

runs all wallets, and writes both.
"""

import json
from collections.abc import Iterable
from importlib.metadata import version
from string import Template
from typing import Any, Final

from support.anvil import REPOSITORY

DATA: Final = REPOSITORY / "tests/interop/signers/matrix.json"
PAGE: Final = REPOSITORY / "docs/reference/wallets.md"
TEXT: Final = REPOSITORY / "tests/interop/signers/page.txt"
PACKAGES: Final = REPOSITORY / "tests/interop/package.json"
Matrix = dict[str, dict[str, dict[str, Any]]]


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table in Markdown."""
    head = tuple(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, one)) + " |" for one in lines)


def _versions() -> dict[str, str]:
    read: dict[str, dict[str, str]] = json.loads(PACKAGES.read_text())
    return read["devDependencies"] | read["dependencies"]


def _one(values: Iterable[Any]) -> Any:
    """What is the same for all messages."""
    first, *rest = values
    assert all(one == first for one in rest), "messages differ; the page has to say where"
    return first


def _libraries(keys: dict[str, dict[str, Any]]) -> str:
    versions = _versions()
    named = {
        "eth-sig-util V4": f"`@metamask/eth-sig-util` {versions['@metamask/eth-sig-util']}, V4",
        "ethers": f"`ethers` {versions['ethers']}",
        "viem": f"`viem` {versions['viem']}",
        "trezorlib": f"`trezorlib.ethereum` of `trezor` {version('trezor')}, with a simulated device",
    }
    same = _one(one["same"] for one in keys.values())
    rows = [[named[one], "signs all messages; same bytes as eth-account"] for one in same]
    old = _one(one["eth-sig-util V3"] for one in keys.values())
    rows.insert(1, ["the same, V3 (`eth_signTypedData_v3`)", f"refuses: *{old}*"])
    plugin = f"`@trezor/connect-plugin-ethereum` {versions['@trezor/connect-plugin-ethereum']}"
    rows.append([f"{plugin}, for Model One", "computes the hashes of all messages as eth-account does"])
    checked = _one(one["metamask"] for one in keys.values())
    there = _one(one["metamask on another chain"] for one in keys.values())
    name = f"`@metamask/signature-controller` {versions['@metamask/signature-controller']}"
    rows.append([f"{name}, its check of a request", f"on the network's chain: {checked}"])
    rows.append(["the same, on another chain", f"refuses: *{there}*"])
    return table(("code", "what it does"), rows)


def _shown(keys: dict[str, dict[str, Any]]) -> str:
    columns = ("characters", "screens", "trezor values", "trezor round trips", "ledger apdus")
    rows = [[name, *(one[column] for column in columns)] for name, one in keys.items()]
    head = ("message", "characters", "screens", "Trezor: values", "Trezor: round trips", "Ledger: APDUs")
    return table(head, rows)


def _on_chain(chain: dict[str, dict[str, Any]]) -> str:
    columns = ("consent", "revocation", "relay", "statement", "other_id", "other_chain", "signature")
    head = ("wallet", "consent", "revocation", "relayed", "statement", "signed there, given here")
    rows = [[name, *(one[column] for column in columns)] for name, one in chain.items()]
    return table((*head, "signed here, given there", "bytes"), rows)


def render(matrix: Matrix) -> str:
    """Return the page."""
    parts = {
        "libraries": _libraries(matrix["keys"]),
        "shown": _shown(matrix["keys"]),
        "on_chain": _on_chain(matrix["chain"]),
        "modulekit": _versions()["@rhinestone/modulekit"],
        "viem": _versions()["viem"],
        "delegation": _versions()["@metamask/delegation-abis"],
    }
    return Template(TEXT.read_text()).substitute(parts)


def read_matrix() -> Matrix:
    """Return the figures of the last run."""
    read: Matrix = json.loads(DATA.read_text())
    return read


def write(matrix: Matrix) -> None:
    """Write figures and page."""
    DATA.write_text(json.dumps(matrix, indent=1) + "\n")
    PAGE.write_text(render(matrix))
