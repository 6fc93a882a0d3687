"""The shop's own tables, in the same database as those of the library."""

from sqlalchemy import Column, ForeignKey, Integer, LargeBinary, MetaData, String, Table, Text

metadata = MetaData()
uploads = Table(
    "uploads",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("title", Text, nullable=False),
    Column("token", String(64), nullable=False, unique=True),  # of the request for consent
)
orders = Table(
    "orders",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("secret", String(64), nullable=False, unique=True),  # in the address of the buyer's page
    Column("buyer", LargeBinary, nullable=False),
    Column("purpose", Text, nullable=False),
)
files = Table(
    "files",
    metadata,
    Column("upload", ForeignKey("uploads.id"), primary_key=True),
    Column("item", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False),
)
