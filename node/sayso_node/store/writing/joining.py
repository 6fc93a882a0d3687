"""Joins changes that wait together to one, so that a backend reads what all of them need at once.

Each part keeps its own result. If the joined change raises, its parts are applied one by one, so that
one of them harms no other.
"""

from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final, NamedTuple

from sayso_node.errors import StoreUnusable
from sayso_node.store.interface import Writing
from sayso_node.store.writing.writer import Change

MOST_WEIGHT: Final = 1_024  # of a joined change, so that its transaction is short


class Joint(NamedTuple):
    """What a part has besides a change.

    Attributes:
        key: Parts with equal keys may be joined; whatever `apply` depends on belongs to it.
        apply: Applies parts in order, and returns the result of each.
        part: The part.
        weight: Its share of a joined change.
    """

    key: Hashable
    apply: Callable[[Writing, Sequence[Any]], Sequence[Any]]
    part: Any
    weight: int


def joined(group: Sequence[Change], commit: Callable[[list[Change]], None]) -> list[Change]:
    """Return the changes of a group, with parts joined at the place of the first.

    `commit` commits the parts of a joined change that raised.
    """
    rows: list[list[Change]] = []
    open_rows: dict[Hashable, tuple[list[Change], int]] = {}
    for change in group:
        joint = change.joint
        if not isinstance(joint, Joint):
            rows.append([change])
            continue
        row, weight = open_rows.get(joint.key, ([], MOST_WEIGHT))
        if weight + joint.weight > MOST_WEIGHT:
            row, weight = [], 0
            rows.append(row)
        row.append(change)
        open_rows[joint.key] = row, weight + joint.weight
    return [row[0] if len(row) == 1 else _together(row, commit) for row in rows]


def _together(row: list[Change], commit: Callable[[list[Change]], None]) -> Change:
    joints = [change.joint for change in row]

    def apply(db: Writing) -> Sequence[Any]:
        values: Sequence[Any] = joints[0].apply(db, [joint.part for joint in joints])
        return values

    def done(values: Any, error: BaseException | None) -> None:
        if error is None:
            for change, value in zip(row, values, strict=True):
                change.done(value, None)
        elif isinstance(error, StoreUnusable):
            for change in row:
                change.done(None, error)
        else:
            for change in row:
                commit([change])

    return Change(apply, done)
