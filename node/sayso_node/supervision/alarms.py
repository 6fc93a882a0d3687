"""Alarms: conditions that an operator must act on, active until their cause is gone.

An alarm is logged when it begins and when it ends; the metric `sayso_alarm` and the body of /readyz show
the active alarms. The meaning of a name never changes.
"""

from collections.abc import Mapping
from typing import Final

from sayso_node.supervision.logs import logger

log = logger(__name__)

NAMES: Final = {
    "chain-unreachable": "no chain endpoint answers",
    "chain-disagreement": "two chain endpoints disagree about final blocks",
    "chain-endpoint-down": "a chain endpoint is not used, because it fails, lags or gives wrong answers",
    "chain-by-number": "an endpoint takes no hashes of blocks (EIP-1898), so heights are compared",
    "chain-frozen": "the newest block is old: the endpoint, or the chain, stands still",
    "chain-reorganised": "blocks were replaced that counted as final",
    "chain-logs-missing": "an endpoint leaves events out, or does not prove that it leaves none out",
    "chain-unproved": "the chain's headers have unknown fields, so that no block is proved",
    "account-low": "the balance of the account that pays for anchors and relays is low",
    "account-empty": "the account cannot pay for the next transaction",
    "budget-spent": "the budget of the day is spent; anchors and relays wait",
    "fee-cap": "the gas price is above the operator's limit; anchors and relays wait",
    "nonce-used-elsewhere": "another program sends transactions from this account",
    "transaction-failed": "a transaction of this node was reverted",
    "wallet-not-deployed": "a contract wallet could not be deployed, so its revocation is not relayed",
    "wallet-budget-spent": "the share of the day's budget for deploying contract wallets is spent",
    "relay-rejected": "the registry refuses revocations that this node has acknowledged",
    "store-damaged": "the store is not what this node wrote; it clears nothing until it is repaired",
    "identity-used-twice": "a peer hears another live node with this node's key; both must sign nothing",
    "registry-missing": "the endpoint's chain is another one, or the registry is not on it",
    "clock-wrong": "this machine's clock differs from that of its peers or of the chain",
    "store-unwritable": "the store cannot be written: full disk, read-only file or failing disk",
    "snapshots-failed": "no snapshot can be made",
    "part-failed": "a part of the node ended by itself and is being restarted",
}


class Alarms:
    """The active alarms, by name; an unknown name is a programming error."""

    def __init__(self) -> None:
        self._active: dict[str, str] = {}

    def start(self, name: str, text: str) -> None:
        """Start an alarm, or change its text, which names the cause; raises KeyError."""
        if name not in self._active:
            log.error("alarm-started", alarm=name, means=NAMES[name], text=text)
        self._active[name] = text

    def end(self, name: str) -> None:
        """End an alarm, if it is active."""
        if self._active.pop(name, None) is not None:
            log.warning("alarm-ended", alarm=name)

    def set(self, name: str, text: str | None) -> None:
        """Start an alarm with this text; None ends it."""
        if text is None:
            self.end(name)
        else:
            self.start(name, text)

    def active(self) -> Mapping[str, str]:
        """Return the active alarms, each with its text."""
        return dict(self._active)
