"""The sample files that are text: transcripts of calls, sensor readings, drawings."""

import json
from collections.abc import Iterator

from sayso.sample.numbers import Dice

MS_PER_LETTER = 42
PAUSE_MS = 180
SPEAKERS = ("caller", "callee")

# Each call is lines said in turn, the caller's first.
CALLS = {
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


def turns(call: str) -> Iterator[tuple[int, int, int, str]]:
    """Who (0 or 1) says what from when to when, in milliseconds."""
    start = PAUSE_MS
    for number, text in enumerate(CALLS[call]):
        end = start + MS_PER_LETTER * len(text)
        yield number % 2, start, end, text
        start = end + PAUSE_MS


def transcript(call: str) -> bytes:
    """One JSON object a line, as transcription services deliver them."""
    rows = (
        {"start_ms": start, "end_ms": end, "speaker": SPEAKERS[who], "text": text}
        for who, start, end, text in turns(call)
    )
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def street_noise(seed: int, first_hour: int) -> bytes:
    """CSV of loudness a minute for two hours, in tenths of dB(A)."""
    dice = Dice(seed)
    level, lines = 520, ["minute,tenths_dba,device_moving"]
    for minute in range(120):
        level = max(380, min(790, level + dice.between(-35, 35)))
        clock = f"{first_hour + minute // 60:02d}:{minute % 60:02d}"
        lines.append(f"{clock},{level},{dice.below(8) // 7}")
    return ("\n".join(lines) + "\n").encode()


def doodle(seed: int) -> bytes:
    """SVG of a few overlapping circles and one line."""
    dice = Dice(seed)
    shapes = [
        f'<circle cx="{dice.between(20, 180)}" cy="{dice.between(20, 180)}" '
        f'r="{dice.between(8, 48)}" fill="hsl({dice.below(360)} 60% 60%)" fill-opacity="0.6"/>'
        for _ in range(9)
    ]
    path = " ".join(f"L{20 * step} {dice.between(30, 170)}" for step in range(1, 11))
    line = f'<path d="M0 100 {path}" fill="none" stroke="#223" stroke-width="3"/>'
    body = "\n".join([*shapes, line])
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200">\n{body}\n</svg>\n'.encode()
