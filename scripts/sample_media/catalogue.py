"""The sample files and their contents. Each seed is used for only one file."""

from functools import partial

from sample_media.files import Call, Picture, Recording, Text
from sample_media.pictures import form, plant, portrait, street
from sample_media.texts import CALLS, doodle, street_noise, transcript

TELEPHONE, RECORDER = 8_000, 16_000  # Hz
ORIGINAL = "photos/portraits/portrait-02.jpg"
COPY = "photos/old-phone/IMG_0002.jpg"  # a duplicate, as in real collections
NOD = tuple(partial(portrait, lean=pixels) for pixels in (0, 2, 4, 2, 0, -2, -4, -2))

SampleFile = Picture | Recording | Call | Text


def _recordings() -> dict[str, SampleFile]:
    made: dict[str, SampleFile] = {}
    for n in range(1, 5):
        made[f"voice/hallway-reading-{n:02d}.wav"] = Recording(100 + n, 2_100, TELEPHONE, echo_ms=90)
        made[f"voice/commands/lamp-on-{n:02d}.wav"] = Recording(200 + n, 700, RECORDER)
    for n in range(1, 4):
        made[f"voice/kitchen-reading-{n:02d}.flac"] = Recording(300 + n, 1_900, RECORDER)
    for n in range(1, 3):
        made[f"voice/commands/stop-{n:02d}.wav"] = Recording(400 + n, 700, RECORDER)
    return made


def _calls() -> dict[str, SampleFile]:
    made: dict[str, SampleFile] = {}
    for n, (day, lines) in enumerate(CALLS.items(), 1):
        made[f"calls/{day}.wav"] = Call(500 + n, lines, TELEPHONE)
        made[f"calls/{day}.jsonl"] = Text(transcript(lines))
    return made


def _photos() -> dict[str, SampleFile]:
    made: dict[str, SampleFile] = {}
    for n in range(1, 7):
        made[f"photos/portraits/portrait-{n:02d}.jpg"] = Picture(600 + n, (120, 160), (portrait,))
    made[COPY] = made[ORIGINAL]
    for n in range(1, 3):
        made[f"photos/portraits/passport-{n:02d}.png"] = Picture(650 + n, (84, 108), (portrait,))
        made[f"photos/animated/nod-{n:02d}.gif"] = Picture(670 + n, (60, 80), NOD)
    for n in range(1, 5):
        made[f"photos/street/corner-{n:02d}.jpg"] = Picture(700 + n, (184, 120), (street,))
    for n in range(1, 4):
        made[f"photos/plants/window-sill-{n:02d}.png"] = Picture(750 + n, (96, 96), (plant,))
    return made


def _others() -> dict[str, SampleFile]:
    return {
        "photos/scans/form-01.tif": Picture(801, (170, 240), (form,), grey=True),
        "photos/scans/form-02.bmp": Picture(802, (109, 150), (form,)),
        "drawings/doodle-01.svg": Text(doodle(851)),
        "drawings/doodle-02.svg": Text(doodle(852)),
        "sensors/street-noise-morning.csv": Text(street_noise(901, 7)),
        "sensors/street-noise-evening.csv": Text(street_noise(902, 17)),
    }


# File name, with forward slashes, to the content of the file.
CATALOGUE = _recordings() | _calls() | _photos() | _others()
