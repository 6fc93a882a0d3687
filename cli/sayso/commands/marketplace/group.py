"""The group `sayso marketplace`, and the options that its commands share."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import click
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from sayso.commands.lazy import Group
from sayso.commands.options import network_option, node_option, node_url_or_default
from sayso.commands.signing import Signing, signing_options
from sayso.marketplace.courier import Courier
from sayso.marketplace.market import Marketplace
from sayso.networks import load_network

DATABASE_VARIABLE: Final = "SAYSO_DATABASE"


class ShopOptions:
    """ShopOptions is the marketplace that the options select; the key is opened on first use."""

    def __init__(self, signing: Signing, database: str, via: str, options: dict[str, Any]) -> None:
        trusted = load_network(options.pop("network_path"))
        url = node_url_or_default(options.pop("node_url"), trusted)
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


def shop_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options of a marketplace to a command, which receives it as `shop`."""

    @functools.wraps(command)
    def wrapped(*arguments: Any, signing: Signing, database: str, via: str, **options: Any) -> None:
        shop = ShopOptions(signing, database, via, options)
        for name in ("network_path", "node_url"):
            options.pop(name, None)
        command(*arguments, shop=shop, **options)

    wrapped.__dict__["__click_params__"] = list(getattr(command, "__click_params__", []))
    added = (
        click.option(
            "--database",
            envvar=DATABASE_VARIABLE,
            show_envvar=True,
            default="sqlite:///shop.db",
            show_default=True,
            metavar="URL",
            help="The shop's database, as SQLAlchemy names it.",
        ),
        click.option("--via", default="", metavar="DOMAIN", help="Your domain, which consents name."),
        node_option,
        network_option,
    )
    for option in reversed(added):
        wrapped = option(wrapped)
    return signing_options(wrapped)


@click.group(cls=Group)
def marketplace() -> None:
    """License files from people, sell them on, and pass on what they take back.

    Everything is kept in a database of yours, where your own tables can stand, too. What nodes must hear
    waits there until one has it: run `sayso marketplace follow` beside your shop.

    In a shop's own code, use the library instead (`from sayso import Marketplace`): then an order and
    its sublicenses are one transaction.
    """
