"""Files, requests and answers: how licenses come in."""

import json
from pathlib import Path

import click

from sayso.commands.marketplace.group import ShopOptions, marketplace, shop_options
from sayso.commands.options import PATH, address_option, json_option, path_option, text_option
from sayso.commands.text import example, say, say_json, several, warn_of_purposes
from sayso.commands.types import expiry_option
from sayso.contributor.saved_messages import read_bounded
from sayso.errors import FileUnreadable
from sayso.files import find_files
from sayso.marketplace.requests import TERMS_LETTERS, Wanted
from sayso.marketplace.taking import ANSWER_BYTES
from sayso_protocol.primitives import hex_text


@marketplace.command(
    name="request",
    epilog=example(
        "sayso marketplace request song.wav --purpose train-ai --purpose resale --until 1y \\",
        "  --terms terms.txt --via market.example --key shop.json",
    ),
)
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="FILE...")
@text_option(
    "--purpose",
    "PURPOSE",
    "What you ask for. May be given several times.",
    name="purposes",
    multiple=True,
    required=True,
)
@expiry_option("--until", "1y|DATE", "The end: 90d, 1y or 2027-06-30.", name="expires_at", required=True)
@path_option("--terms", "FILE", "The license text; its hash is signed.")
@text_option("--terms-uri", "URL", "The web address of the license text.", default="")
@address_option(
    "--party",
    "ADDRESS",
    "Another person in the files, who signs a request of their own. May be given several times.",
    name="parties",
    multiple=True,
)
@address_option("--contributor", "ADDRESS", "Who has to sign.  [default: whoever has the token]")
@click.option("--plain", is_flag=True, help="Use no salts, for files that everybody may know.")
@text_option("--reference", "TEXT", "Your own name for it.", default="")
@json_option
@shop_options
def request(
    *,
    shop: ShopOptions,
    paths: tuple[Path, ...],
    purposes: tuple[str, ...],
    expires_at: int,
    terms: Path | None,
    terms_uri: str,
    parties: tuple[bytes, ...],
    contributor: bytes | None,
    plain: bool,
    reference: str,
    as_json: bool,
) -> None:
    """Keep files, and make a request for consent to them.

    The command prints a link to the page of the node, where the person reads and signs it, and the token
    with which the answer comes back (sayso marketplace take).
    """
    warn_of_purposes(purposes)
    text = _text(terms) if terms else ""
    with shop.begin() as db:
        salt = b"" if plain else None
        kept = [shop.market.keep(db, one, salt=salt) for one in find_files(paths).files]
        wanted = Wanted(
            tuple(one.item for one in kept),
            purposes,
            expires_at,
            parties,
            contributor,
            terms=text,
            terms_uri=terms_uri,
        )
        made = shop.market.request(db, wanted, reference)
    link = made.link(shop.market.nodes[0])
    if as_json:
        say_json({"token": made.token, "link": link, "message": made.message})
        return
    say(f"{several(len(kept), 'file')} kept")
    say(f"token {made.token}")
    say(link)


def _text(path: Path) -> str:
    data = read_bounded(path, 4 * TERMS_LETTERS)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise FileUnreadable(f"{str(path)!r} is not a text in UTF-8") from error
    if len(text) > TERMS_LETTERS:
        raise FileUnreadable(f"{str(path)!r} has more than {TERMS_LETTERS:,} letters")
    return text


@marketplace.command(
    name="take", epilog=example("sayso marketplace take 5f0c...91 answer.json --key shop.json")
)
@click.argument("token")
@click.argument("answer", type=PATH)
@shop_options
def take(*, shop: ShopOptions, token: str, answer: Path) -> None:
    """Take the page's answer to a request in: the JSON of its message, from a file or `-`.

    Only what was asked for is taken. The same answer may come twice.
    """
    with shop.begin() as db:
        _, taken = shop.market.take(db, token, read_bounded(answer, ANSWER_BYTES))
    for name, is_new in taken.items():
        say(f"license {hex_text(name)}" + ("" if is_new else " (already known)"))


@marketplace.command(name="stock", epilog=example("sayso marketplace stock --purpose train-ai"))
@text_option(
    "--purpose",
    "PURPOSE",
    "For this purpose; for all of several.",
    name="purposes",
    multiple=True,
    required=True,
)
@shop_options
def stock(*, shop: ShopOptions, purposes: tuple[str, ...]) -> None:
    """List what may be sold for all of these purposes: license and item, a JSON line each."""
    with shop.begin() as db:
        rows = shop.market.stock(db, purposes)
    for row in rows:
        say(json.dumps({"license": hex_text(row.license), "item": hex_text(row.item)}))
