"""How fast rows are judged, from memory."""

from collections.abc import Iterator

from bench.consents import ISSUED_AT, consent
from bench.figure import Figure, rates
from sayso_protocol.messages import Consent
from sayso_protocol.verdict import License, Query, Row, verdict
from sayso_protocol.words import Masks

LICENSES = 20
ITEMS = 500


class Memory:
    """What a verdict looks up, in dictionaries."""

    def __init__(self, licenses: dict[bytes, License], bits: dict[bytes, Masks]) -> None:
        self._licenses = licenses
        self._bits = bits

    def license(self, license_hash: bytes) -> License | None:
        return self._licenses.get(license_hash)

    def licenses_on(self, item: bytes) -> list[License]:
        return [one for one in self._licenses.values() if item in one.positions]

    def bits(self, address: bytes) -> Masks:
        return self._bits.get(address, {})


def figures() -> Iterator[Figure]:
    """verdict.*"""
    licenses, rows, bits = {}, [], {}
    for number in range(LICENSES):
        envelope = consent(number, ITEMS)
        assert isinstance(envelope.message, Consent)
        licenses[envelope.digest] = License(envelope.message, envelope.items)
        bits[envelope.message.contributor] = envelope.message.masks([0], ["train-ai"])
        rows += [Row(envelope.digest, item) for item in envelope.items]
    query = Query(bytes(20), "train-ai")
    untouched, touched = Memory(licenses, {}), Memory(licenses, bits)

    def judge(memory: Memory) -> int:
        for row in rows:
            verdict(memory, row, query, ISSUED_AT + 1)
        return len(rows)

    seen = rates({"untouched": lambda: judge(untouched), "touched": lambda: judge(touched)})
    peers = {"contributors with revocations": seen["touched"]}
    yield Figure("verdict.rows_per_core", seen["untouched"], "rows/s", "higher", peers)
