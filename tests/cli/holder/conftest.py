"""Licenses that a company holds with `resale`, in the folder of the command."""

import time
from pathlib import Path

import pytest
from eth_account import Account

from cli.conftest import World
from sayso.contributor.licensing import Terms, build_consents, sign_message
from sayso.contributor.saved_messages import save_bundle
from sayso.holder.hashes import load_messages
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import Message
from sayso_protocol.primitives import address_from_text, hex_text, keccak, sha256
from sayso_protocol.signatures.wallets import EoaVerifier

CUSTOMER = "0x52908400098527886E0F7030069857D2E4169EE7"


class Company:
    """The World's key is the company's; people license to it. Everything runs in its folder."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.node = world.node
        self.key = ("--key", world.key, "--yes")
        self.address = world.address

    def licensed(
        self,
        count: int = 3,
        *,
        purposes: str = "resale train-ai",
        grantee: bytes | None = None,
        until: int = 86_400,
    ) -> list[Envelope]:
        """Consents of as many people, which the node holds and `licenses/` has."""
        now = int(time.time())
        terms = Terms(self.address if grantee is None else grantee, tuple(purposes.split()), now + until)
        signed = []
        for at in range(count):
            person = Account.from_key(keccak(b"person" + bytes([at])))
            address = address_from_text(person.address)
            ((consent, items),) = build_consents(address, [sha256(bytes([at]))], terms, now - 90)
            signed.append(sign_message(person, consent, self.node.network, items))
            self.node.memory.add(signed[-1])
        (self.world.folder / "licenses").mkdir(exist_ok=True)
        save_bundle(self.world.folder / "licenses" / "00000.sayso", signed)
        return signed

    def listed(self, hashes: list[bytes], name: str = "list.txt") -> str:
        """A list of hashes in a file."""
        self.world.write(name, "".join(f"{hex_text(one)}\n" for one in hashes).encode())
        return name

    def saved(self, folder: str) -> list[Envelope]:
        """The messages in a folder."""
        return load_messages(Path(self.world.folder / folder), self.node.network)

    @property
    def sent(self) -> list[Envelope]:
        """The statements and revocations that reached the node."""
        return [one for one in self.node.memory.envelopes.values() if one.message.kind != 1]


def only(company: Company) -> tuple[Message, tuple[bytes, ...]]:
    """The one message that reached the node, which its signer signed."""
    (envelope,) = company.sent
    envelope.check_signatures(EoaVerifier())
    assert envelope.message.signer == company.address
    return envelope.message, envelope.items


@pytest.fixture
def company(world: World) -> Company:
    return Company(world)


def many(count: int) -> list[bytes]:
    """Hashes in no order."""
    return [sha256(at.to_bytes(4)) for at in range(count)]
