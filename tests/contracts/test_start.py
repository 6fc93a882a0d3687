"""Processes of ours import no BLS keys of validators; keystores with such keys are read all the same."""

import subprocess
import sys

import pytest

LOOK = """
import sys
{start}
assert "eth_account" in sys.modules
loaded = {{"py_ecc.bls.ciphersuites", "py_ecc.bls12_381.bls12_381_pairing"}} & sys.modules.keys()
assert not loaded, loaded
"""

USE = """
from sayso_contracts.start.accounts import ORDER, postpone_bls
postpone_bls()
from eth_keyfile import create_keyfile_json, decode_keyfile_json
key = bytes(31) + b"1"
for version in (3, 4):
    file = create_keyfile_json(key, b"x", version=version, kdf="pbkdf2", iterations=2)
    assert decode_keyfile_json(file, b"x") == key
import py_ecc.bls12_381, py_ecc.bls.ciphersuites
assert py_ecc.bls.ciphersuites.G2ProofOfPossession
from py_ecc.bls import G2ProofOfPossession
assert py_ecc.bls12_381.curve_order == ORDER
assert bytes.fromhex(file["pubkey"]) == G2ProofOfPossession.SkToPk(int.from_bytes(key))
postpone_bls()  # too late: nothing changes
assert py_ecc.bls.G2ProofOfPossession is G2ProofOfPossession
"""


# As the development chain does: modules inside come first, and the package itself later.
INSIDE = """
from sayso_contracts.start.accounts import postpone_bls
postpone_bls()
import eth_account, sys
import py_ecc.bls.point_compression
from py_ecc.bls.g2_primitives import G2_to_signature
from py_ecc.bls12_381 import FQ, pairing
from py_ecc.bls import G2Basic
import py_ecc.bls
assert py_ecc.bls.point_compression is sys.modules["py_ecc.bls.point_compression"]
assert G2Basic.SkToPk(1)
import alysis
"""


def run(program: str) -> None:
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "start",
    [
        "from sayso import main\nmain.cli = lambda: __import__('eth_account')\nmain.main()",
        "import sayso_node.__main__",
    ],
)
def test_a_process_imports_no_keys_of_validators(start: str) -> None:
    run(LOOK.format(start=start))


def test_modules_inside_are_found() -> None:
    run(INSIDE)


def test_keystores_of_validators_are_read_all_the_same() -> None:
    run(USE)
