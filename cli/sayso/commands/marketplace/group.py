"""The group `sayso marketplace`, and the options that its commands share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import click
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from sayso.commands.grouping import Command, gathering
from sayso.commands.lazy import Group
from sayso.commands.node import NODE_OPTIONS, AskedNode, asked_node
from sayso.commands.options import text_option
from sayso.commands.signing import Signing, signing_options
from sayso.marketplace.courier import Courier
from sayso.marketplace.market import Marketplace

DATABASE_VARIABLE: Final = "SAYSO_DATABASE"


class ShopOptions:
    """ShopOptions is the marketplace that the options select; the key is opened on first use."""

    def __init__(self, signing: Signing, database: str, via: str, asked: AskedNode) -> None:
        trusted, url = asked.trusted, asked.url  # before anybody is asked for a password
        self.market = Marketplace(signing.open(), network=trusted, nodes=[url], via=via)
        try:
            self.engine: Engine = create_engine(database)
        except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
            raise click.BadParameter(f"not a database that can be opened: {error}") from error
        self.market.create_tables(self.engine)

    @property
    def courier(self) -> Courier:
        """Return a courier of the marketplace."""
        return Courier(self.market, self.engine)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Begin a transaction; raises LedgerFailed."""
        with self.market.begin(self.engine) as db:
            yield db


_SHOP: Final = (
    text_option(
        "--database",
        "URL",
        "The shop's database, as SQLAlchemy names it.",
        envvar=DATABASE_VARIABLE,
        show_envvar=True,
        default="sqlite:///shop.db",
        show_default=True,
    ),
    text_option("--via", "DOMAIN", "Your domain, which consents name.", default=""),
    *NODE_OPTIONS,
)


def shop_options(command: Command) -> Command:
    """Add the options of a marketplace to a command, which receives it as `shop`."""

    def gathered(options: dict[str, Any]) -> ShopOptions:
        signing, database, via = (options.pop(name) for name in ("signing", "database", "via"))
        return ShopOptions(signing, database, via, asked_node(options))

    return signing_options(gathering(command, "shop", gathered, _SHOP))


@click.group(cls=Group)
def marketplace() -> None:
    """License files from people, sell them on, and pass on what they take back.

    Everything is kept in a database of yours, where your own tables can stand, too. What nodes must hear
    waits there until one has it: run `sayso marketplace follow` beside your shop.

    In a shop's own code, use the library instead (`from sayso import Marketplace`): then an order and
    its sublicenses are one transaction.
    """
