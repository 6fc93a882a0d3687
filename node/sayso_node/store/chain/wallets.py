"""Consents of contract wallets, with each wallet's last answer about its signature (rule 8.14).

A signature by a key is valid for good, but a contract wallet may change its answer, so it is asked
again. An answer is as old as the block at which it was given. Wallets take turns, so that one with many
consents delays only its own; within a wallet, the consent asked longest ago is first, answered or not.
"""

import struct
from collections.abc import Collection, Iterable, Iterator
from math import inf
from typing import NamedTuple

from sayso_node.errors import StoreDamaged
from sayso_node.store import many
from sayso_node.store.integrity.checksums import sum_of
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.messages.message import CONSENT


class Turn(NamedTuple):
    """A wallet whose turn it is, and the envelopes, by license, that it is to be asked about."""

    wallet: bytes
    bodies: dict[bytes, bytes]
    has_more: bool  # more of them than one turn takes


def said(
    db: Writing, wallet: bytes, license_hash: bytes, block_time: float, now: float, *, accepted: bool
) -> None:
    """Store the wallet's answer, given at a block of this time, in seconds since the epoch.

    A block dated ahead of our clock counts as of now.
    """
    asked_at = min(block_time, now)
    db.execute(
        "INSERT INTO wallet_consents VALUES (?, ?, ?, ?, ?) ON CONFLICT (license) DO UPDATE SET"
        " accepted = excluded.accepted, asked_at = excluded.asked_at, tried_at = excluded.tried_at",
        (license_hash, accepted, asked_at, now, wallet),
    )
    db.execute(
        "INSERT INTO wallet_sums VALUES (?, ?) ON CONFLICT (license) DO UPDATE SET sum = excluded.sum",
        (license_hash, _sum_of(license_hash, accepted, asked_at)),
    )
    db.execute("INSERT INTO wallet_turns VALUES (?, ?, 0) ON CONFLICT DO NOTHING", (wallet, now))


def forget(db: Writing, license_hash: bytes) -> None:
    """Delete the answers about a consent that is deleted."""
    for table in ("wallet_consents", "wallet_sums"):
        db.execute(f"DELETE FROM {table} WHERE license = ?", (license_hash,))  # noqa: S608 - ours


def tried(db: Writing, license_hash: bytes, now: float) -> None:
    """Record that the wallet was asked without an answer; the previous answer keeps its age."""
    db.execute("UPDATE wallet_consents SET tried_at = ? WHERE license = ?", (now, license_hash))


def let_be(db: Writing, license_hash: bytes) -> None:
    """Stop asking about a consent that has ended."""
    tried(db, license_hash, inf)


def accepted_at(db: Reading, license_hash: bytes) -> float:
    """Return the time of the block at which the wallet accepted a consent.

    Minus infinity if the wallet refused last; infinity if a key signed. Raises StoreDamaged.
    """
    return next((answer.accepted_at for answer in _answers(db, [license_hash])), inf)


def accepted_among(db: Reading, licenses: Iterable[bytes]) -> dict[bytes, float]:
    """Return `accepted_at` for those of some licenses that a contract wallet signed.

    Raises StoreDamaged.
    """
    asked = [*licenses]
    names = {*many.found_in(db, "wallet_consents", "license", asked)}
    names |= {*many.found_in(db, "wallet_sums", "license", asked)}
    return {one.license: one.accepted_at for one in _answers(db, names)}


def any_held(db: Reading) -> bool:
    """Return whether the store has a contract wallet's consent."""
    query = "SELECT EXISTS (SELECT 1 FROM wallet_consents) OR EXISTS (SELECT 1 FROM wallet_sums)"
    return bool(db.execute(query).fetchone()[0])


class _Answer(NamedTuple):
    license: bytes
    accepted_at: float


def _answers(db: Reading, licenses: Collection[bytes]) -> Iterator[_Answer]:
    """Return what wallets last said; each answer has its checksum, and each checksum its answer."""
    sums = dict(many.among(db, "SELECT license, sum FROM wallet_sums WHERE license IN", licenses))
    query = "SELECT license, accepted, asked_at FROM wallet_consents WHERE license IN"
    for name, accepted, asked_at in many.among(db, query, licenses):
        if sums.pop(name, None) != _sum_of(name, accepted, asked_at):
            raise _damaged(name)
        yield _Answer(name, float(asked_at) if accepted else -inf)
    for name in sums:
        raise _damaged(name)


def _damaged(license_hash: bytes) -> StoreDamaged:
    return StoreDamaged(f"a wallet's answer about 0x{license_hash.hex()} is not what was stored")


def _sum_of(license_hash: bytes, accepted: int, asked_at: float) -> int:
    return sum_of(license_hash, struct.pack(">?d", accepted, asked_at))


def damaged(db: Reading) -> list[bytes]:
    """Return the licenses about which a wallet's answer, or its checksum, is not what was stored."""
    joined = "wallet_consents LEFT JOIN wallet_sums USING (license)"
    rows = db.execute(f"SELECT license, accepted, asked_at, sum FROM {joined}")  # noqa: S608 - ours
    wrong = [row[0] for *row, kept in rows if kept != _sum_of(*row)]
    query = "SELECT license FROM wallet_sums WHERE license NOT IN (SELECT license FROM wallet_consents)"
    return wrong + [name for (name,) in db.execute(query)]


def is_held(db: Reading, license_hash: bytes) -> bool:
    """Return whether there is an answer about a license."""
    query = "SELECT 1 FROM wallet_consents WHERE license = ?"
    return db.execute(query, (license_hash,)).fetchone() is not None


def next_turns(db: Reading, before: float, tried_before: float, turns: int, consents: int) -> list[Turn]:
    """Return the next wallets, at most `turns`, each with so many consents that were last tried before.

    First come wallets whose last turn was before `before`, then those with more than a turn takes; in
    both cases the one whose last turn is longest ago is first.
    """
    query = "SELECT wallet FROM wallet_turns WHERE served_at < ? ORDER BY served_at LIMIT ?"
    chosen = [wallet for (wallet,) in db.execute(query, (before, turns))]
    more = "SELECT wallet FROM wallet_turns WHERE has_more = 1 AND served_at >= ?"
    query = f"{more} ORDER BY served_at LIMIT ?"
    chosen += [wallet for (wallet,) in db.execute(query, (before, turns - len(chosen)))]
    return [_turn(db, wallet, tried_before, consents) for wallet in chosen]


def _turn(db: Reading, wallet: bytes, before: float, limit: int) -> Turn:
    rows = db.execute(
        "SELECT license, body FROM wallet_consents JOIN messages ON digest = license"
        " WHERE wallet = ? AND tried_at < ? AND kind = ? ORDER BY tried_at LIMIT ?",
        (wallet, before, CONSENT, limit + 1),
    ).fetchall()
    return Turn(wallet, dict(rows[:limit]), len(rows) > limit)


def end_turns(db: Writing, turns: Iterable[Turn], now: float) -> None:
    """Move wallets to the end of the queue; those with nothing to be asked about leave it."""
    for one in turns:
        query = "SELECT 1 FROM wallet_consents WHERE wallet = ? AND tried_at < ? LIMIT 1"
        if one.bodies or db.execute(query, (one.wallet, inf)).fetchone():
            change = "UPDATE wallet_turns SET served_at = ?, has_more = ? WHERE wallet = ?"
            db.execute(change, (now, int(one.has_more), one.wallet))
        else:
            db.execute("DELETE FROM wallet_turns WHERE wallet = ?", (one.wallet,))
