"""Which sample files there are, and what each is made of. A seed is spent on one file only."""

from collections.abc import Callable
from functools import partial

from sayso.sample.flac import flac
from sayso.sample.images import bmp, gif, grey_tiff, png
from sayso.sample.jpeg import jpeg
from sayso.sample.picture import Picture
from sayso.sample.scenes import form, plant, portrait, street
from sayso.sample.texts import CALLS, doodle, street_noise, transcript, turns
from sayso.sample.voices import Samples, echo, speech
from sayso.sample.wav import mu_law_wav, pcm_wav

TELEPHONE, RECORDER = 8_000, 16_000  # Hz
ORIGINAL = "photos/portraits/portrait-02.jpg"
COPY = "photos/old-phone/IMG_0002.jpg"  # the same bytes again, as in every real collection
NODS = (0, 2, 4, 2, 0, -2, -4, -2)  # pixels

Maker = Callable[[], bytes]
Scene = Callable[..., Picture]  # (seed, width, height)


def catalogue() -> dict[str, Maker]:
    """File name, with forward slashes, to what makes its bytes."""
    return dict(sorted((_voices() | _calls() | _photos() | _others()).items()))


def _voices() -> dict[str, Maker]:
    made: dict[str, Maker] = {}
    for n in range(1, 5):
        made[f"voice/hallway-reading-{n:02d}.wav"] = partial(_hallway, 100 + n)
        made[f"voice/commands/lamp-on-{n:02d}.wav"] = partial(_command, 200 + n)
    for n in range(1, 4):
        made[f"voice/kitchen-reading-{n:02d}.flac"] = partial(_kitchen, 300 + n)
    for n in range(1, 3):
        made[f"voice/commands/stop-{n:02d}.wav"] = partial(_command, 400 + n)
    return made


def _calls() -> dict[str, Maker]:
    made: dict[str, Maker] = {}
    for n, call in enumerate(CALLS, 1):
        made[f"calls/{call}.wav"] = partial(_call, call, 500 + 2 * n)
        made[f"calls/{call}.jsonl"] = partial(transcript, call)
    return made


def _photos() -> dict[str, Maker]:
    made: dict[str, Maker] = {}
    for n in range(1, 7):
        made[f"photos/portraits/portrait-{n:02d}.jpg"] = _drawn(jpeg, portrait, 600 + n, 120, 160)
    made[COPY] = made[ORIGINAL]
    for n in range(1, 3):
        made[f"photos/portraits/passport-{n:02d}.png"] = _drawn(png, portrait, 650 + n, 84, 108)
        made[f"photos/animated/nod-{n:02d}.gif"] = partial(_nod, 670 + n)
    for n in range(1, 5):
        made[f"photos/street/corner-{n:02d}.jpg"] = _drawn(jpeg, street, 700 + n, 184, 120)
    for n in range(1, 4):
        made[f"photos/plants/window-sill-{n:02d}.png"] = _drawn(png, plant, 750 + n, 96, 96)
    return made


def _others() -> dict[str, Maker]:
    return {
        "photos/scans/form-01.tif": _drawn(grey_tiff, form, 801, 170, 240),
        "photos/scans/form-02.bmp": _drawn(bmp, form, 802, 109, 150),
        "drawings/doodle-01.svg": partial(doodle, 851),
        "drawings/doodle-02.svg": partial(doodle, 852),
        "sensors/street-noise-morning.csv": partial(street_noise, 901, 7),
        "sensors/street-noise-evening.csv": partial(street_noise, 902, 17),
    }


def _drawn(encode: Callable[[Picture], bytes], scene: Scene, *facts: int) -> Maker:
    return lambda: encode(scene(*facts))


def _hallway(seed: int) -> bytes:
    return pcm_wav([echo(speech(seed, 2_100, TELEPHONE), 90, TELEPHONE)], TELEPHONE)


def _kitchen(seed: int) -> bytes:
    return flac(speech(seed, 1_900, RECORDER), RECORDER)


def _command(seed: int) -> bytes:
    return pcm_wav([speech(seed, 700, RECORDER)], RECORDER)


def _call(call: str, seed: int) -> bytes:
    """Two parties, each on a channel of its own, as exchanges record them."""
    spoken = list(turns(call))
    length = (spoken[-1][2] + 200) * TELEPHONE // 1000
    channels: list[Samples] = [[0] * length, [0] * length]
    for number, (who, start, end, _) in enumerate(spoken):
        said = speech(seed * 16 + 2 * number + who, end - start, TELEPHONE)
        at = start * TELEPHONE // 1000
        channels[who][at : at + len(said)] = said
    return mu_law_wav(channels, TELEPHONE)


def _nod(seed: int) -> bytes:
    return gif([portrait(seed, 60, 80, lean) for lean in NODS], 12)
