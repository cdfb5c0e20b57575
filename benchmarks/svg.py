"""Pictures: bars and curves, as SVG that is readable on a light and on a dark page."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

WIDTH, ROW, LABEL, AFTER = 800, 24, 350, 110
OURS, OTHERS, TEXT, LINE = "#2f7ed8", "#9aa5b1", "#57606a", "#c8ccd1"
COLOURS = ("#2f7ed8", "#e07b39", "#3a9d5d", "#a05cc0", "#c0392b", "#7f8c8d")
_Scale = Callable[[float], float]

PLOT = (70, 20, 460, 250)  # left, top, width, height


def bars(values: Mapping[str, float], *, unit: str = "", log: bool = False) -> str:
    """Horizontal bars; what is ours is named so. With `log`, their lengths are of the logarithms."""
    length = _length(values.values(), log)
    parts = []
    for number, (name, value) in enumerate(values.items()):
        top = ROW * number + 4
        colour = OURS if is_ours(name) else OTHERS
        wide = max(2.0, length(value) * (WIDTH - LABEL - AFTER))
        parts += [
            _text(LABEL - 8, top + 13, name, "end"),
            f'<rect x="{LABEL}" y="{top}" width="{wide:.1f}" height="{ROW - 6}" fill="{colour}"/>',
            _text(LABEL + wide + 6, top + 13, f"{number_text(value)} {unit}".strip()),
        ]
    return _picture(ROW * len(values) + 8, parts)


def curves(
    lines: Mapping[str, Sequence[tuple[float, float]]],
    *,
    across: str,
    upward: str,
    log_y: bool = False,
) -> str:
    """Lines over a logarithmic axis."""
    left, top, width, height = PLOT
    xs = [x for line in lines.values() for x, _ in line]
    ys = [y for line in lines.values() for _, y in line]
    place_x = _place(min(xs), max(xs), log=True)
    place_y = _place(min(ys) if log_y else 0.0, max(ys), log=log_y)
    parts = [
        f'<path d="M{left} {top}V{top + height}H{left + width}" fill="none" stroke="{LINE}"/>',
        _text(left + width / 2, top + height + 36, across, "middle"),
        _text(left - 60, top - 6, upward),
    ]
    for x in sorted(set(xs)):
        parts.append(_text(left + place_x(x) * width, top + height + 16, number_text(x), "middle"))
    for y in sorted({min(ys), max(ys)}):
        parts.append(_text(left - 6, top + height * (1 - place_y(y)) + 4, number_text(y), "end"))
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = [(left + place_x(x) * width, top + height * (1 - place_y(y))) for x, y in line]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points]
        key = top + 16 * number
        parts.append(
            f'<rect x="{left + width + 14}" y="{key}" width="10" height="10" fill="{colour}"/>'
        )
        parts.append(_text(left + width + 30, key + 9, name))
    return _picture(top + height + 48, parts)


def is_ours(name: str) -> bool:
    """Whether a contender is the rendered service."""
    return name.startswith("ours")


def number_text(value: float) -> str:
    """A number with three digits that say something."""
    if value == 0:
        return "0"
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.3g}"


def _length(values: Iterable[float], log: bool) -> _Scale:
    there = list(values)
    if not log:
        return lambda value: value / max(there)
    low = min(there) / 2
    return lambda value: math.log(value / low) / math.log(max(there) / low)


def _place(low: float, high: float, *, log: bool) -> _Scale:
    if high <= low:
        return lambda _value: 0.5
    if log:
        return lambda value: math.log(value / low) / math.log(high / low)
    return lambda value: (value - low) / (high - low)


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _picture(height: float, parts: Sequence[str]) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}"'
            f' font-family="sans-serif" font-size="12" fill="{TEXT}">',
            *parts,
            "</svg>\n",
        ]
    )
