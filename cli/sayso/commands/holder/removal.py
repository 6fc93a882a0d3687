"""`sayso removal`: confirm that what is revoked was removed."""

from pathlib import Path

import click

from sayso.commands.holder.named import HELD, Named, named_options
from sayso.commands.holder.options import Stating, stating_options
from sayso.commands.holder.stating import state
from sayso.commands.options import path_option
from sayso.commands.text import example
from sayso.files import item_hash
from sayso.holder.drafts import NOTHING, Draft
from sayso.holder.final_block import final_block
from sayso.holder.hashes import sorted_once
from sayso_protocol.messages.statements.removal import Removal


@click.command(
    name="removal",
    epilog=example(
        "sayso removal --bundle licenses --key lab.json",
        "sayso removal --licenses held.txt --as-of-block 21400000 --record removed.csv --key lab.json",
    ),
)
@click.option(
    "--as-of-block",
    type=click.IntRange(0),
    metavar="N",
    help="The block up to which you looked for revocations.  [default: the node's last final block]",
)
@path_option(
    "--record",
    "FILE",
    "Your own record of the removal, of any form; its hash is signed, and nothing of it is sent.",
)
@named_options
@stating_options
def command(*, named: Named, stating: Stating, as_of_block: int | None, record: Path | None) -> None:
    """Confirm that you removed what is revoked of licenses from all you hold.

    Remove it first: check your data (sayso check), and delete the revoked rows and their copies. Then
    name all licenses and sublicenses that you hold. The confirmation is about what is revoked of them up
    to a block. Nobody can verify it, and it does not say that a model forgot.

    The command shows what becomes public before you sign.
    """
    template = Removal(
        signer=stating.address(),
        content=NOTHING,
        count=1,
        as_of_block=stating.asked.ask(final_block) if as_of_block is None else as_of_block,
        record=item_hash(record) if record else NOTHING,
    )
    hashes = sorted_once(named.hashes(stating.trusted.network, *HELD))
    floating = frozenset({"as_of_block"} if as_of_block is None else ())
    state(Draft(template, hashes, floating), stating)
