"""What `sayso demo` can show: the tour, and a scenario for each marketplace."""

from pathlib import Path
from typing import Final

from sayso.demo.runner import Play
from sayso.demo.scenarios import kled, neon, silencio
from sayso.demo.tour.stage import Tour
from sayso.demo.tour.steps import STEPS


def tour(folder: Path) -> Play:
    """Return the tour over a folder of files."""
    about = f"This demo shows that a revocation stops a training set. It uses the files of {folder}."
    return Play(about, Tour, STEPS, is_measured=False)


PLAYS: Final = {
    "kled": Play("Kled AI: files that are sold on, and on.", kled.Kled, kled.KLED_STEPS),
    "silencio": Play(
        "Silencio: phones that record sessions, and people who were only nearby.",
        silencio.Silencio,
        silencio.SILENCIO_STEPS,
    ),
    "neon": Play("Neon Mobile: calls, which belong to two people.", neon.Neon, neon.NEON_STEPS),
}
