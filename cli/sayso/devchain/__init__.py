"""An Ethereum chain of one's own for demos, tutorials and tests; never for real permissions.

Everything about it is worthless on purpose: the keys are published, one process makes the blocks, and
all is gone when that process ends. What it shares with a real chain is what our code talks to: JSON-RPC,
the EVM, receipts, logs and block timestamps. It needs the `demo` extra.

    async with DevChain() as chain:
        print(chain.url, chain.accounts[0].address)
"""

from sayso.devchain.accounts import dev_account
from sayso.devchain.errors import PortUnavailable
from sayso.devchain.server import DevChain, run_devchain

__all__ = ["DevChain", "PortUnavailable", "dev_account", "run_devchain"]
