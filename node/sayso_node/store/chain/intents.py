"""What this node means to do on chain, kept before it is done, so that it is done once.

An intent is one call of the registry, or one contract creation. It gets one nonce of the paying account,
and every transaction that is signed for it has that nonce and is kept before it is sent: at most one of
them can ever take effect. Only if somebody else's transaction took the nonce for good does the intent
get another.
"""

from typing import NamedTuple

from sayso_node.store.interface import Reading, Writing
from sayso_protocol.receipts.receipt import ChainPoint

DAY_S = 86_400.0


class Intent(NamedTuple):
    """A call that must take effect once.

    Attributes:
        id: Its name here.
        kind: `anchor`, `relay` or `deploy`.
        subject: The root of an anchor, the wallet that is deployed; of a relay nothing.
        data: What the registry is called with; of a deployment, the code of a contract that is created.
        nonce: Of the paying account; None before a transaction was signed.
        mined: The block that holds a transaction of it; None while there is none.
        gas: What it may take at most, whatever the state of the chain; None where nobody knows that.
    """

    id: int
    kind: str
    subject: bytes
    data: bytes
    nonce: int | None
    mined: ChainPoint | None
    gas: int | None


class Signed(NamedTuple):
    """A transaction that was signed for an intent; prices in wei a gas, times since the epoch."""

    hash: bytes
    nonce: int
    raw: bytes
    gas: int
    max_fee: int
    priority_fee: int
    signed_at: float

    @property
    def most(self) -> int:
        """What it may cost, in wei."""
        return self.gas * self.max_fee


def add(
    db: Writing,
    kind: str,
    subject: bytes,
    data: bytes,
    now: float,
    gas: int | None = None,
) -> int:
    """Keep a new intent, in the transaction that makes it necessary; returns its id."""
    row = db.execute(
        "INSERT INTO intents (kind, subject, data, made_at, gas) VALUES (?, ?, ?, ?, ?) RETURNING id",
        (kind, subject, data, now, gas),
    ).fetchone()
    name: int = row[0]
    return name


def open_intents(db: Reading) -> list[Intent]:
    """Those that are not settled for good: by nonce, then those without one in the order they came."""
    rows = db.execute(
        "SELECT id, kind, subject, data, nonce, mined_number, mined_hash, gas FROM intents"
        " WHERE state = 'open' ORDER BY nonce IS NULL, nonce, id"
    )
    return [
        Intent(
            name, kind, subject, data, nonce, None if number is None else ChainPoint(number, block), gas
        )
        for name, kind, subject, data, nonce, number, block, gas in rows
    ]


def keep_signed(db: Writing, intent: int, signed: Signed) -> None:
    """Keep a transaction before it is sent; the intent has its nonce from now on."""
    db.execute("INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (intent, *signed))
    db.execute("UPDATE intents SET nonce = ? WHERE id = ?", (signed.nonce, intent))


def signed_for(db: Reading, intent: Intent) -> list[Signed]:
    """The transactions of an intent under its nonce, the newest first."""
    rows = db.execute(
        "SELECT hash, nonce, raw, gas, max_fee, priority_fee, signed_at FROM transactions"
        " WHERE intent = ? AND nonce = ? ORDER BY signed_at DESC, max_fee DESC",
        (intent.id, intent.nonce),
    )
    return [Signed(*row) for row in rows]


def mined(db: Writing, intent: int, where: ChainPoint | None, cost: int, now: float) -> None:
    """A transaction of it stands in a block, or (None) no longer; the cost is in wei."""
    place = (where.number, where.hash) if where else (None, None)
    db.execute(
        "UPDATE intents SET mined_number = ?, mined_hash = ?, cost = ?, paid_at = ? WHERE id = ?",
        (*place, cost, now if where else None, intent),
    )


def settle(db: Writing, intent: int, state: str) -> None:
    """It is over: `done` or `failed`."""
    db.execute("UPDATE intents SET state = ? WHERE id = ?", (state, intent))


def take_nonce_back(db: Writing, intent: int) -> None:
    """Its nonce was used by somebody else, for good: none of its transactions can take effect."""
    db.execute(
        "UPDATE intents SET nonce = NULL, mined_number = NULL, mined_hash = NULL WHERE id = ?",
        (intent,),
    )


def spent(db: Reading, now: float, kind: str | None = None) -> int:
    """Wei of the last day, for one kind or all: what was paid, and what is under way may cost."""
    paid = db.execute(
        "SELECT cost FROM intents WHERE paid_at > ? AND kind = coalesce(?, kind)", (now - DAY_S, kind)
    ).fetchall()
    under_way = db.execute(
        "SELECT max(transactions.gas * max_fee) FROM transactions JOIN intents ON intents.id = intent"
        " WHERE state = 'open' AND paid_at IS NULL AND transactions.nonce = intents.nonce"
        " AND kind = coalesce(?, kind) GROUP BY intent",
        (kind,),
    ).fetchall()
    return sum(wei for (wei,) in [*paid, *under_way])


def next_nonce(db: Reading) -> int:
    """The lowest nonce above those of open intents; 0 without any."""
    query = "SELECT max(nonce) FROM intents WHERE state = 'open'"
    highest: int | None = db.execute(query).fetchone()[0]
    return 0 if highest is None else highest + 1
