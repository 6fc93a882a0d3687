"""The kinds of sample files. The ending of a file's name selects its format."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import soundfile
from PIL import Image

from sample_media.pictures import Size
from sample_media.speech import echo, speech
from sample_media.texts import Lines, turns

Scene = Callable[[Random, Size], Image.Image]
FRAME_MS = 120


@dataclass(frozen=True)
class Picture:
    """Picture is a drawn scene, or an animation with one scene for each frame."""

    seed: int
    size: Size
    frames: tuple[Scene, ...]
    grey: bool = False

    def write(self, path: Path) -> None:
        """Draw it and write the file."""
        drawn = [scene(Random(self.seed), self.size) for scene in self.frames]
        first, *others = [image.convert("L") for image in drawn] if self.grey else drawn
        if others:
            first.save(path, save_all=True, append_images=others, duration=FRAME_MS, loop=0)
        else:
            first.save(path)


@dataclass(frozen=True)
class Recording:
    """Recording is one voice in 16-bit samples, with an optional echo."""

    seed: int
    milliseconds: int
    rate: int  # Hz
    echo_ms: int = 0
    channels = 1
    encoding = "PCM_16"  # libsndfile's name

    def write(self, path: Path) -> None:
        """Synthesise it and write the file."""
        spoken = speech(Random(self.seed), self.milliseconds, self.rate)
        heard = echo(spoken, self.echo_ms * self.rate // 1000) if self.echo_ms else spoken
        soundfile.write(path, heard, self.rate, subtype=self.encoding)


@dataclass(frozen=True)
class Call:
    """Call is a recording of two parties in mu-law, each on its own channel."""

    seed: int
    lines: Lines
    rate: int  # Hz
    channels = 2
    encoding = "ULAW"  # ITU-T G.711

    @property
    def milliseconds(self) -> int:
        """Return the length in samples, with a pause after the last word."""
        return max(turn.end_ms for turn in turns(self.lines)) + 200

    def write(self, path: Path) -> None:
        """Synthesise it and write the file."""
        dice = Random(self.seed)
        heard = np.zeros((self.milliseconds * self.rate // 1000, self.channels))
        for turn in turns(self.lines):
            spoken = speech(dice, turn.end_ms - turn.start_ms, self.rate)
            start = turn.start_ms * self.rate // 1000
            heard[start : start + len(spoken), turn.party] = spoken
        soundfile.write(path, heard, self.rate, subtype=self.encoding)


@dataclass(frozen=True)
class Text:
    """Text is a file with fixed text."""

    content: str

    def write(self, path: Path) -> None:
        """Write the file."""
        path.write_text(self.content, encoding="utf-8", newline="\n")
