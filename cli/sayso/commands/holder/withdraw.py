"""`sayso withdraw`: take back statements, finally."""

from collections.abc import Sequence
from pathlib import Path

import click

from sayso.commands.asking import confirm
from sayso.commands.contributor.submit import acknowledgement_option, send
from sayso.commands.node import AskedNode, node_options
from sayso.commands.options import path_option, yes_option
from sayso.commands.signing import Signing, print_messages, print_option, signing_options
from sayso.commands.text import example, say, several
from sayso.contributor.licensing import sign_message
from sayso.contributor.saved_messages import check_fits, save_bundle
from sayso.holder.hashes import read_hashes
from sayso.holder.withdrawing import statements_in, withdrawals
from sayso.outputs import refuse_existing
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import hash_from_text


@click.command(
    name="withdraw",
    epilog=example(
        "sayso withdraw 0x4f5e...c1d2 --key lab.json",
        "sayso withdraw --statements use-3fa9c012 --key lab.json",
    ),
)
@click.argument("digests", nargs=-1, type=hash_from_text, metavar="[DIGEST]...")
@path_option("--digests", "FILE|-", "A list of digests, one on each line.", name="listed")
@path_option(
    "--statements",
    "DIR",
    "Withdraw all statements in this file or folder (--keep and --save of the other commands).",
    name="folder",
)
@signing_options
@path_option("--save", "FILE", "Sign and save to this file, without sending (sayso submit).")
@acknowledgement_option
@print_option
@yes_option
@node_options
def command(
    digests: tuple[bytes, ...],
    listed: Path | None,
    folder: Path | None,
    signing: Signing,
    save: Path | None,
    promises: Path | None,
    asked: AskedNode,
    *,
    only_print: bool,
    yes: bool,
) -> None:
    """Withdraw your own sublicenses, uses, removals and disputes, by their digests.

    A withdrawal is a revocation, so it is final: the same statement cannot be made again. What was
    public stays public. A withdrawn sublicense stops all that was passed on by it; a new one may replace
    it.

    The command shows what it withdraws before you sign.
    """
    if not (digests or listed or folder):
        raise click.UsageError("name the statements: with DIGEST, --digests or --statements")
    if save and promises:
        raise click.UsageError("--save does not send, so there is nothing for --acknowledgement")
    if listed and str(listed) == "-" and not (yes or only_print):
        raise click.UsageError("a list on standard input needs --yes: the answer is read there, too")
    refuse_existing(save, promises)
    network, signer = asked.trusted.network, signing.address()
    named = {*digests, *(read_hashes(listed) if listed else ())}
    named |= statements_in(folder, network, signer) if folder else set()
    revocations = withdrawals(signer, named)
    if only_print:
        print_messages(revocations, network)
        return
    _ = save or asked.url  # one of them is named before anything is signed
    if save:
        check_fits(len(revocations))
    _ask(revocations, yes=yes)
    account = signing.open()
    envelopes = [sign_message(account, one, network) for one in revocations]
    if save:
        save_bundle(save, envelopes)
        say(f"signed and saved, not sent; submit it with: sayso submit {save}")
        return
    send(envelopes, asked, promises)


def _ask(revocations: Sequence[Revocation], *, yes: bool) -> None:
    """Show what is withdrawn, and ask unless `yes`."""
    say(revocations[0].notice)
    for scope in (scope for one in revocations for scope in one.scopes):
        say(f"  {scope}")
    if not yes:
        confirm(f"Sign {several(len(revocations), 'revocation')}?")
