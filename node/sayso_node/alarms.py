"""Alarms: conditions that an operator must act on, active until their cause is gone.

An alarm is logged when it begins and when it ends; the metric `sayso_alarm` and the body of /readyz show
the active alarms. The meaning of a name never changes.
"""

import logging
from collections.abc import Mapping
from typing import Final

log = logging.getLogger(__name__)

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
    "part-failed": "a part of the node ended by itself and is being restarted",
}


class Alarms:
    """The active alarms, by name; an unknown name is a programming error."""

    def __init__(self) -> None:
        self._active: dict[str, str] = {}

    def start(self, name: str, text: str) -> None:
        """Start an alarm, or change its text, which names the cause; raises KeyError."""
        if name not in self._active:
            log.error("alarm %s: %s: %s", name, NAMES[name], text)
        self._active[name] = text

    def end(self, name: str) -> None:
        """End an alarm, if it is active."""
        if self._active.pop(name, None) is not None:
            log.warning("alarm %s is over", name)

    def set(self, name: str, text: str | None) -> None:
        """Start an alarm with this text; None ends it."""
        if text is None:
            self.end(name)
        else:
            self.start(name, text)

    def active(self) -> Mapping[str, str]:
        """Return the active alarms, each with its text."""
        return dict(self._active)
