"""Sales, data sets, and what follows from revocations."""

import asyncio
import json
from pathlib import Path

import click

from sayso.commands.marketplace.group import ShopOptions, marketplace, shop_options
from sayso.commands.options import address_option, hash_option, path_option, text_option
from sayso.commands.text import example, moment, say, several, warn, warn_of_purposes
from sayso.commands.types import expiry_option
from sayso.errors import NotInStock
from sayso.holder.hashes import read_addresses
from sayso.marketplace.publishing import DATA_FORMS
from sayso.marketplace.selling import Offer
from sayso_protocol.primitives import hex_text

_reference = click.argument("reference")


@marketplace.command(
    name="sell",
    epilog=example(
        "sayso marketplace sell order-17 --to 0x5290...9EE7 --purpose train-ai --until 1y",
    ),
)
@_reference
@address_option("--to", "ADDRESS", "The buyer.", name="grantee", required=True)
@text_option(
    "--purpose",
    "PURPOSE",
    "What the buyer may do. May be given several times.",
    name="purposes",
    multiple=True,
    required=True,
)
@expiry_option("--until", "1y|DATE", "The end: 90d, 1y or 2027-06-30.", name="expires_at", required=True)
@hash_option(
    "--item",
    "HASH",
    "An item to sell. May be given several times.  [default: everything in stock]",
    name="items",
    multiple=True,
)
@shop_options
def sell(
    *,
    shop: ShopOptions,
    reference: str,
    grantee: bytes,
    purposes: tuple[str, ...],
    expires_at: int,
    items: tuple[bytes, ...],
) -> None:
    """Sell what is in stock to a buyer, under your number of the order, REFERENCE.

    All licenses of an item go together: those of everybody in a call. The sale is whole or does not
    happen. The sublicenses wait for `sayso marketplace follow` or `send`.
    """
    warn_of_purposes(purposes)
    with shop.begin() as db:
        chosen = items or tuple({row.item for row in shop.market.stock(db, purposes)})
        if not chosen:
            raise NotInStock(f"nothing is in stock for {', '.join(purposes)}")
        sale = shop.market.sell(db, reference, Offer(grantee, purposes, expires_at, chosen))
    say(f"{several(len({row.item for row in sale.rows}), 'item')} sold")
    for one in sale.sublicenses:
        say(f"sublicense {hex_text(one.digest)}")


@marketplace.command(
    name="publish", epilog=example("sayso marketplace publish order-17 --out data --format parquet")
)
@_reference
@path_option("--out", "DIR", "The folder to write.", required=True)
@click.option(
    "--format", "form", type=click.Choice(list(DATA_FORMS)), default="parquet", show_default=True
)
@shop_options
def publish(*, shop: ShopOptions, reference: str, out: Path, form: str) -> None:
    """Write the data set of a sale: files, hashes, salts and the license bundle.

    What was taken back since the sale is left out.
    """
    with shop.begin() as db:
        found = shop.market.dataset(db, reference)
    about = found.write(out, form)
    say(f"{several(about['files'], 'file')} in {out}")
    if about["left_out"]:
        warn(f"left out {several(about['left_out'], 'file')} that were taken back")


@marketplace.command(name="send", epilog=example("sayso marketplace send --key shop.json"))
@shop_options
def send(*, shop: ShopOptions) -> None:
    """Send what waits for a node, ask about new consents, and confirm removals, once."""
    done = asyncio.run(shop.courier.step())
    with shop.begin() as db:
        left = shop.market.outbox(db)
    say(f"{done:,} done, {several(len(left), 'message')} waiting")
    for one in left:
        why = f" [{one.code}] after {several(one.attempts, 'attempt')}" if one.code else ""
        say(f"  {hex_text(one.envelope.digest)}{why}")


@marketplace.command(name="follow", epilog=example("sayso marketplace follow --key shop.json"))
@shop_options
def follow(*, shop: ShopOptions) -> None:
    """Run beside the shop: send, ask, follow revocations without gaps, and confirm removals."""
    asyncio.run(shop.courier.run())


@marketplace.command(name="due", epilog=example("sayso marketplace due"))
@shop_options
def due(*, shop: ShopOptions) -> None:
    """List what has to be removed by when, a JSON line each, the most urgent first."""
    with shop.begin() as db:
        found = shop.market.duties(db)
    for one in found:
        values = {"number": one.number, "license": hex_text(one.license), "item": hex_text(one.item)}
        more = {"purpose": one.purpose, "due": moment(one.due_at), "removed": one.is_removed}
        say(json.dumps(values | more))


@marketplace.command(name="removed", epilog=example("sayso marketplace removed 3 4 --key shop.json"))
@click.argument("numbers", nargs=-1, type=int, required=True)
@shop_options
def removed(*, shop: ShopOptions, numbers: tuple[int, ...]) -> None:
    """State that you removed what the duties with these NUMBERS ask for.

    `follow` or `send` signs the removals, each for several people together.
    """
    with shop.begin() as db:
        changed = shop.market.removed(db, numbers)
    say(f"{several(changed, 'removal')} noted")


@marketplace.command(
    name="dispute",
    epilog=example(
        "sayso marketplace dispute case-1 --contributors fraud.txt --code impersonation --until 90d"
    ),
)
@_reference
@path_option("--contributors", "FILE|-", "Addresses, one on each line.", required=True)
@text_option("--code", "NAME", "The reason, such as impersonation.", required=True)
@expiry_option(
    "--until",
    "90d|DATE",
    "The end: 90d or 2027-06-30.",
    name="expires_at",
    required=True,
)
@shop_options
def dispute(
    *, shop: ShopOptions, reference: str, contributors: Path, code: str, expires_at: int
) -> None:
    """Dispute uploaders who license what is not theirs, and take what they license out of stock."""
    people = read_addresses(contributors)
    with shop.begin() as db:
        signed = shop.market.dispute(db, reference, people, code, expires_at)
    for one in signed:
        say(f"dispute {hex_text(one.digest)}")


@marketplace.command(name="lift", epilog=example("sayso marketplace lift case-1 --key shop.json"))
@_reference
@shop_options
def lift(*, shop: ShopOptions, reference: str) -> None:
    """Lift a dispute of yours, finally: withdraw it, and put its people back in stock."""
    with shop.begin() as db:
        signed = shop.market.lift(db, reference)
    for one in signed:
        say(f"revocation {hex_text(one.digest)}")
