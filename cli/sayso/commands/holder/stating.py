"""What every statement goes through: it is shown, signed, saved and sent, in this order."""

from pathlib import Path
from typing import Final

import click

from sayso.commands.asking import confirm
from sayso.commands.contributor.submit import send
from sayso.commands.holder.options import Stating
from sayso.commands.text import printable, say_json, several, tracked, warn
from sayso.errors import OutputFailed
from sayso.holder.drafts import Draft, becomes_public
from sayso.holder.endorsing import endorsing_calls
from sayso.holder.signed_folder import SignedFolder, by_account, endorsed
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.kinds import kind_of
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.typed_data import digest, typed_data
from sayso_protocol.primitives import hex_text

NOTICES: Final = 5  # shown; they differ only in their number
Unsigned = tuple[Message, tuple[bytes, ...]]


def state(draft: Draft, stating: Stating) -> None:
    """Show, sign, save and send a statement; raises the errors of each of these steps."""
    network = stating.trusted.network
    if stating.only_print:
        say_json([_printed(one, stating) for one in draft.messages()])
        return
    chosen = stating.save or stating.keep
    folder = SignedFolder(chosen or _new_folder(draft, stating), network)
    if chosen is None and folder.path.exists():
        raise OutputFailed(f"{str(folder.path)!r} exists; name a folder with --keep DIR")
    _ = stating.endorse or stating.save or stating.asked.url  # named before anything is signed
    rest = folder.rest(draft, endorses=stating.endorse)
    _show(draft, rest)
    if rest.hashes:
        if not stating.yes:
            confirm("Sign this?")
        _sign(rest, folder, stating)
    _finish(folder, stating)


def _printed(unsigned: Unsigned, stating: Stating) -> dict[str, object]:
    message, hashes = unsigned
    network = stating.trusted.network
    return {
        "digest": hex_text(digest(message, network)),
        "typed_data": typed_data(message, network),
        "hashes": [hex_text(one) for one in hashes],
    }


def _new_folder(draft: Draft, stating: Stating) -> Path:
    first, _ = next(draft.messages())
    return Path(f"{kind_of(first).name}-{digest(first, stating.trusted.network)[:4].hex()}")


def _tell(text: str) -> None:
    """Print a line beside the results, which are on standard output."""
    click.echo(printable(text), err=True)


def _show(draft: Draft, rest: Draft) -> None:
    for at, (message, _) in enumerate(rest.messages()):
        if at == NOTICES:
            _tell(f"... and {several(rest.count - NOTICES, 'more message')} that say the same")
            break
        _tell(message.notice)
    if rest.count < draft.count:
        _tell(f"already signed: {draft.count - rest.count:,} of {several(draft.count, 'message')}")
    _tell("What everybody can read, for ever, once this is sent:")
    for one in becomes_public(draft):
        _tell(f"  {one}")


def _sign(rest: Draft, folder: SignedFolder, stating: Stating) -> None:
    network = stating.trusted.network
    sign = endorsed(network) if stating.endorse else by_account(stating.signing().open(), network)
    try:
        folder.sign(tracked(rest.messages(), "Signing", rest.count), sign)
    except SaysoError:
        if folder.path.exists():
            _tell(f"what is signed is in {folder.path}; continue with the same command and --keep")
        raise


def _finish(folder: SignedFolder, stating: Stating) -> None:
    envelopes = folder.held()
    if stating.endorse:
        say_json(endorsing_calls((one.digest for one in envelopes), stating.trusted.network))
        _tell(
            f"when the wallet has sent these calls and their block is final: sayso submit {folder.path}"
        )
    elif stating.save:
        for one in envelopes:
            click.echo(f"{kind_of(one.message).name} {hex_text(one.digest)}")
        _tell(f"signed and saved, not sent; submit it with: sayso submit {folder.path}")
    else:
        _send(envelopes, folder, stating)


def _send(envelopes: list[Envelope], folder: SignedFolder, stating: Stating) -> None:
    try:
        send(envelopes, stating.asked)
    except SaysoError:
        warn(
            f"all messages are signed and in {folder.path}; send them again: sayso submit {folder.path}"
        )
        raise
    _tell(f"the signed messages are in {folder.path}")
