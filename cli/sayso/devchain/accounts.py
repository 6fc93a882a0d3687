"""The published keys of the development chain.

Anybody can spend coins that are sent to these addresses on a real network.
"""

from eth_account import Account
from eth_account.signers.local import LocalAccount

from sayso_protocol.primitives import keccak


def dev_account(index: int) -> LocalAccount:
    """Return the published key number `index`: keccak256 of "sayso devchain key <index>"."""
    account: LocalAccount = Account.from_key(keccak(b"sayso devchain key %d" % index))
    return account
