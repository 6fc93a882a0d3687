"""All wallets of the matrix that live on a chain, by their names in docs/reference/wallets.md."""

from collections.abc import Callable
from typing import Final

from interop.signers import on_chain, smart_accounts
from interop.signers.on_chain import Chain, Wallet

PASSKEY: Final = "a wallet of a passkey (OpenZeppelin `SignerWebAuthn`)"
KERNEL: Final = "Kernel 0.3.1, its owner's key behind a validator of ours"
COINBASE_PASSKEY: Final = (
    "Coinbase Smart Wallet 1 (its client's code, a contract of ours), passkey owner"
)
MAKERS: Final[dict[str, Callable[[Chain, str], Wallet]]] = {
    "an account with a key": on_chain.key,
    "a delegated account (EIP-7702, Simple7702Account)": on_chain.delegated,
    "a delegated account (EIP-7702, MetaMask's `EIP7702StatelessDeleGator`)": (
        smart_accounts.delegated_to_metamask
    ),
    "Safe 1.4.1, one owner": on_chain.safe_of_one,
    "Safe 1.4.1, two of three owners": on_chain.safe_of_three,
    "Safe 1.4.1, owners that sign by `eth_sign` (v + 4)": on_chain.safe_by_eth_sign,
    "Safe 1.4.1, approved on the chain (SignMessageLib)": on_chain.safe_on_chain,
    "Safe 1.4.1, not deployed yet (ERC-6492)": on_chain.safe_to_come,
    KERNEL: smart_accounts.kernel,
    "Coinbase Smart Wallet 1 (its client's code, a contract of ours), owner with a key": (
        smart_accounts.coinbase_by_key
    ),
    COINBASE_PASSKEY: smart_accounts.coinbase_by_passkey,
    "a wallet that nests messages (OpenZeppelin `ERC7739`)": on_chain.nesting,
    PASSKEY: on_chain.passkey,
}
