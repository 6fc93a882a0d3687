"""`sayso dispute`: say that files show you, or that contributors license what is not theirs."""

import time
from pathlib import Path

import click

from sayso.commands.holder.options import Stating, stating_options
from sayso.commands.holder.stating import state
from sayso.commands.options import address_option, hash_option, path_option, text_option
from sayso.commands.text import example
from sayso.commands.types import expiry_option
from sayso.files import find_files, hash_files
from sayso.holder.drafts import NOTHING, Draft
from sayso.holder.hashes import read_addresses, read_hashes, sorted_once
from sayso_protocol.messages.statements.dispute import (
    CONTRIBUTORS,
    FILES,
    Dispute,
    contributor_hash,
)


@click.command(
    name="dispute",
    epilog=example(
        "sayso dispute --file voice.wav --code voice --until 90d --key me.json",
        "sayso dispute --contributor 0x5290...9EE7 --code impersonation --until 1y --key me.json",
    ),
)
@path_option("--file", "PATH", "A file that shows you.", name="paths", multiple=True)
@hash_option("--item", "HASH", "Such a file, by its hash.", name="items", multiple=True)
@path_option("--files", "FILE|-", "A list of such hashes, one on each line.")
@address_option(
    "--contributor",
    "ADDRESS",
    "A contributor who licenses what is not theirs.",
    name="people",
    multiple=True,
)
@path_option("--contributors", "FILE|-", "A list of such addresses, one on each line.")
@text_option("--code", "NAME", "The reason, for example voice or impersonation.", required=True)
@expiry_option(
    "--until",
    "90d|DATE",
    "The end: 90d, 1y or 2027-06-30; at most a year from now.",
    name="expires_at",
    required=True,
)
@stating_options
def command(
    *,
    stating: Stating,
    paths: tuple[Path, ...],
    items: tuple[bytes, ...],
    files: Path | None,
    people: tuple[bytes, ...],
    contributors: Path | None,
    code: str,
    expires_at: int,
) -> None:
    """Dispute files that show you, or contributors who license what is not theirs.

    A dispute stops a use only where it is heeded: at nodes and checkers that name your address. It ends
    by itself, and you can withdraw it (sayso withdraw).

    The command shows what becomes public before you sign: for files, that your address is a person in
    them.
    """
    of_files, of_people = bool(paths or items or files), bool(people or contributors)
    if of_files == of_people:
        raise click.UsageError("name files (--file, --item, --files) or contributors, not both")
    if of_files:
        hashes = [*items, *(read_hashes(files) if files else ())]
        hashes += [one.item for one in hash_files(find_files(paths).files)] if paths else []
    else:
        addresses = [*people, *(read_addresses(contributors) if contributors else ())]
        hashes = [contributor_hash(one) for one in addresses]
    template = Dispute(
        signer=stating.address(),
        content=NOTHING,
        count=1,
        subject=FILES if of_files else CONTRIBUTORS,
        code=code,
        issued_at=int(time.time()),
        expires_at=expires_at,
    )
    state(Draft(template, sorted_once(hashes), frozenset({"issued_at", "expires_at"})), stating)
