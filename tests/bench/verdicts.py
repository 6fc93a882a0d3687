"""How fast rows are judged, from memory: a million permissions, each asked for once, in any order."""

import random
from collections.abc import Iterator, Sequence

import numpy as np

from bench.consents import BUYERS, ISSUED_AT, NETWORK, consent
from bench.figure import Figure, rates
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.permissions.words import Masks
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.bulk import judge_rows
from sayso_protocol.verdicts.chains import Chain
from sayso_protocol.verdicts.disputes import Undisputed
from sayso_protocol.verdicts.known_bits import WholeBits
from sayso_protocol.verdicts.license_table import LicenseTable
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, NamedLicense, Reason, Row, Sought, verdict

LICENSES = 1_000
ITEMS = 1_000
TOUCHED = 10  # every tenth contributor has revoked one item
ONE_BY_ONE = 10_000  # rows
QUERY = Query(BUYERS[0], "train-ai")
NOW = ISSUED_AT + 1.0


class Memory(WholeBits, Undisputed):
    """What a verdict looks up, in dictionaries."""

    def __init__(self, licenses: dict[bytes, License], bits: dict[bytes, Masks]) -> None:
        self._licenses = licenses
        self._bits = bits

    def license(self, license_hash: bytes) -> License | None:
        return self._licenses.get(license_hash)

    def consents(self, names: Sequence[bytes]) -> dict[bytes, Consent]:
        return {name: self._licenses[name].consent for name in names}

    def considered(self, sought: Sought) -> list[NamedLicense]:
        found = (NamedLicense(*one) for one in self._licenses.items())
        return [one for one in found if one.held.position_of(sought.item) is not None]

    def chains(self, names: Sequence[bytes], asker: bytes) -> dict[bytes, list[Chain]]:
        return {}

    def bits(self, address: bytes) -> Masks:
        return self._bits.get(address, {})


def figures() -> Iterator[Figure]:
    """verdict.*"""
    licenses, bits, rows = _world()
    table = LicenseTable.of((name, one.consent, one.items) for name, one in licenses.items())
    untouched, touched = Memory(licenses, {}), Memory(licenses, bits)
    joined = join_rows(rows)

    def judge(memory: Memory, clear: int) -> int:
        reasons = judge_rows(table, memory, joined, QUERY, NOW).reasons
        if int(np.count_nonzero(reasons == Reason.GRANTED.number)) != clear:
            raise AssertionError("a row was judged wrongly")
        return len(rows)

    def judge_singly() -> int:
        for row in rows[:ONE_BY_ONE]:
            verdict(touched, row, QUERY, NOW)
        return ONE_BY_ONE

    seen = rates(
        {
            "untouched": lambda: judge(untouched, len(rows)),
            "touched": lambda: judge(touched, len(rows) - LICENSES // TOUCHED),
            "one by one": judge_singly,
        }
    )
    peers = {
        "a tenth of the contributors revoked something": seen["touched"],
        "one by one": seen["one by one"],
    }
    limit = f"{len(rows):,} permissions in memory, asked for in random order"
    yield Figure("verdict.rows_per_core", seen["untouched"], "rows/s", "higher", peers, limit)
    size = table.nbytes / len(rows)
    limit = "32: the item's hash, which a row is compared with"
    yield Figure("verdict.bytes_per_permission", size, "bytes", "lower", {}, limit)


def _world() -> tuple[dict[bytes, License], dict[bytes, Masks], list[Row]]:
    """Licenses by their hashes, what a tenth of the contributors revoked, and every row once."""
    licenses: dict[bytes, License] = {}
    bits: dict[bytes, Masks] = {}
    for number in range(LICENSES):
        envelope = consent(number, ITEMS)
        message = envelope.message
        assert isinstance(message, Consent)
        licenses[digest(message, NETWORK)] = License(message, envelope.items)
        if number % TOUCHED == 0:
            bits[message.contributor] = message.masks([number % ITEMS], ["train-ai"])
    rows = [Row(name, item) for name, one in licenses.items() for item in one.items]
    random.Random(1).shuffle(rows)
    return licenses, bits, rows
