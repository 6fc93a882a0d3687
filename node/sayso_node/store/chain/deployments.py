"""Contract wallets to deploy before a revocation of theirs can be relayed (ERC-6492)."""

from typing import NamedTuple

from sayso_node.store.chain.relays import RELAY_PAUSE_MAX_S, RELAY_PAUSE_MIN_S
from sayso_node.store.interface import Reading, Writing
from sayso_node.supervision.retrying import backoff


class Deployment(NamedTuple):
    """A contract wallet that a relay waits for.

    Attributes:
        wallet: Address, 20 bytes.
        code: Code of the contract creation that deploys it.
        times: Number of failed attempts.
    """

    wallet: bytes
    code: bytes
    times: int


def want(db: Writing, wallet: bytes, code: bytes) -> None:
    """Record that a relay waits for this wallet; a repeat can only change the deployment code."""
    db.execute(
        "INSERT INTO deployments VALUES (?, ?, 0, 0)"
        " ON CONFLICT (wallet) DO UPDATE SET code = excluded.code",
        (wallet, code),
    )


def whose_turn(db: Reading, now: float) -> Deployment | None:
    """Return the next wallet to deploy, except those in progress or failed a short time ago."""
    row = db.execute(
        "SELECT wallet, code, times FROM deployments WHERE not_before <= ? AND NOT EXISTS (SELECT 1"
        " FROM intents WHERE state = 'open' AND kind = 'deploy' AND subject = wallet)"
        " ORDER BY not_before LIMIT 1",
        (now,),
    ).fetchone()
    return Deployment(*row) if row else None


def exists(db: Writing, wallet: bytes) -> None:
    """Delete a wallet that is deployed."""
    db.execute("DELETE FROM deployments WHERE wallet = ?", (wallet,))
    db.execute("UPDATE relay_wants SET not_before = 0 WHERE address = ? AND done = 0", (wallet,))


def failed(db: Writing, wallet: bytes, now: float) -> None:
    """Record a failed deployment, so it is retried later each time."""
    row = db.execute("SELECT times FROM deployments WHERE wallet = ?", (wallet,)).fetchone()
    times = row[0] if row else 0
    pause = backoff(RELAY_PAUSE_MIN_S, times, RELAY_PAUSE_MAX_S)
    change = "UPDATE deployments SET times = ?, not_before = ? WHERE wallet = ?"
    db.execute(change, (times + 1, now + pause, wallet))
