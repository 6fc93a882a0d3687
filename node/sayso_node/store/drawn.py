"""What is drawn at random once for each store, whatever its backend."""

from sayso_node.interfaces import Randomness
from sayso_node.store.admission.sponsors import LOT_KEY
from sayso_node.store.events.feed import STORE_ID, STORE_ID_BYTES
from sayso_node.store.interface import Writing


def draw_singles(db: Writing, randomness: Randomness) -> None:
    """Store the id of a new store and the key of its lots."""
    for name in (STORE_ID, LOT_KEY):
        db.execute("INSERT INTO singles VALUES (?, ?)", (name, randomness(STORE_ID_BYTES)))
