"""`sayso node erase`: remove from a node what contributors have revoked (rule 8.13)."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from sayso.commands.options import PATH, address_option, option_of, yes_option
from sayso.commands.text import example, moment, say, several
from sayso.commands.types import date
from sayso.extras import extra
from sayso_protocol.primitives import address_text, hash_from_text, hex_text

if TYPE_CHECKING:
    from sayso_node.folder.erasing import Erasable, Erasing, ToErase

LICENSES_SHOWN: Final = 20  # consents that are listed one by one
_STAYS: Final = (
    "what stays on this node, and why:",
    "  license hash, and that it was revoked: so that a copy of the consent is refused",
    "  contributor, grantee, guardian, marketplace, purposes, dates, number of items, number of the",
    "  agreement: so that the trace still says who has to confirm the removal, and until when",
    "  revocations, and whom they are of: so that a new consent on the same terms is revoked, too",
    "not reached: other nodes, the chain, backups, exports, and what grantees hold",
)


@click.command(
    epilog=example(
        "sayso node erase ./node 0xc0ffee...",
        "sayso node erase ./node --contributor 0x3ff2...",
        "sayso node erase ./node --revoked-before 2026-01-31 --yes",
    )
)
@click.argument("folder", type=PATH)
@click.argument("licenses", nargs=-1, type=hash_from_text, metavar="[LICENSE]...")
@address_option("--contributor", "ADDRESS", "All revoked licenses of this contributor.")
@option_of(date)(
    "--revoked-before",
    "DATE",
    "All licenses of which the last permission was revoked on the chain before this day (UTC).",
)
@yes_option
def erase(
    folder: Path,
    licenses: tuple[bytes, ...],
    contributor: bytes | None,
    revoked_before: int | None,
    *,
    yes: bool,
) -> None:
    """Erase revoked licenses from the node in FOLDER: items, terms and signature. Stop the node first.

    A license can be erased when all of it is revoked and a final block says so. Peers do not bring it
    back. Nothing can undo this.
    """
    if bool(licenses) == (contributor is not None or revoked_before is not None):
        raise click.UsageError("name licenses, or choose them by --contributor and --revoked-before")
    with extra("node"):
        from sayso_node.folder.erasing import erasing  # noqa: PLC0415

    with erasing(folder) as store:
        found = store.named(list(licenses)) if licenses else store.chosen(contributor, revoked_before)
        _erase(store, found, yes=yes)


def _erase(store: "Erasing", found: "ToErase", *, yes: bool) -> None:
    _show(found)
    if not found.erasable:
        say("nothing to erase")
        return
    say(*_STAYS)
    if not yes:
        click.confirm(f"Erase {several(len(found.erasable), 'license')}?", abort=True, err=True)
    count = store.erase([one.license for one in found.erasable])
    say(f"erased {several(count, 'license')}")


def _show(found: "ToErase") -> None:
    for one in found.erasable[:LICENSES_SHOWN]:
        say(f"{hex_text(one.license)}: {_described(one)}")
    if (more := len(found.erasable) - LICENSES_SHOWN) > 0:
        say(f"and {several(more, 'license')} more")
    for count, why in (
        (found.earlier, "erased earlier"),
        (found.standing, "not revoked, or not in time: kept"),
        (found.undated, "revoked, and no final block that this node knows says since when: kept"),
    ):
        if count:
            say(f"{several(count, 'license')} {why}")


def _described(one: "Erasable") -> str:
    since = "" if one.revoked_at is None else f", revoked by {moment(one.revoked_at)}"
    return f"{several(one.items, 'item')} of {address_text(one.contributor)}{since}"
