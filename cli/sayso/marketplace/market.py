"""Marketplace: what a shop does with licenses, in its own database and in its own transactions.

    market = Marketplace(load_key(path, password), network="network.toml", via="market.example")
    with engine.begin() as db:
        db.execute(orders.insert(), order)                      # the shop's own row
        market.sell(db, "order 17", Offer(lab, ("train-ai",), until, items))

Nothing here speaks to a node, so a transaction never waits for one. A Courier does that beside it.
"""

import secrets
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine

from sayso.contributor.licensing import Account
from sayso.errors import ForeignOrigin, NothingToAsk
from sayso.marketplace import items, removing, selling, stock
from sayso.marketplace.deeds import ShopSigner
from sayso.marketplace.items import KeptItem
from sayso.marketplace.outbox import Waiting, envelopes_of, waiting
from sayso.marketplace.publishing import DataSet
from sayso.marketplace.removing import Duty
from sayso.marketplace.requests import ConsentRequest, Wanted, make_request, request_of
from sayso.marketplace.selling import CompletedSale, Offer, Withdrawn
from sayso.marketplace.tables import changing, ledger_errors, metadata, whole_seconds
from sayso.marketplace.taking import licenses_of_request, read_answer, take
from sayso.networks import DEFAULT_FILE, first_url, load_network
from sayso_protocol.errors import InvalidStatement
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.permissions.scopes import check_domain
from sayso_protocol.primitives import address_from_text
from sayso_protocol.verdicts.verdict import Row

REQUEST_S: Final = 86_400.0  # for so long a request may be answered
NOTICES_AT_ONCE: Final = 1_000


class Marketplace:
    """Marketplace is the shop's side of Sayso; one may serve many threads.

    Args:
        account: The shop's key, to which people license.
        network: The network file, or its path.
        nodes: URLs of nodes; messages go to the first that takes them, questions to all. By default the
            first node of the network file.
        via: The shop's domain, which consents name; empty for none.
        origins: The web origins of the shop, such as `https://market.example`; if any are given, answers
            that come from elsewhere are refused.
        clock: Returns seconds since the epoch.
        random: Returns so many random bytes.

    Raises:
        InvalidNetworkFile, InvalidScope: The network file or the domain is invalid.
        NothingToAsk: There is no node.
    """

    def __init__(
        self,
        account: Account,
        *,
        network: NetworkFile | Path | str = DEFAULT_FILE,
        nodes: Sequence[str] = (),
        via: str = "",
        origins: Collection[str] = (),
        clock: Callable[[], float] = time.time,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self.trusted = network if isinstance(network, NetworkFile) else load_network(Path(network))
        self.address = address_from_text(account.address)
        self.signer = ShopSigner(account, self.address, self.trusted.network)
        chosen = [*nodes] or [one for one in [first_url(self.trusted)] if one]
        self.nodes = tuple(dict.fromkeys(one.rstrip("/") for one in chosen))
        if not self.nodes:
            raise NothingToAsk("name a node; the network file has no URL")
        self.via = check_domain(via) if via else ""
        self._origins = frozenset(origins)
        self.clock, self._random = clock, random

    def create_tables(self, engine: Engine) -> None:
        """Create the tables that do not exist yet; raises LedgerFailed."""
        with ledger_errors():
            metadata.create_all(engine)

    @contextmanager
    def begin(self, engine: Engine) -> Iterator[Connection]:
        """Begin a transaction, and commit it at the end; raises LedgerFailed if the database fails."""
        with ledger_errors(), engine.begin() as db:
            yield db

    def keep(self, db: Connection, path: Path, name: str = "", salt: bytes | None = None) -> KeptItem:
        """Keep a file as an item under a new salt.

        Args:
            db: The shop's connection, in a transaction.
            path: The file, which stays where it is and as it is.
            name: Its name in data sets; by default the file's.
            salt: A salt of 32 bytes; empty for none, so that anybody who has the file knows its item.

        Raises:
            WrongItem, FileUnreadable: The salt or the file is invalid.
            LedgerFailed: The database failed.
        """
        with ledger_errors():
            return items.keep(db, path, name, salt, self.clock(), self._random)

    def request(
        self, db: Connection, wanted: Wanted, reference: str = "", valid_s: float = REQUEST_S
    ) -> ConsentRequest:
        """Make a request for consent, which a link or a message takes to the page of a node.

        Raises:
            NothingToGrant, InvalidPurpose, InvalidConsent, TooLarge: See `Wanted.check`.
            WrongItem: The shop does not keep a file of an item.
            LedgerFailed: The database failed.
        """
        wanted.check(self.clock())
        with changing(db):
            items.kept(db, wanted.items)
            body = wanted.body(self.address, self.via)
            return make_request(db, body, reference, self.clock() + valid_s, self._random)

    def requested(self, db: Connection, token: str) -> ConsentRequest:
        """Return the request of a token; raises UnknownRequest and LedgerFailed."""
        with ledger_errors():
            return request_of(db, token)

    def licenses(self, db: Connection, token: str) -> list[bytes]:
        """Return the licenses that answered a request."""
        with ledger_errors():
            return licenses_of_request(db, token)

    def take(
        self, db: Connection, token: str, answer: bytes, origin: str | None = None
    ) -> tuple[ConsentRequest, dict[bytes, bool]]:
        """Take the page's answer to a request in, as the browser brought it.

        The consents are in stock once a Courier handed them to a node. The same answer may come twice.

        Args:
            db: The shop's connection, in a transaction.
            token: The token of the request.
            answer: The message from the page of the node, or its list of licenses, as JSON.
            origin: The header `Origin` of the request to the shop.

        Returns:
            The request, and for each license whether it is new.

        Raises:
            ForeignOrigin: The answer came from another site.
            UnknownRequest, NotLicensed, OtherConsent, WrongItem, LedgerFailed: See `taking.take`.
            Malformed, BadSignature, WrongNetwork: See `taking.read_answer`.
        """
        if self._origins and origin not in self._origins:
            raise ForeignOrigin("the answer to the request came from another site")
        envelopes = read_answer(answer, self.trusted.network)
        with changing(db):
            return take(db, token, envelopes, self.clock())

    def stock(self, db: Connection, purposes: Collection[str]) -> list[Row]:
        """Return what may be sold for all of these purposes; see `stock.in_stock`."""
        with ledger_errors():
            return stock.in_stock(db, purposes, self.clock())

    def sell(self, db: Connection, reference: str, offer: Offer) -> CompletedSale:
        """Sell items to a buyer, all of them or nothing, once for each reference.

        Args:
            db: The shop's connection, in the transaction of the order.
            reference: The shop's number of the order; a second call with it returns the first sale.
            offer: What the buyer gets.

        Raises:
            NotInStock: An item is not in stock for every purpose, or lacks another party's consent.
            NotLicensed: A consent does not let the shop pass it on.
            Displaced: So many sales of a license to this buyer still run that one more would end one.
            OtherStatements: Something else was sold under the reference.
            InvalidStatement, InvalidPurpose, LedgerFailed: A field is invalid; the database failed.
        """
        with changing(db):
            return selling.sell(db, reference, offer, self.signer, int(self.clock()))

    def sold(self, db: Connection, reference: str) -> CompletedSale:
        """Return what was sold under a reference; raises NotInStock and LedgerFailed."""
        with ledger_errors():
            return selling.sale_of(db, reference, self.trusted.network)

    def dataset(self, db: Connection, reference: str) -> DataSet:
        """Return the data set of a sale without what was taken back since; raises NotInStock."""
        with ledger_errors():
            sale = self.sold(db, reference)
            purposes, sold = selling.purposes_of(db, reference), {row.item for row in sale.rows}
            usable = stock.in_stock(db, purposes, self.clock(), sold)
            rows = {row.item: row for row in reversed(usable)}
            names = {row.license for row in usable}
            held = envelopes_of(db, sorted(names), self.trusted.network)
            files = items.kept(db, rows)
            entries = tuple((row, files[item]) for item, row in sorted(rows.items()))
            left_out = len(sold) - len(rows)
            return DataSet(reference, entries, (*held, *sale.sublicenses), left_out)

    def withdrawn(self, db: Connection, grantee: bytes, after: int = 0) -> list[Withdrawn]:
        """Return what was taken back of a buyer's orders; continue `after` the last number."""
        with ledger_errors():
            return selling.withdrawn_of(db, grantee, after, NOTICES_AT_ONCE)

    def buyers(self, db: Connection, license_: bytes) -> list[tuple[str, bytes]]:
        """Return to whom a license was sold: references and addresses."""
        with ledger_errors():
            return selling.sold_to(db, license_)

    def duties(self, db: Connection) -> list[Duty]:
        """Return what the shop has to remove and confirm, the most urgent first."""
        with ledger_errors():
            return removing.duties(db)

    def removed(self, db: Connection, numbers: Sequence[int]) -> int:
        """Note that the shop removed what these duties ask for; a Courier signs the removals."""
        with changing(db):
            return removing.note_removed(db, numbers, self.clock())

    def dispute(
        self, db: Connection, reference: str, contributors: Sequence[bytes], code: str, expires_at: int
    ) -> list[Envelope]:
        """Dispute contributors who license what is not theirs, once for each reference.

        What they license leaves the stock at once. Buyers who heed the shop refuse it, too.

        Raises:
            OtherStatements: Something else was signed under the reference.
            InvalidStatement, NothingToState, LedgerFailed: A field is invalid, or nobody is named.
        """
        now, until = int(self.clock()), whole_seconds(expires_at, InvalidStatement)
        with changing(db):
            return removing.dispute(db, reference, contributors, code, until, self.signer, now)

    def lift(self, db: Connection, reference: str) -> list[Envelope]:
        """Withdraw a dispute, once; raises NothingToState and LedgerFailed."""
        with changing(db):
            return removing.lift(db, reference, self.signer)

    def outbox(self, db: Connection) -> list[Waiting]:
        """Return messages that no node took in yet, the oldest first."""
        with ledger_errors():
            return waiting(db, self.trusted.network)
