"""The mark of a store that was moved, or that a move has filled.

A move fills the new store under the mark ARRIVING, and then marks the old one MOVED: from that moment on
the old store refuses to start, and the new one may. A move that is interrupted before it has changed
nothing; one that is interrupted after it is finished by the same command.
"""

from enum import StrEnum

import msgspec

from sayso_node.errors import StoreMoved, WrongStore
from sayso_node.store import singles
from sayso_node.store.interface import Reading, Writing


class Stage(StrEnum):
    """What a mark says of its store."""

    ARRIVING = "arriving"  # a copy of a store that may still run
    ARRIVED = "arrived"  # the store, after a move
    MOVED = "moved"  # what is left behind


class Mark(msgspec.Struct, frozen=True):
    """A mark.

    Attributes:
        stage: What the store is.
        move: Random hexadecimal digits, the same in both stores of a move.
        other: The other store's name for people; without a password.
    """

    stage: Stage
    move: str
    other: str


def read(db: Reading) -> Mark | None:
    """Return the mark of a store; None for one that was never moved."""
    kept = singles.get(db, singles.MOVE)
    return None if kept is None else msgspec.json.decode(kept, type=Mark)


def put(db: Writing, mark: Mark) -> None:
    """Mark a store."""
    singles.put(db, singles.MOVE, msgspec.json.encode(mark))


def check_startable(db: Reading, name: str) -> None:
    """Refuse a store that was moved away, or whose move was not finished; raises StoreMoved."""
    mark = read(db)
    if mark and mark.stage is Stage.MOVED:
        raise StoreMoved(f"the store {name} was moved to {mark.other}; what came later is only there")
    if mark and mark.stage is Stage.ARRIVING:
        raise StoreMoved(f"the store {name} is a copy: moving it from {mark.other} was not finished")


def check_replaceable(db: Reading, name: str, owner: str) -> None:
    """Refuse to replace a store, unless it is the owner's and another one is now; raises WrongStore."""
    mark, kept = read(db), singles.get(db, singles.OWNER)
    if kept != owner.encode() or mark is None or mark.stage is Stage.ARRIVED:
        raise WrongStore(f"there is a store in {name}, and a move replaces none that is in use")
