"""Vectors of what a gate answers about chains and disputes (rules 13.10.4 to 13.10.6)."""

from collections.abc import Iterable
from typing import Any

from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.snapshots.keys import displaced_keys, dispute_keys
from sayso_protocol.snapshots.offline import HeldLicenses, OfflineGate
from sayso_protocol.snapshots.offline_chains import HeldSublicense
from sayso_protocol.snapshots.part import Part
from sayso_protocol.snapshots.snapshot import Snapshots, read_snapshot
from sayso_protocol.verdicts.chains import Hop
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, License, Row
from support.known import Heard, Known, PassingOn, license_hash, message_hash
from support.passing import (
    AGENT,
    ITEMS,
    LAB,
    MARKET,
    OTHER,
    RESELLER,
    pass_on,
)
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK, NODE
from support.snapshot_making import make_snapshot
from support.snapshots import AS_OF, TRUSTED, content_of, moment_at, names_of, salts
from support.snapshots import OTHER as SOUTH
from vectors.told import FIFTH, FOUR, HELD, HERS, HIS, LAST, MANY, envelopes, statement, to

Json = dict[str, Any]
NOW = AS_OF + 20
WIDER = pass_on(MARKET, LAB, HERS, HIS)
NARROW = pass_on(MARKET, LAB, HERS)
NAME = license_hash(HELD.consent)
DIGESTS = [message_hash(one.terms) for one in FOUR]
UNION = CLEO


def _file(
    heard: Iterable[Heard], *but: bytes, more: Iterable[bytes] = (), heeded: tuple[bytes, ...] = ()
) -> Part:
    """The snapshot of a node that heard this, which names all but these."""
    return _made(NODE, [*heard], but, more, heeded)


def _other(heard: Iterable[Heard], *but: bytes, heeded: tuple[bytes, ...] = ()) -> Part:
    return _made(SOUTH, [*heard], but, (), heeded)


def _made(key: Any, heard: list[Heard], but: Any, more: Any, heeded: tuple[bytes, ...]) -> Part:
    known = Known(heard)
    some = [one for one in heard if isinstance(one, PassingOn)]
    names = names_of(known.licenses.values(), but, some)
    return make_snapshot(
        key, NETWORK, moment_at(), content_of(known.state, names, more, heeded), salts()
    )


def _said(who: bytes, scope: str) -> list[Heard]:
    return [HELD, *FOUR, Revocation(who, (scope,))]


Case = tuple[list[Heard], list[Part], tuple[bytes, ...]]  # bundle, files, and whom the query heeds


def _sold() -> dict[str, Case]:
    """What is passed on, and whom files name."""
    chain: list[Heard] = [HELD, *FOUR]
    displaced = displaced_keys(message_hash(LAST.terms), [NAME])
    late = pass_on(MARKET, LAB, HELD, issued_at=AS_OF + 1)
    return {
        "four sublicenses": (chain, [_file(chain)], ()),
        "by two files": (chain, [_file(chain), _other(chain)], ()),
        "a fifth": ([*chain, FIFTH], [_file([*chain, FIFTH])], ()),
        "not in the bundle": ([HELD], [_file(chain)], ()),
        "a parent not in the bundle": ([HELD, *FOUR[1:]], [_file(chain)], ()),
        "hidden from the maker": (chain, [_file([HELD])], ()),
        **{
            f"sublicense {at} not named": (chain, [_file(chain, digest)], ())
            for at, digest in enumerate(DIGESTS)
        },
        **{
            f"signer {at} not named": (chain, [_file(chain, one.terms.signer)], ())
            for at, one in enumerate(FOUR)
        },
        "not named by one of two": (chain, [_file(chain), _other(chain, DIGESTS[2])], ()),
        "not in force before the file": ([HELD, late], [_file([HELD, late])], ()),
        "displaced, as the bundle shows": ([HELD, *MANY], [_file([HELD, *MANY])], ()),
        "displaced, as the file knows": ([HELD, LAST], [_file([HELD, *MANY], more=displaced)], ()),
        "displaced for another license": (
            [HELD, LAST],
            [_file([HELD, *MANY], more=displaced_keys(message_hash(LAST.terms), [bytes(32)]))],
            (),
        ),
        "several parties": ([HERS, HIS, WIDER], [_file([HERS, HIS, WIDER])], ()),
        "several parties, one not passed on": (
            [HERS, HIS, NARROW], [_file([HERS, HIS, NARROW])], (),
        ),
    }  # fmt: skip


def _stopped() -> dict[str, Case]:
    """What is withdrawn, revoked or disputed."""
    chain: list[Heard] = [HELD, *FOUR]
    item, party = dispute_keys(UNION, ITEMS[:1]), dispute_keys(UNION, [bytes(12) + ADA])
    heeds = (UNION,)
    return {
        "withdrawn": (chain, [_file(_said(RESELLER, statement(FOUR[1])))], ()),
        "all withdrawn": (chain, [_file(_said(AGENT, "statements"))], ()),
        "all to one withdrawn": (
            chain, [_file(_said(OTHER, f"statements {to(LAB)}"))], (),
        ),
        "withdrawn, as one of two knows": (
            chain, [_file(chain), _other(_said(RESELLER, statement(FOUR[1])))], (),
        ),
        "a holder stopped": (chain, [_file(_said(ADA, to(AGENT)))], ()),
        "the asker stopped for resale": (
            chain, [_file(_said(ADA, to(LAB) + " for resale"))], (),
        ),
        "resale taken back": (chain, [_file(_said(ADA, "everything for resale"))], ()),
        "a file disputed": (chain, [_file(chain, more=item, heeded=heeds)], heeds),
        "a contributor disputed": (chain, [_file(chain, more=party, heeded=heeds)], heeds),
        "disputed, and nobody is heeded": (chain, [_file(chain, more=item, heeded=heeds)], ()),
        "disputed, as one of two knows": (
            chain, [_file(chain, more=item, heeded=heeds), _other(chain, heeded=heeds)], heeds,
        ),
        "disputed and revoked": (
            chain, [_file(_said(ADA, "everything"), more=item, heeded=heeds)], heeds,
        ),
        "nothing disputed": (chain, [_file(chain, heeded=heeds)], heeds),
        "heeded by no head": (chain, [_file(chain)], heeds),
        "heeded by one head of two": (chain, [_file(chain, heeded=heeds), _other(chain)], heeds),
    }  # fmt: skip


def passed() -> list[Json]:
    """All of them, for the last holder; some for the grantee and for a stranger, too."""
    cases = _sold() | _stopped()
    others = [(name, asker) for name in ("four sublicenses", "a fifth") for asker in (MARKET, BEN)]
    asked = [*((name, LAB) for name in cases), *others]
    return [_case(name, *cases[name], asker) for name, asker in asked]


def _case(
    name: str, bundle: list[Heard], parts: list[Part], heed: tuple[bytes, ...], asker: bytes
) -> Json:
    licenses = [one for one in bundle if isinstance(one, License)]
    some = [one for one in bundle if isinstance(one, PassingOn)]
    held = HeldLicenses(
        [(license_hash(one.consent), one.consent, one.items) for one in licenses],
        [HeldSublicense(Hop(message_hash(one.terms), one.terms), one.names) for one in some],
    )
    files = Snapshots(read_snapshot(part.data, TRUSTED) for part in parts)
    gate = OfflineGate(held, files, Query(asker, "train-ai", heed), max_age_s=86_400)
    rows = [Row(license_hash(one.consent), item) for one in licenses for item in ITEMS]
    reasons = gate.judge(join_rows(rows), NOW).reasons.tolist()
    return {
        "name": f"{name}, {address_text(asker)}",
        "files": [hex_text(part.data) for part in parts],
        "consents": envelopes(licenses),
        "sublicenses": envelopes(some),
        "heed": [address_text(one) for one in heed],
        "grantee": address_text(asker),
        "purpose": "train-ai",
        "now": NOW,
        "rows": [
            {
                "license": hex_text(row.license),
                "item": hex_text(row.item),
                "reason": REASONS[number].value,
            }
            for row, number in zip(rows, reasons, strict=True)
        ],
    }
