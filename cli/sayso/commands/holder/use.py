"""`sayso use`: state that licenses were used in a run."""

import time
from pathlib import Path

import click

from sayso.commands.holder.named import HELD, Named, named_options
from sayso.commands.holder.options import Stating, stating_options
from sayso.commands.holder.stating import state
from sayso.commands.options import path_option, text_option
from sayso.commands.text import example, warn, warn_of_purposes
from sayso.commands.types import date
from sayso.files import item_hash
from sayso.holder.checked_runs import read_run
from sayso.holder.drafts import NOTHING, Draft
from sayso.holder.hashes import sorted_once
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.primitives import ANYONE, address_text


@click.command(
    name="use",
    epilog=example(
        "sayso use --manifest data.parquet --rejected why.jsonl --record receipt.json --key lab.json",
        "sayso use --licenses used.txt --purpose train-ai --run voices-7 --key lab.json",
    ),
)
@text_option("--purpose", "PURPOSE", "What for.  [default: the purpose of the --record]")
@text_option("--run", "NAME", "Your name for the run.  [default: none; it is public]")
@click.option(
    "--at",
    "used_at",
    type=date,
    metavar="DATE",
    help="When: 2026-11-30 or 2026-11-30T08:00, in UTC.  [default: now]",
)
@path_option(
    "--record",
    "R",
    "What sayso check --receipt wrote; its hash is signed. It is verified with --manifest.",
)
@named_options
@stating_options
def command(
    *,
    named: Named,
    stating: Stating,
    purpose: str | None,
    run: str | None,
    used_at: int | None,
    record: Path | None,
) -> None:
    """State that you used data of licenses, so that its contributors see where it went.

    A hash is that of a license, or the digest of a sublicense, which stands for all its licenses. With
    --record and --manifest, exactly the granted rows of that check are named.

    The command shows what becomes public before you sign. A use cannot be undone; you can withdraw the
    statement (sayso withdraw).
    """
    signer = stating.address()
    if record:
        checked = read_run(record, stating.trusted, named.manifest, named.rejected, named.columns)
        if checked.grantee not in {signer, ANYONE}:
            warn(f"the record is of a check by {address_text(checked.grantee)}, not by the signer")
        if not named.manifest or named.licenses or named.bundle:
            warn("not compared with the record: what --licenses and --bundle name")
        purpose = purpose or checked.purpose
        if purpose != checked.purpose:
            warn(f"the record is of a check for {checked.purpose}, not for {purpose}")
    if not purpose:
        raise click.UsageError("name a --purpose, or the --record of a check")
    warn_of_purposes([purpose])
    template = Use(
        signer=signer,
        content=NOTHING,
        count=1,
        purpose=purpose,
        run=run or "",
        record=item_hash(record) if record else NOTHING,
        used_at=int(time.time()) if used_at is None else used_at,
    )
    hashes = sorted_once(named.hashes(stating.trusted.network, *HELD))
    floating = frozenset({"used_at"} if used_at is None else ())
    state(Draft(template, hashes, floating), stating)
