"""Arithmetic that gives the same result on every machine: integers only.

Floating point appears once, to fill tables; rounded to 15 bits, no library's last digit can show.
"""

from math import cos, exp, pi

ONE = 1 << 14  # 1.0 in fixed point
CIRCLE = 4096  # steps of a full turn


def fixed(value: float) -> int:
    """Nearest fixed-point number."""
    return round(value * ONE)


_SINE = [fixed(cos(2 * pi * (step / CIRCLE - 0.25))) for step in range(CIRCLE)]


def sine(angle: int) -> int:
    """Sine in fixed point; `angle` in steps of which CIRCLE make a turn."""
    return _SINE[angle % CIRCLE]


def resonator(hertz: int, bandwidth: int, rate: int) -> tuple[int, int]:
    """Fixed-point coefficients (b1, b2) of y = x + b1*y' + b2*y'', a two-pole resonance."""
    radius = exp(-pi * bandwidth / rate)
    return fixed(2 * radius * cos(2 * pi * hertz / rate)), fixed(-radius * radius)


class Dice:
    """Dice draws numbers that look random and are the same each time (Lehmer, MINSTD)."""

    MODULUS = 2**31 - 1

    def __init__(self, seed: int) -> None:
        self._state = seed % (self.MODULUS - 1) + 1
        for _ in range(8):
            self.below(2)

    def below(self, limit: int) -> int:
        """A number from 0 to limit - 1."""
        self._state = self._state * 48271 % self.MODULUS
        return self._state * limit // self.MODULUS

    def between(self, low: int, high: int) -> int:
        """A number from low to high, both included."""
        return low + self.below(high - low + 1)
