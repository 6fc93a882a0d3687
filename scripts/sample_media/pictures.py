"""The scenes of the sample pictures. All are drawn, and none shows a real person."""

from math import cos, pi, sin
from random import Random

from PIL import Image, ImageDraw, ImageOps

Colour = tuple[int, int, int]  # red, green, blue: 0 to 255
Size = tuple[int, int]  # width and height, pixels

SKIN: tuple[Colour, ...] = ((240, 200, 170), (205, 150, 110), (150, 100, 70), (95, 62, 45))
HAIR: tuple[Colour, ...] = ((40, 28, 20), (110, 72, 35), (190, 150, 80), (130, 130, 135))
WHITE: Colour = (255, 255, 255)
INK: Colour = (35, 30, 40)
PAPER: Colour = (236, 232, 222)
GRAIN = 0.03  # share of noise, as in a cheap camera


def portrait(dice: Random, size: Size, lean: int = 0) -> Image.Image:
    """Draw head and shoulders before a plain wall; `lean` moves the head sideways, in pixels."""
    width, height = size
    wall, shirt, skin, hair = _colour(dice, 120), _colour(dice), dice.choice(SKIN), dice.choice(HAIR)
    picture = _gradient(size, _blend(wall, WHITE, 1 / 3), wall)
    draw = ImageDraw.Draw(picture)
    x, y, rx, ry = width // 2 + lean, height * 2 // 5, width // 5, height // 5
    _ellipse(draw, width // 2, height, width * 2 // 5, height // 4, shirt)
    draw.rectangle((x - rx // 3, y, x + rx // 3, y + ry * 3 // 2), _blend(skin, INK, 1 / 6))
    _ellipse(draw, x, y - ry // 4, rx + 3, ry + 2, hair)
    _ellipse(draw, x, y + ry // 6, rx - 2, ry - 3, skin)
    for eye in (x - rx * 2 // 5, x + rx * 2 // 5):
        _ellipse(draw, eye, y, max(2, rx // 8), max(1, ry // 12), INK)
    _ellipse(draw, x, y + ry * 3 // 5, rx // 3, max(1, ry // 14), _blend(skin, (170, 40, 50), 1 / 2))
    return _grainy(dice, picture)


def street(dice: Random, size: Size) -> Image.Image:
    """Draw houses with windows under a sky."""
    width, height = size
    picture = _gradient(size, _colour(dice, 90), _colour(dice, 170, 250))
    draw = ImageDraw.Draw(picture)
    left = 0
    while left < width:
        right = left + dice.randint(width // 8, width // 4)
        _house(
            dice, draw, (left, height - dice.randint(height // 3, height * 3 // 4), right - 3, height)
        )
        left = right
    draw.rectangle((0, height - 8, width, height), (80, 80, 84))
    return _grainy(dice, picture)


def _house(dice: Random, draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int]) -> None:
    wall, (left, top, right, bottom) = _colour(dice, 60, 170), box
    draw.rectangle(box, wall)
    for y in range(top + 5, bottom - 12, 11):
        for x in range(left + 4, right - 5, 10):
            light = (250, 225, 140) if dice.random() < 1 / 3 else _blend(wall, INK, 1 / 2)
            draw.rectangle((x, y, x + 4, y + 6), light)


def plant(dice: Random, size: Size) -> Image.Image:
    """Draw leaves in a pot on a window sill."""
    width, height = size
    middle, soil, sill = width // 2, height * 2 // 3, height * 11 // 12
    picture = _gradient(size, (205, 222, 235), (236, 238, 232))
    draw = ImageDraw.Draw(picture)
    green = (dice.randint(60, 120), 170, dice.randint(60, 120))
    for _ in range(14):
        turn, reach = dice.uniform(pi, 2 * pi), dice.uniform(height / 6, height / 2)
        x, y = middle + int(cos(turn) * reach / 2), soil + int(sin(turn) * reach)
        leaf = _blend(green, INK, dice.uniform(0, 1 / 3))
        _ellipse(draw, x, y, dice.randint(4, 9), dice.randint(5, 12), leaf)
    draw.rectangle((middle - width // 6, soil, middle + width // 6, sill), (176, 92, 58))
    draw.rectangle((0, sill, width, height), (214, 206, 190))
    return picture


def form(dice: Random, size: Size) -> Image.Image:
    """Draw a scanned page with lines of writing."""
    width, height = size
    picture = _gradient(size, PAPER, _blend(PAPER, INK, 1 / 20))
    draw = ImageDraw.Draw(picture)
    for y in range(12, height - 10, 9):
        x = 10
        while x < width - 20:
            end = min(x + dice.randint(6, 22), width - 10)
            draw.rectangle((x, y, end, y + 2), _blend(INK, PAPER, dice.uniform(0, 1 / 2)))
            x = end + 4
    return _grainy(dice, picture)


def _colour(dice: Random, low: int = 40, high: int = 215) -> Colour:
    return dice.randint(low, high), dice.randint(low, high), dice.randint(low, high)


def _blend(first: Colour, second: Colour, part: float) -> Colour:
    """Mix two colours; `part` is the share of the second."""
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _gradient(size: Size, top: Colour, bottom: Colour) -> Image.Image:
    return ImageOps.colorize(Image.linear_gradient("L").resize(size), top, bottom)


def _ellipse(draw: ImageDraw.ImageDraw, x: int, y: int, rx: int, ry: int, colour: Colour) -> None:
    draw.ellipse((x - rx, y - ry, x + rx, y + ry), colour)


def _grainy(dice: Random, picture: Image.Image) -> Image.Image:
    noise = dice.randbytes(3 * picture.width * picture.height)
    return Image.blend(picture, Image.frombytes("RGB", picture.size, noise), GRAIN)
