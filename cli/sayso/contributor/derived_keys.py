"""Keys that are derived from one seed, so that a person signs each call with a key of its own (BIP-32).

Nobody can tell from two of these keys that they belong together: every step of the path is hardened, so
a private key that leaks gives away neither the seed nor another key. Whoever has the seed has them all.

    key = derived_account(seed, 7)                     # of the eighth call
    key = derived_account(seed, 7, Branch.GUARDIAN)    # as the guardian of that call
"""

from enum import IntEnum
from typing import Final

from eth_account import Account
from eth_account.hdaccount import key_from_seed
from eth_account.signers.local import LocalAccount

_PATH: Final = "m/44'/60'/{branch}'/0'/{number}'"  # BIP-44 for Ethereum, hardened to the end
NUMBERS: Final = 1 << 31  # BIP-32: that many hardened children


class Branch(IntEnum):
    """Branch is what a derived key signs as."""

    CONTRIBUTOR = 0
    GUARDIAN = 1


def derived_account(seed: bytes, number: int, branch: Branch = Branch.CONTRIBUTOR) -> LocalAccount:
    """Return a key of a seed; `number` counts from 0 and is below 2^31 (BIP-32, BIP-44).

    Args:
        seed: 16 to 64 bytes; the private key of a key file has 32.
        number: Which of the keys.
        branch: What it signs as.
    """
    path = _PATH.format(branch=branch.value, number=number)
    account: LocalAccount = Account.from_key(key_from_seed(seed, path))
    return account
