"""The side of a marketplace: consents in, data sets and sublicenses out, revocations through.

Everything that must not be lost is a row in the shop's own database, written in the shop's own
transaction (tables.py). What nodes must hear stands in an outbox there, which the courier empties.
"""

from sayso.extras import extra

with extra("marketplace"):
    import sqlalchemy  # noqa: F401 - so that the missing extra is named before a module of the room fails
