"""A check of what is new says what a full check says, over random histories, and judges less."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sayso.contributor.saved_messages import save_bundle
from sayso.gate.checking import Checking
from sayso.gate.formats.base import Columns
from sayso.gate.formats.opening import open_source
from sayso.gate.judges.base import PART_ROWS
from sayso.gate.judges.offline import OfflineJudge
from sayso.gate.licenses import HeldBundle, load_licenses
from sayso.gate.records.record import Record
from sayso.gate.running import GateFiles
from sayso.gate.since.judging import SinceJudge
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import hex_text
from sayso_protocol.receipts.question import Question
from sayso_protocol.snapshots.head import SnapshotMoment
from sayso_protocol.snapshots.keys import as_keys, dispute_keys, new_keys
from sayso_protocol.snapshots.offline import OfflineGate
from sayso_protocol.snapshots.part import Part
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License
from support.known import Heard, Known, PassingOn
from support.passing import (
    BASE,
    GUARDIAN,
    HOLDERS,
    ITEMS,
    KEYS,
    LATE,
    OTHER,
    SOON,
    a_license,
    histories,
    sealed,
    stops,
)
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK, NODE
from support.snapshot_making import Content, make_snapshot
from support.snapshots import TRUSTED, add_delta, content_of, moment_at, names_of, salts
from support.tries import tries

DAY_S = 86_400


class Buyer:
    """A folder with a manifest of everything, a bundle and a snapshot, and a clock."""

    def __init__(self, folder: Path, history: list[Heard]) -> None:
        self.folder, self.now = folder, BASE + 50
        self.licenses = {one.consent: one for one in history if isinstance(one, License)}
        passed = {one.terms: one for one in history if isinstance(one, PassingOn)}
        messages: list[Heard] = [*self.licenses.values(), *passed.values()]
        save_bundle(folder / "licenses.sayso", [sealed(one) for one in messages])
        names = [sealed(one).digest for one in self.licenses.values()]
        rows = [(name, item) for name in [*names, bytes(31) + b"1"] for item in (*ITEMS, ITEMS[0])]
        lines = [json.dumps({"license": hex_text(name), "item": hex_text(item)}) for name, item in rows]
        (folder / "m.jsonl").write_text("\n".join(lines) + "\n")
        self.parts: list[Part] = []
        self._keys, self._names = as_keys(b""), list[bytes]()

    def file(self, history: list[Heard], *but: bytes, **options: Any) -> None:
        """Append what a node knows that heard this, but names some people no longer."""
        known = Known(history)
        passed = [one for one in history if isinstance(one, PassingOn)]
        names = names_of(known.licenses.values(), but, passed)
        content = content_of(known.state, names, **options)
        moment: SnapshotMoment = replace(moment_at(self.now), expires_at=self.now + DAY_S)
        if self.parts:
            news = new_keys(content.keys, self._keys)
            lost = tuple({*self._names} - {*names})
            more = Content(news, [one for one in names if one not in self._names], lost, content.heeded)
            salt = next(salts(f"delta {len(self.parts)}"))
            self.parts.append(add_delta(self.parts, more, moment=moment, salt=salt))
        else:
            self.parts.append(make_snapshot(NODE, NETWORK, moment, content, salts()))
        self._keys, self._names = content.keys, names
        (self.folder / "s.snapshot").write_bytes(b"".join(one.data for one in self.parts))

    def check(
        self,
        query: Query,
        receipt: str,
        since: str | None = None,
        *,
        index: bool = True,
        resume: str | None = None,
        **more: Any,
    ) -> Record:
        files = GateFiles(receipt=self.folder / receipt, with_index=index, **more)
        question = Question(query, DAY_S, "run")
        snapshots, bundle = [self.folder / "s.snapshot"], self.folder / "licenses.sayso"

        def judge() -> OfflineJudge:
            read = partial(load_licenses, bundle, NETWORK) if held is None else held.licenses
            return OfflineJudge(snapshots, read, TRUSTED, question, lambda: self.now)

        held = HeldBundle(bundle, NETWORK, query)
        read = partial(open_source, columns=Columns())
        checking = Checking(
            TRUSTED,
            question,
            Columns(),
            snapshots,
            held,
            judge,
            {},
            lambda _: None,
            read,
            clock=lambda: self.now,
        )
        before, journal = (self.folder / one if one else None for one in (since, resume))
        return checking.check(self.folder / "m.jsonl", files, since=before, resume=journal)


@contextmanager
def buying(history: list[Heard], monkeypatch: pytest.MonkeyPatch) -> Iterator[Buyer]:
    with tempfile.TemporaryDirectory() as name:
        monkeypatch.setenv("XDG_STATE_HOME", name)
        yield Buyer(Path(name), history)


def same(some: Record, other: Record) -> None:
    assert some.to_json() == other.to_json()


queries = st.builds(
    Query,
    st.sampled_from(HOLDERS),
    st.sampled_from(["train-ai", "resale"]),
    st.sampled_from([None, (), (CLEO,)]),
)


@st.composite
def direct(draw: st.DrawFn) -> License:
    """A license to whoever asks, of one of many people."""
    return a_license(
        contributor=(who := draw(st.sampled_from([*KEYS]))),
        parties=(who,),
        grantee=bytes(20),
        guardian=draw(st.sampled_from([bytes(20), GUARDIAN])) if who != GUARDIAN else bytes(20),
        issued_at=draw(st.sampled_from([BASE, BASE, BASE + 55])),
        expires_at=draw(st.sampled_from([SOON, LATE])),
        recheck_hours=draw(st.sampled_from([1, 2, 168])),
    )


@st.composite
def worlds(draw: st.DrawFn) -> list[Heard]:
    """Licenses of which nobody takes anything back, of which somebody does, and what is passed on."""
    held = draw(st.lists(direct(), min_size=1, max_size=4))
    against = draw(st.lists(stops(held, []), max_size=3))
    more = draw(histories()) if draw(st.booleans()) else []
    return draw(st.permutations([*held, *against, *more]))


FEW = settings(
    deadline=None, max_examples=tries(25), suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FEW
@given(worlds(), queries, st.data())
def test_it_says_what_a_full_check_says(
    monkeypatch: pytest.MonkeyPatch, history: list[Heard], query: Query, data: st.DataObject
) -> None:
    """Over few histories, and over many where there is time."""
    _compare(monkeypatch, history, query, data)


@pytest.mark.long
@pytest.mark.timeout(1_800)
@settings(FEW, max_examples=tries(500))
@given(worlds(), queries, st.data())
def test_it_says_so_over_many_histories(
    monkeypatch: pytest.MonkeyPatch, history: list[Heard], query: Query, data: st.DataObject
) -> None:
    _compare(monkeypatch, history, query, data)


def _compare(
    monkeypatch: pytest.MonkeyPatch, history: list[Heard], query: Query, data: st.DataObject
) -> None:
    """Whatever was revoked, withdrawn, disputed, passed on or forgotten since, and whatever expired."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(history)), min_size=2, max_size=3)))
    heeded = data.draw(st.sampled_from([(), (CLEO,)]))
    most = data.draw(st.sampled_from([3, PART_ROWS]))
    for judge in (OfflineJudge, SinceJudge):
        monkeypatch.setattr(judge, "part_rows", most)
    with buying(history, monkeypatch) as buyer:
        before, more = None, list[bytes]()
        for number, cut in enumerate(cuts):
            if number:
                buyer.now = data.draw(
                    st.sampled_from([buyer.now + 9, SOON, LATE - 1, LATE]).filter(
                        lambda one: one > buyer.now
                    )
                )
                if data.draw(st.integers(0, 3)) == 0:
                    more += dispute_keys(CLEO, [data.draw(st.sampled_from(ITEMS))])
            doubted = [one for one in (ADA, BEN, OTHER) if not data.draw(st.integers(0, 4))]
            buyer.file(history[:cut], *doubted, more=more, heeded=heeded)
            since = buyer.check(query, f"{number}.json", before)
            same(since, buyer.check(query, "full.json", index=False))
            why = buyer.folder / "why.jsonl"
            same(since, buyer.check(query, "rows.json", before, index=False, rejected=why))
            if before:
                served = f"since {str(buyer.folder / before)!r}" in since.notes[-1]
                assert served == (not more or not (heeded if query.heed is None else query.heed))
            before = f"{number}.json"


def test_an_item_of_many_parts_is_judged_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a data set has several rows of each file."""
    for one in (OfflineJudge, SinceJudge):
        monkeypatch.setattr(one, "part_rows", 3)
    held = a_license(contributor=ADA, parties=(ADA,), grantee=bytes(20), guardian=bytes(20))
    judged = list[int]()
    judge = OfflineGate.judge

    def counted(self: OfflineGate, rows: bytes, *given: Any) -> Any:
        judged.append(len(rows) // ROW_BYTES)
        return judge(self, rows, *given)

    with buying([held], monkeypatch) as buyer:
        lines = (buyer.folder / "m.jsonl").read_text()
        (buyer.folder / "m.jsonl").write_text(lines * 20)
        query = Query(bytes(20), "train-ai", ())
        buyer.file([held])
        buyer.check(query, "before.json")
        buyer.now += 9
        masks = held.consent.masks([0], ["train-ai"])
        buyer.file([held, Revocation(ADA, (), tuple(masks), tuple(masks.values()))])
        with monkeypatch.context() as patch:
            patch.setattr(OfflineGate, "judge", counted)
            since = buyer.check(query, "since.json", "before.json")
        same(since, buyer.check(query, "full.json", index=False))
    assert 0 < sum(judged) <= len(ITEMS)
