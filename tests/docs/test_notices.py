"""docs/reference/notices.md: the lengths that it lists, and the budget that it promises (rule 4.6)."""

import re

import pytest

from docs.markdown import ROOT
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import Scope, agreement_subject, file_subject, to_subject
from support.protocol_strategies import ADA, BEN, CLEO, a_consent, item_hashes

PAGE = (ROOT / "docs" / "reference" / "notices.md").read_text()
ROWS = [
    [one.strip() for one in line.strip("|").split("|")]
    for line in re.findall(r"^\|.*\|$", PAGE, re.MULTILINE)
]
SCREEN = 37  # characters
CUT = 256  # characters that a Ledger Nano shows of a text
PURPOSES = ("resale", "train-ai")
CONSENTS = {
    "Kled AI, 40 files": a_consent(item_hashes(40), via="kled.ai", purposes=PURPOSES),
    "Silencio, a session of 1,024 recordings": a_consent(
        item_hashes(1_024), via="silencio.network", purposes=PURPOSES
    ),
    "Neon Mobile, a call of two people": a_consent(
        item_hashes(2),
        via="neonmobile.com",
        purposes=PURPOSES,
        parties=tuple(sorted([ADA, CLEO])),
    ),
}
SCOPES = {
    "everything": Scope("everything"),
    "everything for likeness-synthesis": Scope("everything", "likeness-synthesis"),
    "via kled.ai": Scope("via kled.ai"),
    "agreement 0x...": Scope(agreement_subject(bytes(32))),
    "agreement 0x... for train-ai": Scope(agreement_subject(bytes(32)), "train-ai"),
    "file 0x...": Scope(file_subject(bytes(32))),
    "to 0x...": Scope(to_subject(BEN)),
}


def screens(characters: int) -> int:
    return -(-characters // SCREEN)


def row(name: str) -> list[str]:
    """The only row of the page with this name."""
    [found] = [cells for cells in ROWS if cells[0] == name]
    return found[1:]


def budget(part: str) -> int:
    """Within how many characters a part has to stand, by the page."""
    [found] = [cells[0] for cells in ROWS if len(cells) == 2 and part in cells[1]]
    return int(found.split()[0])


@pytest.mark.parametrize("name", CONSENTS)
def test_the_consents_of_marketplaces_keep_to_the_budget(name: str) -> None:
    notice = CONSENTS[name].notice
    until, whom, clocks = (notice.index(part) for part in (" by ", "; to be rechecked", "; from "))
    assert until <= budget("until when") == 120
    assert whom <= budget("through which marketplace") == 170
    assert clocks <= budget("when to recheck") == CUT
    numbers = (len(notice), until, whom, clocks, screens(len(notice)))
    assert row(name) == [str(one) for one in numbers]


@pytest.mark.parametrize("name", SCOPES)
def test_the_common_revocations_are_shown_whole(name: str) -> None:
    text = SCOPES[name].text
    whole = len(Revocation(ADA, (text,)).notice) + len(text)
    assert whole <= CUT
    assert row(f"`{name}`") == [str(one) for one in (len(text), whole, screens(whole))]


def test_the_devices_are_computed_from_these_lengths() -> None:
    consents = [screens(len(one.notice)) for one in CONSENTS.values()]
    stops = [int(row(f"`{name}`")[-1]) for name in SCOPES]
    shown = row(f"a screen of about {SCREEN} characters")
    assert shown[1:] == [f"{min(one)} to {max(one)} screens" for one in (consents, stops)]
    assert "computed" in PAGE
    assert "not measured" in PAGE
