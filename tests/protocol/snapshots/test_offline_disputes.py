"""Disputes stop rows offline, of those alone whom the query and every file's head heed."""

from dataclasses import replace

import pytest

from sayso_protocol.errors import Malformed, MissingDelta
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.snapshots.head import read_head
from sayso_protocol.snapshots.keys import as_keys, dispute_keys
from sayso_protocol.snapshots.offline import HeldLicenses, OfflineGate
from sayso_protocol.snapshots.snapshot import Snapshot, Snapshots
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from support.known import Known, license_hash
from support.passing import ITEMS, LAB, MARKET, OTHER, PAIR, a_license
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK, NODE
from support.snapshot_making import Content, make_snapshot
from support.snapshots import (
    AS_OF,
    TRUSTED,
    add_delta,
    content_of,
    moment_at,
    names_of,
    parts_of,
    salts,
    snapshot_of,
)
from support.snapshots import OTHER as SOUTH

HELD = a_license()
HERS, HIS = a_license(parties=PAIR), a_license(parties=PAIR, contributor=BEN)
ALL = (HELD, HERS, HIS)
UNION, GUILD = sorted([CLEO, OTHER])
NOW = AS_OF + 20


def padded(address: bytes) -> bytes:
    return bytes(12) + address


def file(
    *disputed: bytes,
    by: bytes = UNION,
    heeded: tuple[bytes, ...] = (UNION,),
    said: str = "",
    **options: object,
) -> Snapshot:
    """A file that names everybody, and has one person's disputes."""
    state = Known([Revocation(ADA, (said,))]).state if said else {}
    more = dispute_keys(by, disputed)
    return snapshot_of(state, names_of(ALL), more=more, heeded=heeded, **options)  # type: ignore[arg-type]


def judge(
    *files: Snapshot,
    heed: tuple[bytes, ...] = (UNION,),
    held: object = HELD,
    asker: bytes = MARKET,
    now: float = NOW,
) -> list[Reason]:
    bundle = HeldLicenses((license_hash(one.consent), one.consent, one.items) for one in ALL)
    gate = OfflineGate(bundle, Snapshots(files), Query(asker, "train-ai", heed), max_age_s=10**6)
    rows = join_rows([Row(license_hash(held.consent), item) for item in ITEMS])  # type: ignore[attr-defined]
    return [REASONS[one] for one in gate.judge(rows, now).reasons.tolist()]


def test_a_disputed_file_is_stopped_and_no_other() -> None:
    assert judge(file()) == [Reason.GRANTED] * 2
    assert judge(file(ITEMS[0])) == [Reason.DISPUTED, Reason.GRANTED]
    assert judge(file(), file(ITEMS[1], key=SOUTH)) == [Reason.GRANTED, Reason.DISPUTED]


def test_a_disputed_contributor_or_party_is_stopped() -> None:
    assert judge(file(padded(ADA))) == [Reason.DISPUTED] * 2
    assert judge(file(padded(BEN))) == [Reason.GRANTED] * 2
    assert judge(file(padded(BEN)), held=HERS) == [Reason.DISPUTED] * 2
    assert judge(file(padded(MARKET))) == [Reason.GRANTED] * 2  # who is licensed is no party


def test_nobody_is_stopped_by_whom_the_query_does_not_heed() -> None:
    both = file(ITEMS[0], heeded=(UNION, GUILD))
    assert judge(both, heed=()) == [Reason.GRANTED] * 2
    assert judge(both, heed=(GUILD,)) == [Reason.GRANTED] * 2
    assert judge(both, heed=tuple(sorted((GUILD, UNION)))) == [Reason.DISPUTED, Reason.GRANTED]


def test_whom_one_head_does_not_heed_makes_stale() -> None:
    assert judge(file(heeded=())) == [Reason.STALE] * 2
    assert judge(file(), file(heeded=(GUILD,), key=SOUTH)) == [Reason.STALE] * 2
    assert judge(file(ITEMS[0]), file(heeded=(), key=SOUTH)) == [Reason.DISPUTED, Reason.STALE]


def test_it_is_judged_after_revoked_and_before_all_else() -> None:
    assert judge(file(ITEMS[0], said=f"file 0x{ITEMS[0].hex()}"))[0] is Reason.REVOKED
    assert judge(file(ITEMS[0]), asker=LAB) == [Reason.DISPUTED, Reason.OTHER_GRANTEE]
    late = HELD.consent.expires_at
    assert judge(file(ITEMS[0], as_of=late), now=late) == [Reason.DISPUTED, Reason.EXPIRED]


def test_a_delta_heeds_nobody_whom_its_snapshot_does_not() -> None:
    """Of what was disputed before, it would say nothing."""
    nobody = parts_of({}, named=names_of(ALL))
    news = Content(as_keys(b""), heeded=(UNION,))
    with pytest.raises(MissingDelta, match="heeds"):
        Snapshot([*nobody, add_delta(nobody, news, moment=moment_at(), salt=bytes(16))], TRUSTED)


def test_a_delta_can_heed_less() -> None:
    """The maker came into doubt of somebody."""
    content = content_of({}, names_of(ALL), dispute_keys(UNION, ITEMS[:1]), (UNION, GUILD))
    parts = [make_snapshot(NODE, NETWORK, moment_at(), content, salts())]
    news = Content(as_keys(b""), heeded=(GUILD,))
    less = Snapshot([*parts, add_delta(parts, news, moment=moment_at(), salt=bytes(16))], TRUSTED)
    assert judge(less, heed=(GUILD,)) == [Reason.GRANTED] * 2
    assert judge(less) == [Reason.DISPUTED, Reason.STALE]


@pytest.mark.parametrize(
    "heeded",
    [
        (GUILD, UNION),
        (UNION, UNION),
        (bytes(20),),
        (UNION[1:],),
        (UNION + b"\0",),
        tuple(bytes([number]) * 20 for number in range(1, 18)),
    ],
)
def test_a_list_out_of_order_or_too_long_is_refused(heeded: tuple[bytes, ...]) -> None:
    most = tuple(bytes([number]) * 20 for number in range(1, 17))
    assert read_head(head_with(most)).heeded == most
    with pytest.raises(Malformed):
        read_head(head_with(heeded))


def head_with(heeded: tuple[bytes, ...]) -> bytes:
    return replace(file().head, heeded=heeded).content()
