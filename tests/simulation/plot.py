"""A plot of shares over time, as SVG: small enough to read, and the same on every machine."""

from collections.abc import Iterator, Sequence
from math import log10
from typing import NamedTuple
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 24, 48, 56
FIRST_S, LAST_S = 0.01, 30.0
TICKS_S = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30)
LEGEND = 0.6  # where few curves are yet, on the left
SHARES = (0, 0.25, 0.5, 0.75, 1)
_FONT = 'font-family="sans-serif" fill="#222"'
_GREY = 'stroke="#ddd"'


class Curve(NamedTuple):
    """When each arrived, seconds, ascending."""

    name: str
    arrivals: Sequence[float]
    colour: str


def write_plot(title: str, curves: Sequence[Curve], count: int, bound: tuple[float, str]) -> str:
    """The share of `count` that something had reached, over time on a logarithmic axis."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="26" font-size="16" {_FONT}>{escape(title)}</text>',
        *_axes(),
        *_bound(*bound),
    ]
    for number, curve in enumerate(curves):
        parts += _curve(curve, count, number)
    return "\n".join([*parts, "</svg>", ""])


def _x(seconds: float) -> float:
    share = (log10(max(seconds, FIRST_S)) - log10(FIRST_S)) / (log10(LAST_S) - log10(FIRST_S))
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _y(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" font-size="12" text-anchor="{anchor}" {_FONT}>{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, style: str) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" {style}/>'


def _axes() -> Iterator[str]:
    for seconds in TICKS_S:
        x = _x(seconds)
        yield _line(x, _y(0), x, _y(1), _GREY)
        yield _text(x, _y(0) + 18, f"{seconds:g}", "middle")
    for share in SHARES:
        y = _y(share)
        yield _line(LEFT, y, WIDTH - RIGHT, y, _GREY)
        yield _text(LEFT - 8, y + 4, f"{share:.0%}", "end")
    middle = (LEFT + WIDTH - RIGHT) / 2
    name = "seconds after a user handed it in (nodes that have it on disk)"
    yield _text(middle, HEIGHT - 14, name, "middle")


def _bound(seconds: float, name: str) -> Iterator[str]:
    x = _x(seconds)
    yield _line(x, _y(0), x, _y(1), 'stroke="#555" stroke-dasharray="5 4"')
    yield _text(x + 10, _y(0.9), f"{name}: {seconds:.2f} s")


def _curve(curve: Curve, count: int, number: int) -> Iterator[str]:
    """A step for each arrival; of those that fall on one point, the last."""
    points = {_x(one): _y((at + 1) / count) for at, one in enumerate(curve.arrivals)}
    path = " ".join(f"H{x}V{y}" for x, y in points.items())
    style = f'fill="none" stroke="{curve.colour}" stroke-width="2"'
    yield f'<path d="M{LEFT} {_y(0)}{path}H{WIDTH - RIGHT}" {style}/>'
    y = _y(LEGEND) + 18 * number
    yield _line(LEFT + 8, y - 4, LEFT + 32, y - 4, f'stroke="{curve.colour}" stroke-width="3"')
    yield _text(LEFT + 40, y, f"{curve.name}: all after {curve.arrivals[-1]:.2f} s")
