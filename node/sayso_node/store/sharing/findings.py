"""How a process beside a node tells it that the store is damaged: by a number that grows."""

from typing import Final

from sayso_node.store import messages
from sayso_node.store.events import feed
from sayso_node.store.interface import Reading, Writing

_NAME: Final = "damage_found_beside"


def tell(db: Writing, store_id: bytes) -> None:
    """Tell the node once more, unless it has repaired the store since the store had this id."""
    if feed.store_id(db) == store_id:
        messages.next_number(db, _NAME)


def told(db: Reading) -> int:
    """Return how often processes have told it, since the store was made."""
    return messages.noted_time(db, _NAME)
