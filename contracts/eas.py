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


class Revoker:
    """Somebody who attested there, and revokes by signatures that others carry."""

    def __init__(self, w3: Web3, eas: Contract, schema: bytes, account: LocalAccount) -> None:
        self._w3, self._eas, self._schema, self._account = w3, eas, schema, account

    def attest(self) -> bytes:
        """Attest one license, as a revocation needs it there first; its uid."""
        request = (self._schema, (NOBODY, 0, True, bytes(32), self._w3.keccak(text="license"), 0))
        fields: Any = {
            "from": self._account.address,
            "nonce": self._w3.eth.get_transaction_count(self._account.address),
        }
        signed = self._account.sign_transaction(
            self._eas.functions.attest(request).build_transaction(fields)
        )
        sent = self._w3.eth.send_raw_transaction(signed.raw_transaction)
        receipt = self._w3.eth.wait_for_transaction_receipt(sent)
        uid: bytes = self._eas.events.Attested().process_receipt(receipt)[0]["args"]["uid"]
        return uid

    def one(self, uid: bytes) -> tuple[Any, ...]:
        """The argument of revokeByDelegation, signed."""
        return (self._schema, (uid, 0), self._sign(uid), self._account.address, NO_DEADLINE)

    def of_many(self, uid: bytes) -> tuple[Any, ...]:
        """An element of the argument of multiRevokeByDelegation, signed."""
        return (self._schema, [(uid, 0)], [self._sign(uid)], self._account.address, NO_DEADLINE)

    def _sign(self, uid: bytes) -> tuple[int, bytes, bytes]:
        fields = ("address revoker", "bytes32 schema", "bytes32 uid", "uint256 value")
        split = [one.split() for one in (*fields, "uint256 nonce", "uint64 deadline")]
        types = {"Revoke": [{"name": name, "type": kind} for kind, name in split]}
        domain = {
            "name": "EAS",
            "version": self._eas.functions.version().call(),
            "chainId": self._w3.eth.chain_id,
            "verifyingContract": self._eas.address,
        }
        message = {
            "revoker": self._account.address,
            "schema": self._schema,
            "uid": uid,
            "value": 0,
            "nonce": self._eas.functions.getNonce(self._account.address).call(),
            "deadline": NO_DEADLINE,
        }
        signed = self._account.sign_typed_data(domain, types, message)
        return (signed.v, signed.r.to_bytes(32), signed.s.to_bytes(32))
