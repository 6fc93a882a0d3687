"""The times of what is signed, if several processes with different clocks sign (rules 9.7.6 and 9.7.7).

An answer is never dated after the state it speaks from, and a promise never before the state that keeps
it: both by the one clock that all processes share, that of the server. So no answer of one process
convicts the node by the acknowledgement of another.
"""

from sayso_node.store.interface import Reading, Writing


def dated(db: Reading, now: float) -> float:
    """Return the time of an answer from the state that a reading transaction sees."""
    shared = db.server_time()
    return now if shared is None else min(now, shared)


def promised(db: Writing, now: float) -> float:
    """Return the time of a promise about the state that a writing transaction sees."""
    shared = db.server_time()
    return now if shared is None else max(now, shared)
