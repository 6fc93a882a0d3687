"""What the sample pictures show. All of it is drawn: no photo of anybody was taken."""

from sayso.sample.numbers import CIRCLE, Dice, sine
from sayso.sample.picture import Colour, Picture, blend

SKIN: tuple[Colour, ...] = ((240, 200, 170), (205, 150, 110), (150, 100, 70), (95, 62, 45))
HAIR: tuple[Colour, ...] = ((40, 28, 20), (110, 72, 35), (190, 150, 80), (130, 130, 135))
INK: Colour = (35, 30, 40)
PAPER: Colour = (236, 232, 222)


def _colour(dice: Dice, low: int = 40, high: int = 215) -> Colour:
    return dice.between(low, high), dice.between(low, high), dice.between(low, high)


def portrait(seed: int, width: int, height: int, lean: int = 0) -> Picture:
    """Head and shoulders before a plain wall; `lean` moves the head sideways, in pixels."""
    dice = Dice(seed)
    wall = _colour(dice, 120)
    picture = Picture(width, height, blend(wall, (255, 255, 255), 1, 3), wall)
    skin, hair = SKIN[dice.below(4)], HAIR[dice.below(4)]
    x, y, rx, ry = width // 2 + lean, height * 2 // 5, width // 5, height // 5
    picture.ellipse(width // 2, height, width * 2 // 5, height // 4, _colour(dice))
    picture.rectangle(x - rx // 3, y + ry // 2, 2 * rx // 3, ry, blend(skin, INK, 1, 6))
    picture.ellipse(x, y - ry // 4, rx + 3, ry + 2, hair)
    picture.ellipse(x, y + ry // 6, rx - 2, ry - 3, skin)
    for side in (-1, 1):
        picture.ellipse(x + side * rx * 2 // 5, y, max(2, rx // 8), max(1, ry // 12), INK)
    picture.ellipse(x, y + ry * 3 // 5, rx // 3, max(1, ry // 14), blend(skin, (170, 40, 50), 1, 2))
    picture.grain(dice, 3)
    return picture


def street(seed: int, width: int, height: int) -> Picture:
    """Houses with windows under the sky of some hour of the day."""
    dice = Dice(seed)
    picture = Picture(width, height, _colour(dice, 90), _colour(dice, 170, 250))
    left = 0
    while left < width:
        wide, high = dice.between(width // 8, width // 4), dice.between(height // 3, height * 3 // 4)
        wall, top = _colour(dice, 60, 170), height - high
        picture.rectangle(left, top, wide - 2, high, wall)
        for y in range(top + 5, height - 12, 11):
            for x in range(left + 4, left + wide - 8, 10):
                lit = dice.below(3) == 0
                picture.rectangle(x, y, 5, 7, (250, 225, 140) if lit else blend(wall, INK, 1, 2))
        left += wide
    picture.rectangle(0, height - 8, width, 8, (80, 80, 84))
    picture.grain(dice, 4)
    return picture


def plant(seed: int, width: int, height: int) -> Picture:
    """Leaves in a pot on a window sill."""
    dice = Dice(seed)
    picture = Picture(width, height, (205, 222, 235), (236, 238, 232))
    green, middle, soil = _colour(dice, 60, 120), width // 2, height * 2 // 3
    for _ in range(14):
        turn, reach = dice.between(CIRCLE // 2, CIRCLE), dice.between(height // 6, height // 2)
        dx, dy = sine(turn + CIRCLE // 4) * reach >> 15, sine(turn) * reach >> 14
        leaf = blend((green[0], 170, green[2]), INK, dice.below(5), 12)
        picture.ellipse(middle + dx, soil + dy, dice.between(4, 9), dice.between(5, 12), leaf)
    picture.rectangle(middle - width // 6, soil, width // 3, height // 4, (176, 92, 58))
    picture.rectangle(0, soil + height // 4, width, height, (214, 206, 190))
    return picture


def form(seed: int, width: int, height: int) -> Picture:
    """A scanned page of lines that look written on."""
    dice = Dice(seed)
    picture = Picture(width, height, PAPER, blend(PAPER, INK, 1, 20))
    for y in range(12, height - 10, 9):
        x = 10
        while x < width - 20:
            word = dice.between(6, 22)
            picture.rectangle(x, y, min(word, width - 10 - x), 3, blend(INK, PAPER, dice.below(4), 8))
            x += word + 4
    picture.grain(dice, 2)
    return picture
