"""A development chain for demos, tutorials and tests; never for real permissions.

Its keys are published, one process makes all blocks, and the chain is lost when that process ends. Like
a real chain it has JSON-RPC, the EVM, receipts, logs and block timestamps. It needs the `demo` extra.

    async with DevChain() as chain:
        print(chain.url, chain.accounts[0].address)
"""

from sayso.devchain.accounts import dev_account
from sayso.devchain.server import DevChain, run_devchain
from sayso.errors import PortUnavailable

__all__ = ["DevChain", "PortUnavailable", "dev_account", "run_devchain"]
