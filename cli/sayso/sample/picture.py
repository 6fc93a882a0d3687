"""A picture to draw on, in integers: gradients, ellipses, rectangles, grain."""

from sayso.sample.numbers import Dice

Colour = tuple[int, int, int]  # red, green, blue: 0 to 255


def blend(first: Colour, second: Colour, part: int, whole: int) -> Colour:
    """The colour `part` / `whole` of the way from the first to the second."""
    red, green, blue = (a + (b - a) * part // whole for a, b in zip(first, second, strict=True))
    return red, green, blue


class Picture:
    """Picture is RGB pixels, row by row from the top."""

    def __init__(self, width: int, height: int, top: Colour, bottom: Colour) -> None:
        self.width = width
        self.height = height
        rows = (blend(top, bottom, y, height) for y in range(height))
        self.rgb = bytearray(b"".join(bytes(colour) * width for colour in rows))

    def at(self, x: int, y: int) -> Colour:
        """The pixel there, or the nearest one of the picture."""
        x, y = min(x, self.width - 1), min(y, self.height - 1)
        start = 3 * (y * self.width + x)
        red, green, blue = self.rgb[start : start + 3]
        return red, green, blue

    def _run(self, y: int, left: int, right: int, colour: Colour) -> None:
        left, right = max(left, 0), min(right, self.width)
        if 0 <= y < self.height and left < right:
            start = 3 * (y * self.width + left)
            self.rgb[start : start + 3 * (right - left)] = bytes(colour) * (right - left)

    def rectangle(self, left: int, top: int, width: int, height: int, colour: Colour) -> None:
        """Fill a rectangle; what is outside of the picture is cut off."""
        for y in range(top, top + height):
            self._run(y, left, left + width, colour)

    def ellipse(self, x: int, y: int, rx: int, ry: int, colour: Colour) -> None:
        """Fill an ellipse around (x, y), a little lighter towards its upper part."""
        for dy in range(-ry, ry + 1):
            half = 0
            while (half + 1) ** 2 * ry * ry + dy * dy * rx * rx <= rx * rx * ry * ry:
                half += 1
            shade = blend(colour, (255, 255, 255), ry - dy, 12 * ry)
            self._run(y + dy, x - half, x + half + 1, shade)

    def grain(self, dice: Dice, strength: int) -> None:
        """Add the noise of a cheap camera."""
        for i, value in enumerate(self.rgb):
            self.rgb[i] = min(255, max(0, value + dice.between(-strength, strength)))
