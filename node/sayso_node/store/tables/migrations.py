"""Migrates the tables of older releases, one step per version; published steps never change.

A new column also goes to the end of its table in schema.py, so that a migrated store and a new one are
equal; tests/node/store/test_sqlite_migrations.py compares them. No release wrote a version older than
the first one here.
"""

from collections.abc import Callable
from typing import Final

from sayso_node.store.interface import Writing
from sayso_node.store.tables import audience_step, endings_step, statements_step

STEPS: Final = {
    18: statements_step.DISPLACED_STEP,
    19: statements_step.TRACES_STEP,
    20: audience_step.AUDIENCE_STEP,
    # The newest relays are found without reading the old ones.
    21: statements_step.BY_DIGEST_STEP
    + "CREATE INDEX intents_by_block ON intents (kind, mined_number);",
    22: statements_step.NUMBERS_STEP,
    23: endings_step.ENDINGS_STEP,
}
"""The step from each version to the next, by version."""
FILLS: Final[dict[int, Callable[[Writing], None]]] = {20: audience_step.fill_audience}
"""What a step does besides its SQL, in the same transaction."""
