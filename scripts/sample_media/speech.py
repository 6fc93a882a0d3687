"""Speech-like sound: harmonics of a voice, as loud as the resonances of a mouth make them.

It contains no words, and no real person's voice.
"""

from random import Random

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float64]  # one channel, from -1 to 1

# Resonances of a mouth in Hz: roughly a, e, i, o, u.
VOWELS = ((730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010), (570, 840, 2410), (300, 870, 2240))
STRENGTHS = np.array((1, 0.5, 0.25))  # of the three
BANDWIDTH = 100  # Hz
SYLLABLE_MS = ((20, 60), (110, 260), (15, 90))  # of hiss, of a vowel, of silence
PEAK = 0.5


def speech(dice: Random, milliseconds: int, rate: int) -> Samples:
    """Synthesise speech-like sound of some milliseconds at `rate` Hz; the dice choose voice and text."""
    pitch = dice.randint(95, 215)
    wanted, spoken = milliseconds * rate // 1000, np.zeros(0)
    while len(spoken) < wanted:
        hiss, vowel, pause = (dice.randint(*span) * rate // 1000 for span in SYLLABLE_MS)
        syllable = _hiss(dice, hiss), _vowel(dice, pitch, vowel, rate), np.zeros(pause)
        spoken = np.concatenate((spoken, *syllable))[:wanted]
    return spoken * (PEAK / float(np.abs(spoken).max()))


def echo(samples: Samples, delay: int) -> Samples:
    """Add an echo after `delay` samples, at a third of the loudness."""
    return samples + np.concatenate((np.zeros(delay), samples[:-delay])) / 3


def _vowel(dice: Random, pitch: int, length: int, rate: int) -> Samples:
    """Synthesise a vowel whose pitch falls by a tenth, with a rise and fall of loudness."""
    phase = np.cumsum(np.linspace(pitch, 0.9 * pitch, length)) * 2 * np.pi / rate
    harmonics = np.arange(1, rate // 2 // pitch)[:, np.newaxis]
    distance = (harmonics * pitch - np.array(dice.choice(VOWELS))) / BANDWIDTH
    loudness = (STRENGTHS / (1 + distance**2)).sum(axis=1)
    sound: Samples = loudness @ np.sin(harmonics * phase)
    return sound * np.sin(np.linspace(0, np.pi, length))


def _hiss(dice: Random, length: int) -> Samples:
    """Synthesise the noise of s and f."""
    return np.frombuffer(dice.randbytes(length), np.int8) / 1000
