"""The transactions that this node intends to send, stored first, so that each takes effect once.

An intent is a call of the registry or a contract creation. It gets one nonce of the paying account. All
transactions signed for it use that nonce and are stored before they are sent, so at most one of them
takes effect. It gets another nonce only if somebody else's transaction has used its nonce for good.
"""

from typing import NamedTuple

from sayso_node.store.interface import Reading, Writing
from sayso_protocol.receipts.receipt import ChainPoint

DAY_S = 86_400.0


class Intent(NamedTuple):
    """A call that must take effect once.

    Attributes:
        id: Its number in this store.
        kind: `anchor`, `relay` or `deploy`.
        subject: The root of an anchor, the address of a wallet to deploy; empty for a relay.
        data: The call data for the registry; for a deployment, the code of the contract creation.
        nonce: Nonce of the paying account; None before a transaction is signed.
        mined: The block with a transaction of the intent; None if there is none.
        gas: Highest gas use in any state of the chain; None if unknown.
    """

    id: int
    kind: str
    subject: bytes
    data: bytes
    nonce: int | None
    mined: ChainPoint | None
    gas: int | None


class Signed(NamedTuple):
    """A transaction signed for an intent; prices in wei per gas, times in seconds since the epoch.

    `data_fee` is the highest cost in wei of its data, which a rollup publishes on another chain.
    """

    hash: bytes
    nonce: int
    raw: bytes
    gas: int
    max_fee: int
    priority_fee: int
    signed_at: float
    data_fee: int = 0

    @property
    def most(self) -> int:
        """The highest cost, in wei."""
        return self.gas * self.max_fee + self.data_fee


def add(
    db: Writing,
    kind: str,
    subject: bytes,
    data: bytes,
    now: float,
    gas: int | None = None,
) -> int:
    """Store a new intent, in the transaction that makes it necessary; returns its id."""
    row = db.execute(
        "INSERT INTO intents (kind, subject, data, made_at, gas) VALUES (?, ?, ?, ?, ?) RETURNING id",
        (kind, subject, data, now, gas),
    ).fetchone()
    name: int = row[0]
    return name


def open_intents(db: Reading) -> list[Intent]:
    """Return the intents that are not settled: by nonce, then those without one in order of creation."""
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
    """Store a transaction before it is sent; the intent has its nonce from now on."""
    db.execute("INSERT INTO transactions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (intent, *signed))
    db.execute("UPDATE intents SET nonce = ? WHERE id = ?", (signed.nonce, intent))


def signed_for(db: Reading, intent: Intent) -> list[Signed]:
    """Return the transactions of an intent under its current nonce, newest first: each offers more."""
    rows = db.execute(
        "SELECT hash, nonce, raw, gas, max_fee, priority_fee, signed_at, data_fee FROM transactions"
        " WHERE intent = ? AND nonce = ? ORDER BY max_fee DESC, priority_fee DESC",
        (intent.id, intent.nonce),
    )
    return [Signed(*row) for row in rows]


def mined(db: Writing, intent: int, where: ChainPoint | None, cost: int, now: float) -> None:
    """Record the block of an intent's transaction (None if it left its block), and the cost in wei."""
    place = (where.number, where.hash) if where else (None, None)
    db.execute(
        "UPDATE intents SET mined_number = ?, mined_hash = ?, cost = ?, paid_at = ? WHERE id = ?",
        (*place, cost, now if where else None, intent),
    )


def settle(db: Writing, intent: int, state: str) -> None:
    """Settle an intent as `done` or `failed`."""
    db.execute("UPDATE intents SET state = ? WHERE id = ?", (state, intent))


def take_nonce_back(db: Writing, intent: int) -> None:
    """Remove the nonce of an intent, because another sender's transaction used it for good."""
    db.execute(
        "UPDATE intents SET nonce = NULL, mined_number = NULL, mined_hash = NULL WHERE id = ?",
        (intent,),
    )


def spent(db: Reading, now: float, kind: str | None = None) -> int:
    """Return the wei of the last day, for one kind or all; open intents count at their highest cost."""
    paid = db.execute(
        "SELECT cost FROM intents WHERE paid_at > ? AND kind = coalesce(?, kind)", (now - DAY_S, kind)
    ).fetchall()
    under_way = db.execute(
        "SELECT max(transactions.gas * max_fee + data_fee) FROM transactions"
        " JOIN intents ON intents.id = intent WHERE state = 'open' AND paid_at IS NULL"
        " AND transactions.nonce = intents.nonce"
        " AND kind = coalesce(?, kind) GROUP BY intent",
        (kind,),
    ).fetchall()
    return sum(wei for (wei,) in [*paid, *under_way])


def next_nonce(db: Reading) -> int:
    """Return the lowest nonce above those of open intents; 0 if there are none."""
    query = "SELECT max(nonce) FROM intents WHERE state = 'open'"
    highest: int | None = db.execute(query).fetchone()[0]
    return 0 if highest is None else highest + 1
