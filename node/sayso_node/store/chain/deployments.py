"""Contract wallets that must be deployed before a revocation of theirs can be relayed (ERC-6492)."""

from typing import NamedTuple

from sayso_node.retrying import backoff
from sayso_node.store.chain.relays import RELAY_PAUSE_MAX_S, RELAY_PAUSE_MIN_S
from sayso_node.store.interface import Reading, Writing


class Deployment(NamedTuple):
    """A wallet that a relay waits for.

    Attributes:
        wallet: 20 bytes.
        code: The contract creation that deploys it.
        times: How often that failed.
    """

    wallet: bytes
    code: bytes
    times: int


def want(db: Writing, wallet: bytes, code: bytes) -> None:
    """A relay waits for this wallet; if one did before, only how it is deployed may be news."""
    db.execute(
        "INSERT INTO deployments VALUES (?, ?, 0, 0)"
        " ON CONFLICT (wallet) DO UPDATE SET code = excluded.code",
        (wallet, code),
    )


def whose_turn(db: Reading, now: float) -> Deployment | None:
    """The wallet whose turn it is: none that is under way, or that failed a short time ago."""
    row = db.execute(
        "SELECT wallet, code, times FROM deployments WHERE not_before <= ? AND NOT EXISTS (SELECT 1"
        " FROM intents WHERE state = 'open' AND kind = 'deploy' AND subject = wallet)"
        " ORDER BY not_before LIMIT 1",
        (now,),
    ).fetchone()
    return Deployment(*row) if row else None


def exists(db: Writing, wallet: bytes) -> None:
    """It is deployed: no relay waits for it any more."""
    db.execute("DELETE FROM deployments WHERE wallet = ?", (wallet,))
    db.execute("UPDATE relay_wants SET not_before = 0 WHERE address = ? AND NOT done", (wallet,))


def failed(db: Writing, wallet: bytes, now: float) -> None:
    """It could not be deployed: tried again, later each time."""
    row = db.execute("SELECT times FROM deployments WHERE wallet = ?", (wallet,)).fetchone()
    times = row[0] if row else 0
    pause = backoff(RELAY_PAUSE_MIN_S, times, RELAY_PAUSE_MAX_S)
    change = "UPDATE deployments SET times = ?, not_before = ? WHERE wallet = ?"
    db.execute(change, (times + 1, now + pause, wallet))
