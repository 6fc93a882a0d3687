"""The folder of a command's signed messages: a file for each, named by its digest.

Each message is on the disk before the next is signed, and all of them before the first is sent, so that
a failure loses no signature. Sending them twice changes nothing.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from sayso.contributor.licensing import Account, sign_message
from sayso.contributor.saved_messages import save_bundle
from sayso.errors import OtherStatements, OutputFailed
from sayso.gate.licenses import ENDING
from sayso.holder.drafts import Draft
from sayso.holder.hashes import load_messages
from sayso.outputs import output_errors
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import Message
from sayso_protocol.network import Network

UNSIGNED: Final = b""  # the signature of what a contract wallet endorses
Sign = Callable[[Message, tuple[bytes, ...]], Envelope]


class SignedFolder:
    """SignedFolder is a folder of signed messages, which may not exist yet."""

    def __init__(self, path: Path, network: Network) -> None:
        self.path = path
        self._network = network

    def held(self) -> list[Envelope]:
        """Return the messages in the folder, verified; raises as `load_bundle`."""
        if not self.path.exists():
            return []
        if not self.path.is_dir():
            raise OutputFailed(f"{str(self.path)!r} exists and is not a folder")
        with output_errors(self.path):
            is_empty = not any(self.path.glob(f"*{ENDING}"))
        return [] if is_empty else load_messages(self.path, self._network)

    def rest(self, draft: Draft, *, endorses: bool) -> Draft:
        """Return what is left to sign, or to endorse; raises OtherStatements."""
        held = self.held()
        if any((one.signature == UNSIGNED) != endorses for one in held):
            raise OtherStatements(
                "some messages in the folder are signed, and others are for endorsement"
            )
        return draft.without([(one.message, one.items) for one in held])

    def sign(self, unsigned: Iterable[tuple[Message, tuple[bytes, ...]]], sign: Sign) -> None:
        """Sign messages and write each of them; raises the errors of `sign`, and OutputFailed."""
        for message, hashes in unsigned:
            envelope = sign(message, hashes)
            with output_errors(self.path):
                self.path.mkdir(exist_ok=True)
            save_bundle(self.path / f"{envelope.digest.hex()}{ENDING}", [envelope])


def by_account(account: Account, network: Network) -> Sign:
    """Return a function that signs with a key or an external signer."""
    return lambda message, hashes: sign_message(account, message, network, hashes)


def endorsed(network: Network) -> Sign:
    """Return a function that leaves messages without a signature, for a contract wallet to endorse."""
    return lambda message, hashes: Envelope(message, network, UNSIGNED, hashes)
