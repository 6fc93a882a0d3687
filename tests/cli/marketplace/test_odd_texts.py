"""Texts as strangers and shops have them: NUL, halves of surrogates, names that no database takes."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from cli.marketplace.conftest import TRUSTED
from cli.marketplace.shop import ORIGIN, Shop, answer, orders, person
from sayso.errors import LedgerFailed, UnknownRequest
from support.node_rig import NOW
from support.postgres import postgres

ADA = person("ada")
ODD = [
    "a\0b.wav",
    "\ud800.wav",
    "..",
    ".",
    "a\nb.wav",
    "x" * 300 + ".wav",
    "עברית.wav",
    "a/../../b",
    "y" * 10**6 + ".wav",
]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.long)])
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path / "shop", TRUSTED, lambda: NOW, origins=[ORIGIN])
    if request.param == "sqlite":
        yield shop
        return
    with postgres() as server:
        shop.engine.dispose()
        shop.engine = create_engine(server.dsn.replace("postgresql://", "postgresql+psycopg://", 1))
        shop.market.create_tables(shop.engine)
        orders.create(shop.engine, checkfirst=True)
        yield shop
        shop.engine.dispose()


@pytest.mark.parametrize("token", ["\0", "\ud800", "0" * 63 + "\0", "x" * 10**6, "\n"])
def test_a_token_of_a_stranger_is_unknown_whatever_it_is(odd: Shop, token: str) -> None:
    with pytest.raises(UnknownRequest), odd.market.begin(odd.engine) as db:
        odd.market.requested(db, token)
    with odd.market.begin(odd.engine) as db:
        assert odd.market.licenses(db, token) == []


@pytest.mark.parametrize("form", ["folder", "webdataset", "parquet"])
def test_any_name_of_an_uploader_can_be_kept_and_delivered(odd: Shop, form: str) -> None:
    kept = []
    for number, name in enumerate(ODD):
        path = odd.folder / f"{number}"
        path.write_bytes(name.encode(errors="replace"))
        with odd.market.begin(odd.engine) as db:
            kept.append(odd.market.keep(db, path, name))
    request = odd.request(kept)
    held = odd.signed(ADA, request)
    odd.take(request.token, answer(held))
    odd.checked()
    odd.sell("order 17", odd.offer(held))
    with odd.market.begin(odd.engine) as db:
        data = odd.market.dataset(db, "order 17")
    data.write(odd.folder / "data", form)
    lines = (odd.folder / "data" / "manifest.jsonl").read_text().splitlines()
    assert len(lines) == len(ODD)
    for one in lines:
        assert 0 < len(json.loads(one)["name"].encode()) <= 1024  # which readers can encode


def test_a_file_whose_path_is_not_text_is_refused(odd: Shop) -> None:
    path = Path(os.fsdecode(os.fsencode(odd.folder) + b"/\xff.wav"))
    path.write_bytes(b"contents")
    with pytest.raises(LedgerFailed, match="nothing was changed"), odd.market.begin(odd.engine) as db:
        odd.market.keep(db, path)


def test_a_reference_that_no_database_takes_is_refused(odd: Shop) -> None:
    reference = "\ud800"
    held = odd.licensed(ADA, "a.wav")
    odd.checked()
    calls: list[Any] = [
        lambda db: odd.market.sell(db, reference, odd.offer(held)),
        lambda db: odd.market.sold(db, reference),
        lambda db: odd.market.dispute(db, reference, [bytes(19) + b"\1"], "impersonation", int(NOW) + 9),
        lambda db: odd.market.lift(db, reference),
        lambda db: odd.market.request(db, odd.wanted(odd.keep("b.wav")), reference),
    ]
    for call in calls:
        with pytest.raises(LedgerFailed), odd.market.begin(odd.engine) as db:
            call(db)
