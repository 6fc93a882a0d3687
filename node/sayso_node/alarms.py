"""What an operator must know now: alarms that stand until their cause is gone.

Each is loud three times: in the log when it begins and when it ends, as a metric (`sayso_alarm`), and in
the body of /readyz. Names never change their meaning.
"""

import logging
from collections.abc import Mapping
from typing import Final

log = logging.getLogger(__name__)

NAMES: Final = {
    "chain-unreachable": "no chain endpoint answers",
    "chain-disagreement": "two chain endpoints tell different histories of what is final",
    "chain-endpoint-down": "a chain endpoint is not asked any more, because it fails, lags or lies",
    "account-low": "the account that pays for anchors and relays runs low",
    "account-empty": "the account cannot pay for the next transaction",
    "budget-spent": "the day's budget is spent; anchors and relays wait",
    "fee-cap": "gas costs more than the operator allows; anchors and relays wait",
    "nonce-used-elsewhere": "somebody else sends transactions from this account",
    "transaction-failed": "a transaction of ours was reverted",
    "wallet-not-deployed": "a contract wallet whose revocation waits for it could not be deployed",
    "wallet-budget-spent": "the part of the day's budget that deploys contract wallets is spent",
    "relay-rejected": "the registry refuses revocations that this node has acknowledged",
    "part-failed": "a part of the node has ended by itself and is started again",
}


class Alarms:
    """Named alarms; an unknown name is a programmer's fault."""

    def __init__(self) -> None:
        self._active: dict[str, str] = {}

    def start(self, name: str, text: str) -> None:
        """The cause is there; the text says what exactly. Raises KeyError for an unknown name."""
        if name not in self._active:
            log.error("alarm %s: %s: %s", name, NAMES[name], text)
        self._active[name] = text

    def end(self, name: str) -> None:
        """The cause is gone, if it was there."""
        if self._active.pop(name, None) is not None:
            log.warning("alarm %s is over", name)

    def set(self, name: str, text: str | None) -> None:
        """Start it with this text, or end it."""
        if text is None:
            self.end(name)
        else:
            self.start(name, text)

    def active(self) -> Mapping[str, str]:
        """What stands now, and why."""
        return dict(self._active)
