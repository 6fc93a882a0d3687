"""`sayso revoke`: revoke permissions finally, with one signature and free of charge."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from eth_account.signers.local import LocalAccount

from sayso.commands.asking import confirm
from sayso.commands.contributor.salts import licensed_items
from sayso.commands.contributor.submit import acknowledgement_option, send
from sayso.commands.node import AskedNode, node_options
from sayso.commands.options import hash_option, path_option, text_option, yes_option
from sayso.commands.signing import Signing, print_messages, print_option, signing_options
from sayso.commands.text import example, say, several, warn, warn_of_purposes
from sayso.contributor.licensing import Account, sign_message
from sayso.contributor.onchain import revoke_on_chain
from sayso.contributor.planning import Plan, Wish, make_plan, plan_blindly
from sayso.contributor.saved_messages import GrowingBundle, SavedLicenses, check_fits, load_bundle
from sayso.errors import NodeUnreachable
from sayso.explain.messages import scope_meaning
from sayso.files import find_files, hash_files
from sayso.outputs import refuse_existing
from sayso_protocol.errors import InvalidScope, SaysoError
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import of_kind
from sayso_protocol.messages.revocation import REVOCATION_NOTICE, Revocation
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_from_text, hex_text


@click.command(
    name="revoke",
    epilog=example(
        "sayso revoke everything for likeness-synthesis --key me.json",
        "sayso revoke via kled.ai --key me.json",
        "sayso revoke --license 0x4f5e...c1d2 --key me.json",
        "sayso revoke --license 0x4f5e...c1d2 --file a.jpg --file b.jpg --key me.json",
        "sayso revoke --file photos/ --salts photos.salts.jsonl --key me.json",
        "sayso revoke everything --key me.json --save stop.sayso",
    ),
)
@click.argument("scope", nargs=-1, metavar="[SCOPE]")
@hash_option("--license", "HASH", "Revoke within this license.")
@path_option("--file", "PATH", "Revoke this file.", name="files", multiple=True)
@path_option(
    "--salts",
    "FILE",
    "Find files by these secrets, too (sayso grant --salted, or saved by the page).",
    multiple=True,
)
@hash_option("--item", "HASH", "Revoke this item.", name="items", multiple=True)
@text_option("--purpose", "PURPOSE", "Revoke for this purpose only.", name="purposes", multiple=True)
@signing_options
@node_options
@path_option(
    "--save",
    "FILE",
    "Sign and save to this file, without sending (sayso submit). Continues what it holds.",
)
@path_option(
    "--consents",
    "FILE",
    "Look up licenses in this file (sayso grant --save) instead of a node, and submit it, too.",
)
@acknowledgement_option
@click.option(
    "--on-chain", is_flag=True, help="Also send the revocation to the contract, which costs gas."
)
@print_option
@yes_option
def command(
    scope: tuple[str, ...],
    signing: Signing,
    asked: AskedNode,
    *,
    yes: bool,
    only_print: bool,
    **options: Any,
) -> None:
    """Revoke permissions. A revocation is final and free, and it is valid on every chain.

    A SCOPE covers all your licenses, also future ones: everything | via DOMAIN | file HASH | to ADDRESS
    | agreement HASH, each with or without "for PURPOSE". "to ADDRESS" revokes what that address was
    licensed, and stops every use by it. A guardian puts "ward ADDRESS" before it: ward ADDRESS
    everything.

    --license revokes one license with its renewals (the scope "agreement HASH"), or only some of its
    files (--file, --item) or purposes. Without --license, --file and --item stand for the scope "file
    HASH", and --purpose for "everything for PURPOSE".

    The command shows what the revocation covers before you sign; --print shows exactly what would be
    signed.
    """
    trusted = asked.trusted
    wish = _wish(scope_text(scope), options)
    where = _where(asked, options, signing)
    if where.rpc_url and signing.signer_url:
        raise click.UsageError(
            "--on-chain needs a --key, because an external signer sends no transactions"
        )
    plan = _plan(wish, signing.address(), where)
    if only_print:
        print_messages(plan.revocations, trusted.network)
        return
    if where.save:
        check_fits(len(plan.revocations))
    _show(plan)
    if wish.files and plan.hits == () and not options["salts"]:
        warn("files that were licensed with secrets are found with --salts only")
    if not yes:
        confirm("Sign the revocation?")
    account = signing.open()
    if where.save:
        _sign_into(where.save, account, plan, trusted)
        return
    envelopes = [sign_message(account, one, trusted.network) for one in plan.revocations]
    _send(account, [*where.consents, *envelopes], trusted, where)


def _sign_into(path: Path, account: Account, plan: Plan, trusted: NetworkFile) -> None:
    """Sign and save; what is signed stays, so that a wallet of several owners can take days."""
    bundle = GrowingBundle(path, trusted.network)
    try:
        bundle.sign(plan.revocations, lambda one: sign_message(account, one, trusted.network))
    except SaysoError:
        signed = f"{len(bundle.held):,} of {several(len(plan.revocations), 'revocation')}"
        warn(f"signed and saved: {signed}; to continue, repeat the same command")
        raise
    say(f"signed and saved, not sent; submit it with: sayso submit {path}")


def scope_text(words: tuple[str, ...]) -> str:
    """Join words to a scope, with its addresses in lower case; raises InvalidAddress."""
    found = " ".join(words).split()
    for at, word in enumerate(found[:-1]):
        if word in {"ward", "to"}:
            found[at + 1] = hex_text(address_from_text(found[at + 1]))
    return " ".join(found)


@dataclass(frozen=True)
class _Where:
    """The destinations of a revocation: a node, a file or an endpoint of the chain.

    `consents` are submitted before the revocation; `promises` is the file for acknowledgements.
    """

    asked: AskedNode
    save: Path | None
    rpc_url: str | None
    consents: tuple[Envelope, ...]
    promises: Path | None

    @property
    def needs_node(self) -> bool:
        return not self.save and not self.rpc_url


def _where(asked: AskedNode, options: dict[str, Any], signing: Signing) -> _Where:
    rpc_url = signing.rpc_url
    if options["on_chain"] and not rpc_url:
        raise click.UsageError("--on-chain needs --rpc URL")
    if rpc_url and not options["on_chain"] and not signing.signer_url:
        raise click.UsageError("--rpc URL needs --on-chain; a key alone never asks the chain")
    if options["on_chain"] and options["save"]:
        raise click.UsageError("--save does not send and --on-chain sends; give only one of them")
    if options["save"] and options["promises"]:
        raise click.UsageError("--save does not send, so there is nothing for --acknowledgement")
    where = _Where(
        asked,
        options["save"],
        rpc_url if options["on_chain"] else None,
        tuple(load_bundle(options["consents"], asked.trusted.network)) if options["consents"] else (),
        options["promises"],
    )
    refuse_existing(where.promises)
    _ = where.needs_node and asked.url  # named before anything is signed
    return where


def _wish(scope: str, options: dict[str, Any]) -> Wish:
    if options["salts"] and not options["files"]:
        raise click.UsageError("--salts finds nothing without --file")
    hashed = hash_files(find_files(options["files"]).files) if options["files"] else ()
    files = licensed_items(hashed, options["salts"])
    wish = Wish(scope, options["license"], options["items"], options["purposes"], files)
    if wish.license is None or scope:
        try:
            warn_of_purposes(one.purpose for one in wish.scopes() if one.purpose)
        except InvalidScope as error:
            parts = "--license HASH or --file PATH revoke one license or one file"
            raise InvalidScope(f"{error}; {parts}") from error
    return wish


def _plan(wish: Wish, signer: bytes, where: _Where) -> Plan:
    """Plan with the node's licenses; without a node, scopes can still be saved or sent to the chain."""
    if where.consents:
        return asyncio.run(make_plan(wish, signer, SavedLicenses(where.consents)))
    if where.asked.url_if_any:
        try:
            # What a contract wallet signed is not asked about: nobody has to agree to a revocation.
            return where.asked.ask(lambda node: make_plan(wish, signer, node), asks_wallets=False)
        except NodeUnreachable:
            if where.needs_node or wish.license:
                raise
    return plan_blindly(wish, signer)


def _show(plan: Plan) -> None:
    say(REVOCATION_NOTICE)
    for revocation in plan.revocations:
        for scope in revocation.scopes:
            say(f"  {scope}")
            say(f"    {scope_meaning(scope)}")
    if plan.hits is None:
        warn("no node was available to show what the revocation covers")
    elif not plan.hits:
        warn("the revocation covers no license that the node or the file knows")
    for held, count in plan.hits or ():
        purposes = ", ".join(held.license.consent.purposes)
        say(f"  license {hex_text(held.hash)} ({purposes})")
        say(f"    {count:,} of {several(held.permissions, 'permission')}")


def _send(account: Account, envelopes: list[Envelope], trusted: NetworkFile, where: _Where) -> None:
    """Send to the node first, because that is immediate; then to the chain, even if the node failed."""
    try:
        if where.asked.url_if_any:
            send(envelopes, where.asked, where.promises)
    except SaysoError as error:
        if where.needs_node:
            raise
        warn(f"{where.asked.url_if_any}: {error}")
    if where.rpc_url and isinstance(account, LocalAccount):  # an external signer was refused above
        revocations = [revocation for _, revocation in of_kind(envelopes, Revocation)]
        sent = revoke_on_chain(where.rpc_url, trusted.network, account, revocations)
        for receipt in asyncio.run(sent):
            say(f"in block {receipt.block_number}, transaction {hex_text(receipt.tx_hash)}")
