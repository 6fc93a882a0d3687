"""The Ethereum Attestation Service as its authors ship it: what gas.py compares us with.

Only the tarball of the npm package is fetched, held to its hash; installing the package would bring
three hundred others.
"""

import base64
import hashlib
import io
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount
from web3 import Web3
from web3.contract import Contract

PACKAGE = "@ethereum-attestation-service/eas-contracts@1.9.0"
SHA512 = "L60y1fgKlY3a45xxnPlgRbiGQY8RF/lF+AzF1iVoR7/aEzitS0Nuyyjq8+IXs1sSSU0dl2+yGSmELxVeB6FelA=="
NOBODY = "0x" + "00" * 20
NO_DEADLINE = 0


def artifacts() -> dict[str, Any]:
    """Compiled EAS and SchemaRegistry by name; raises when the package is not the one we know."""
    with tempfile.TemporaryDirectory() as folder:
        pack = ["npm", "pack", PACKAGE, "--silent"]
        subprocess.run(pack, cwd=folder, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        (path,) = Path(folder).iterdir()
        data = path.read_bytes()
    if base64.b64encode(hashlib.sha512(data).digest()).decode() != SHA512:
        raise RuntimeError(f"{PACKAGE} is not the package whose hash is recorded here")
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {name: _read(tar, name) for name in ("EAS", "SchemaRegistry")}


def _read(tar: tarfile.TarFile, name: str) -> Any:
    member = tar.extractfile(f"package/artifacts/contracts/{name}.sol/{name}.json")
    if member is None:
        raise RuntimeError(f"{PACKAGE} has no artifact of {name}")
    return json.load(member)


def delegated_revocation(
    w3: Web3, eas: Contract, schema: bytes, uid: bytes, revoker: LocalAccount
) -> tuple[Any, ...]:
    """The argument of revokeByDelegation, signed by the revoker."""
    types = {
        "Revoke": [
            {"name": "revoker", "type": "address"},
            {"name": "schema", "type": "bytes32"},
            {"name": "uid", "type": "bytes32"},
            {"name": "value", "type": "uint256"},
            {"name": "nonce", "type": "uint256"},
            {"name": "deadline", "type": "uint64"},
        ]
    }
    domain = {
        "name": "EAS",
        "version": eas.functions.version().call(),
        "chainId": w3.eth.chain_id,
        "verifyingContract": eas.address,
    }
    message = {
        "revoker": revoker.address,
        "schema": schema,
        "uid": uid,
        "value": 0,
        "nonce": eas.functions.getNonce(revoker.address).call(),
        "deadline": NO_DEADLINE,
    }
    signed = revoker.sign_typed_data(domain, types, message)
    signature = (signed.v, signed.r.to_bytes(32), signed.s.to_bytes(32))
    return (schema, (uid, 0), signature, revoker.address, NO_DEADLINE)
