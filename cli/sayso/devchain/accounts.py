"""The keys of the development chain are published here, so they are worth nothing anywhere else.

Whoever sends money to one of these addresses on a real network gives it away.
"""

from eth_account import Account
from eth_account.signers.local import LocalAccount

from sayso_protocol.primitives import keccak


def dev_account(index: int) -> LocalAccount:
    """WORTHLESS published key number `index`: keccak256 of "sayso devchain key <index>"."""
    account: LocalAccount = Account.from_key(keccak(b"sayso devchain key %d" % index))
    return account
