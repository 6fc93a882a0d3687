"""The sample files that are text: transcripts of calls, sensor readings, drawings."""

import json
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

MS_PER_LETTER = 42
PAUSE_MS = 180
SPEAKERS = ("caller", "callee")

Lines = tuple[str, ...]  # spoken in turn, the caller's first

CALLS: dict[str, Lines] = {
    "2026-03-02-bicycle-repair": (
        "Hello, is the workshop open today?",
        "Until six. What is broken?",
        "The back wheel is out of true.",
        "Bring it in, it takes an hour.",
    ),
    "2026-03-05-library": (
        "I would like to keep a book longer.",
        "Two more weeks, is that enough?",
        "Yes, thank you.",
    ),
    "2026-03-09-bakery-order": (
        "Twelve rolls for Saturday, please.",
        "With seeds or without?",
        "Half and half.",
        "They are ready at eight.",
    ),
    "2026-03-11-water-meter": (
        "I am calling about the water meter.",
        "Please read me the black digits.",
        "Zero four one seven two.",
        "Noted. Have a good day.",
    ),
}


class Turn(NamedTuple):
    """Turn is one line of a call: its speaker (0 or 1), its start and its end."""

    party: int
    start_ms: int
    end_ms: int
    text: str


def turns(lines: Lines) -> Iterator[Turn]:
    """Return the lines of a call, each after a pause and with a length that fits its letters."""
    start = PAUSE_MS
    for number, text in enumerate(lines):
        end = start + MS_PER_LETTER * len(text)
        yield Turn(number % 2, start, end, text)
        start = end + PAUSE_MS


def transcript(lines: Lines) -> str:
    """Format a transcript with one JSON object in each line."""
    rows = (
        {"start_ms": start, "end_ms": end, "speaker": SPEAKERS[party], "text": text}
        for party, start, end, text in turns(lines)
    )
    return "".join(json.dumps(row) + "\n" for row in rows)


def street_noise(seed: int, first_hour: int) -> str:
    """Return a CSV of loudness for each minute of two hours, in tenths of dB(A)."""
    dice = Random(seed)
    level, rows = 520, ["minute,tenths_dba,device_moving"]
    for minute in range(120):
        level = max(380, min(790, level + dice.randint(-35, 35)))
        clock = f"{first_hour + minute // 60:02d}:{minute % 60:02d}"
        rows.append(f"{clock},{level},{dice.randrange(8) // 7}")
    return "\n".join(rows) + "\n"


def doodle(seed: int) -> str:
    """Return an SVG of overlapping circles and one line."""
    dice = Random(seed)
    circles = "".join(
        f'<circle cx="{dice.randint(20, 180)}" cy="{dice.randint(20, 180)}" '
        f'r="{dice.randint(8, 48)}" fill="hsl({dice.randrange(360)} 60% 60%)" fill-opacity="0.6"/>\n'
        for _ in range(9)
    )
    path = " ".join(f"L{20 * step} {dice.randint(30, 170)}" for step in range(1, 11))
    line = f'<path d="M0 100 {path}" fill="none" stroke="#223" stroke-width="3"/>\n'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200">\n{circles}{line}</svg>\n'
