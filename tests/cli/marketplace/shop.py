"""A shop in a folder: its database, its key, its files; and people who answer its requests."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from sqlalchemy import Column as SqlColumn
from sqlalchemy import Engine, Integer, MetaData, Table, Text, create_engine, func, select

from sayso.contributor.licensing import Terms, build_consents, sign_message
from sayso.marketplace.items import KeptItem
from sayso.marketplace.market import Marketplace
from sayso.marketplace.requests import ConsentRequest, Wanted
from sayso.marketplace.selling import CompletedSale, Offer
from sayso.marketplace.tables import consents, metadata
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import (
    NOBODY,
    address_from_text,
    hash_from_text,
    hex_text,
    keccak,
)

VIA = "market.example"
ORIGIN = "https://market.example"
BOTH = ("resale", "train-ai")
YEAR_S = 31_536_000
LAB = address_from_text("0x52908400098527886E0F7030069857D2E4169EE7")

# The shop's own table, which is written in the transaction of the library.
orders = Table(
    "orders", MetaData(), SqlColumn("number", Integer, primary_key=True), SqlColumn("what", Text)
)


def person(name: str) -> LocalAccount:
    account: LocalAccount = Account.from_key(keccak(f"person {name}".encode()))
    return account


def address(account: LocalAccount) -> bytes:
    return address_from_text(account.address)


def answer(envelopes: Sequence[Envelope], **changes: Any) -> bytes:
    """What the page of a node sends back."""
    licenses = [
        {
            "license": hex_text(one.digest),
            "envelope": hex_text(encode(one)),
            "items": [hex_text(item) for item in one.items],
        }
        | changes
        for one in envelopes
    ]
    return json.dumps({"type": "sayso-consent-1", "licenses": licenses}).encode()


def as_asked(body: dict[str, Any], now: float, **changes: Any) -> tuple[Terms, list[bytes], int]:
    """The terms that the page would let a person sign, except for `changes`."""
    chosen = body | changes
    terms = Terms(
        grantee=address_from_text(chosen["grantee"]),
        purposes=tuple(chosen["purposes"]),
        expires_at=chosen["expires"],
        via=chosen.get("via", ""),
        parties=tuple(map(address_from_text, chosen.get("parties", ()))),
        guardian=address_from_text(chosen["guardian"]) if "guardian" in chosen else NOBODY,
        terms=hash_from_text(chosen["terms"]) if "terms" in chosen else bytes(32),
        terms_uri=chosen.get("terms_uri", ""),
        recheck_hours=chosen.get("recheck_hours", 168),
        removal_days=chosen.get("removal_days", 30),
    )
    return terms, [hash_from_text(one) for one in chosen["items"]], int(now) - 60


class Shop:
    """The shop's side and, for a test, everybody else's."""

    def __init__(self, folder: Path, trusted: NetworkFile, clock: Any, **options: Any) -> None:
        self.folder, self.clock, self.network = folder, clock, trusted.network
        folder.mkdir(parents=True, exist_ok=True)
        self.key: LocalAccount = Account.from_key(keccak(b"shop"))
        chosen = {"nodes": ["http://127.0.0.1:1"], "via": VIA} | options
        self.market = Marketplace(self.key, network=trusted, clock=clock, **chosen)
        self.engine: Engine = create_engine(f"sqlite:///{folder / 'shop.db'}")
        self.market.create_tables(self.engine)
        orders.create(self.engine, checkfirst=True)

    def keep(self, *names: str, salt: bytes | None = None) -> list[KeptItem]:
        """Files with their own names in them."""
        for name in names:
            (self.folder / name).write_bytes(f"contents of {name}".encode())
        with self.market.begin(self.engine) as db:
            return [self.market.keep(db, self.folder / name, salt=salt) for name in names]

    def wanted(self, kept: Sequence[KeptItem], **more: Any) -> Wanted:
        given: dict[str, Any] = {"purposes": BOTH, "expires_at": int(self.clock()) + YEAR_S} | more
        return Wanted(items=tuple(one.item for one in kept), **given)

    def request(self, kept: Sequence[KeptItem], **more: Any) -> ConsentRequest:
        with self.market.begin(self.engine) as db:
            return self.market.request(db, self.wanted(kept, **more), "upload 1")

    def signed(
        self,
        who: LocalAccount,
        request: ConsentRequest,
        network: Network | None = None,
        **changes: Any,
    ) -> list[Envelope]:
        """What a person signs for a request, with some fields changed."""
        terms, hashes, issued_at = as_asked(request.body, self.clock(), **changes)
        return [
            sign_message(who, consent, network or self.network, items)
            for consent, items in build_consents(address(who), hashes, terms, issued_at)
        ]

    def take(self, token: str, given: bytes, origin: str | None = ORIGIN) -> dict[bytes, bool]:
        with self.market.begin(self.engine) as db:
            return self.market.take(db, token, given, origin)[1]

    def licensed(self, who: LocalAccount, *names: str, **more: Any) -> list[Envelope]:
        """Files that a person licensed to the shop; no node knows yet."""
        request = self.request(self.keep(*names), **more)
        envelopes = self.signed(who, request)
        self.take(request.token, answer(envelopes))
        return envelopes

    def checked(self) -> None:
        """As if nodes had been asked, and knew of no revocation."""
        with self.market.begin(self.engine) as db:
            db.execute(consents.update().values(checked_at=self.clock()))

    def stock(self, *purposes: str) -> set[bytes]:
        """The items in stock."""
        with self.market.begin(self.engine) as db:
            return {one.item for one in self.market.stock(db, purposes or ("train-ai",))}

    def sell(self, reference: str, offer: Offer) -> CompletedSale:
        with self.market.begin(self.engine) as db:
            return self.market.sell(db, reference, offer)

    def offer(self, envelopes: Sequence[Envelope], **more: Any) -> Offer:
        chosen: dict[str, Any] = {
            "grantee": LAB,
            "purposes": ("train-ai",),
            "expires_at": int(self.clock()) + YEAR_S // 2,
        }
        return Offer(items=tuple(item for one in envelopes for item in one.items), **(chosen | more))

    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        with self.engine.begin() as db:
            names = [*metadata.sorted_tables, orders]
            return {
                one.name: db.execute(select(func.count()).select_from(one)).scalar() or 0
                for one in names
                if one.name != "sayso_ledger"
            }
