"""A wallet in the page that really signs: the key is in the test's process, as if in another app.

It announces itself by EIP-6963 and speaks EIP-1193. What it was asked to sign is kept, to be looked at.
"""

import json
import string
from collections.abc import Callable
from typing import Any

from eth_account.signers.local import LocalAccount
from playwright.sync_api import BrowserContext

from browser.world import World
from support.anvil import CHAIN_ID

NAME = "Test Wallet"
RDNS = "org.example.wallet"
QUIET = {"eth_chainId", "eth_accounts", "eth_requestAccounts"}  # nobody is asked again
PASSED_ON = {"eth_getTransactionReceipt", "eth_getBlockByNumber", "eth_getCode"}

# The page's side: every request goes to the test's process; a refusal comes back as EIP-1193 says.
PROVIDER = string.Template("""
(() => {
  const provider = {
    async request({ method, params }) {
      const asked = JSON.stringify({ method, params: params ?? [] });
      const { result, error } = JSON.parse(await window.__testWallet(asked));
      if (error) throw Object.assign(new Error(error.message), { code: error.code });
      return result;
    },
    on(event, listener) {
      if (event === "accountsChanged") window.__accountsChanged = listener;
    },
  };
  if (!$announces) { // as some apps on phones do it, and late
    setTimeout(() => {
      window.ethereum = provider;
      window.dispatchEvent(new Event("ethereum#initialized"));
    });
    return;
  }
  const info = { uuid: "350670db-19fa-4704-a166-e52e178b59d2", name: "$name", rdns: "$rdns", icon: "" };
  const announce = () => window.dispatchEvent(
    new CustomEvent("eip6963:announceProvider", { detail: Object.freeze({ info, provider }) }),
  );
  window.addEventListener("eip6963:requestProvider", announce);
  announce();
})();
""")


class Refused(Exception):
    """What a wallet throws, with the code of EIP-1193."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class TestWallet:
    """One account; open from the beginning unless told otherwise.

    With `contract`, it is the account, and the key is its owner's.
    """

    __test__ = False

    def __init__(self, account: LocalAccount, world: World, contract: str = "") -> None:
        self.account, self.world = account, world
        self.address: str = contract or account.address
        self.chain_id = CHAIN_ID
        self.others: list[str] = []  # more accounts that are open; only the first one signs
        self.is_open = True
        self.refuses = False
        self.asked: list[dict[str, Any]] = []  # typed data, as it was given to the wallet
        self.sent: list[dict[str, Any]] = []
        self.after_signing: Callable[[], object] = lambda: None

    def install(self, context: BrowserContext, *, announces: bool = True) -> None:
        context.expose_function("__testWallet", self._answer)
        values = {"name": NAME, "rdns": RDNS, "announces": json.dumps(announces)}
        context.add_init_script(PROVIDER.substitute(values))

    def _answer(self, text: str) -> str:
        request = json.loads(text)
        try:
            result = self._do(request["method"], request["params"])
        except Refused as error:
            return json.dumps({"error": {"code": error.code, "message": str(error)}})
        return json.dumps({"result": result})

    def _do(self, method: str, params: list[Any]) -> Any:
        if method in PASSED_ON:
            return self.world.call(method, *params)
        if self.refuses and method not in QUIET:
            raise Refused(4001, "User rejected the request.")
        do: Callable[[], Any] | None = {
            "eth_chainId": lambda: hex(self.chain_id),
            "eth_accounts": lambda: [self.address, *self.others] if self.is_open else [],
            "eth_requestAccounts": lambda: [self.address, *self.others],
            "eth_signTypedData_v4": lambda: self._sign(params),
            "eth_sendTransaction": lambda: self.send(params[0]),
            "wallet_switchEthereumChain": lambda: self._switch(params[0]["chainId"]),
        }.get(method)
        if do is None:
            raise Refused(4200, f"{method} is not supported")
        self.is_open |= method == "eth_requestAccounts"
        return do()

    def _switch(self, chain_id: str) -> None:
        self.chain_id = int(chain_id, 16)

    def _sign(self, params: list[Any]) -> str:
        account, text = params
        assert account == self.address
        data = json.loads(text)
        if data["domain"]["chainId"] != self.chain_id:  # as MetaMask does
            raise Refused(-32603, "Provided chainId must match the active chainId")
        self.asked.append(data)
        signed = self.account.sign_typed_data(full_message=data)
        self.after_signing()
        return "0x" + bytes(signed.signature).hex()

    def send(self, wanted: dict[str, Any]) -> str:
        """Sign a transaction and give it to the chain."""
        self.sent.append(wanted)
        gas = int(self.world.call("eth_estimateGas", wanted), 16)
        transaction = {
            "to": wanted["to"],
            "data": wanted["data"],
            "value": 0,
            "gas": gas * 2,
            "nonce": int(self.world.call("eth_getTransactionCount", wanted["from"], "pending"), 16),
            "maxFeePerGas": 10**11,
            "maxPriorityFeePerGas": 10**9,
            "chainId": self.chain_id,
        }
        raw = self.account.sign_transaction(transaction).raw_transaction
        sent: str = self.world.call("eth_sendRawTransaction", "0x" + bytes(raw).hex())
        return sent
