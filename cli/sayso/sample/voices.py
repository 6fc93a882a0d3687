"""Speech-like sound: a buzzing voice through the resonances of a mouth, syllable by syllable.

After D. H. Klatt's cascade synthesiser (1980), in integers. It says nothing, and is nobody's voice.
"""

from collections.abc import Iterable

from sayso.sample.numbers import ONE, Dice, resonator, sine

# Resonances of a mouth in Hz: roughly a, e, i, o, u.
VOWELS = ((730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010), (570, 840, 2410), (300, 870, 2240))
BANDWIDTHS = (80, 100, 140)  # Hz
PULSE = 1 << 17
PEAK = 16_000  # of the finished samples

Samples = list[int]


def speech(seed: int, milliseconds: int, rate: int) -> Samples:
    """16-bit samples of somebody talking; the seed decides who and what. `rate` in Hz."""
    dice = Dice(seed)
    pitch = dice.between(95, 215)
    wanted = milliseconds * rate // 1000
    out: Samples = []
    while len(out) < wanted:
        out += _hiss(dice, dice.between(20, 60) * rate // 1000)
        out += _syllable(dice, pitch, dice.between(110, 260) * rate // 1000, rate)
        out += [0] * (dice.between(15, 90) * rate // 1000)
    return _levelled(out[:wanted])


def _syllable(dice: Dice, pitch: int, length: int, rate: int) -> Samples:
    """A vowel whose pitch falls by a tenth, swelling and fading."""
    vowel = VOWELS[dice.below(len(VOWELS))]
    swell = [sine(2048 * i // length) for i in range(length)]  # half a turn
    phase, out = 0, []
    for i in range(length):
        phase += pitch - pitch * i // (10 * length)
        pulse, phase = divmod(phase, rate)
        out.append(pulse * PULSE * swell[i] // ONE)
    for hertz, bandwidth in zip(vowel, BANDWIDTHS, strict=True):
        out = _resonate(out, *resonator(min(hertz, rate * 2 // 5), bandwidth, rate))
    return out


def _resonate(samples: Iterable[int], b1: int, b2: int) -> Samples:
    gain = ONE - b1 - b2
    before, earlier, out = 0, 0, []
    for sample in samples:
        now = (gain * sample + b1 * before + b2 * earlier) // ONE
        out.append(now)
        before, earlier = now, before
    return out


def _hiss(dice: Dice, length: int) -> Samples:
    """What s and f are made of."""
    return [dice.between(-PULSE, PULSE) // 96 for _ in range(length)]


def _levelled(samples: Samples) -> Samples:
    loudest = max(map(abs, samples), default=0) or 1
    return [sample * PEAK // loudest for sample in samples]


def echo(samples: Samples, milliseconds: int, rate: int) -> Samples:
    """The same in a hallway: once more after a while, at a third of the loudness."""
    delay = milliseconds * rate // 1000
    late = [0] * delay + samples
    return [now + then // 3 for now, then in zip(samples, late, strict=False)]
