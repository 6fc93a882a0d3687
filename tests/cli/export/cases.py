"""The consents whose exports are kept beside this file.

Renew them with `PYTHONPATH=tests python -m cli.export.cases`, and read what changed.
"""

from pathlib import Path

from sayso.export import FORMATS, export, granted
from sayso_protocol.permissions.purposes import KNOWN
from sayso_protocol.primitives import ANYONE, sha256
from sayso_protocol.verdicts.verdict import License
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK, a_consent, item_hashes

FOLDER = Path(__file__).parent / "golden"
NOW = 1_750_000_000
ITEMS = item_hashes(2)
TERMS = {"terms": sha256(b"terms"), "terms_uri": "https://kled.ai/terms"}
CASES = {
    "all-purposes-to-anyone": License(
        a_consent(ITEMS, grantee=ANYONE, via="", purposes=tuple(sorted(KNOWN))), ITEMS
    ),
    "two-purposes-to-one-buyer": License(
        a_consent(ITEMS, purposes=("inference", "resale"), guardian=CLEO, **TERMS), ITEMS
    ),
    "a-call-of-two": License(a_consent(ITEMS, grantee=ANYONE, parties=tuple(sorted([ADA, BEN]))), ITEMS),
}


def render(case: str, form: str) -> str:
    """One export."""
    held = CASES[case]
    return export(form, held, NETWORK, granted(held, NOW, revoked=False))


def golden(case: str, form: str) -> Path:
    """Where it is kept."""
    return FOLDER / f"{case}.{form}.{'txt' if form == 'aipref' else 'json'}"


if __name__ == "__main__":
    for case in CASES:
        for form in FORMATS:
            golden(case, form).write_text(render(case, form))
