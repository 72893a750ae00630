# SPDX-License-Identifier: Apache-2.0
"""A small plot of cost against size: both axes logarithmic, one line a measure, SVG without a library."""
import math
import xml.sax.saxutils

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 20, 45
COLOURS = ("#1b6ca8", "#c8553d", "#6b7280", "#2e8b57", "#8e5ea2", "#b8860b")


def _range(values):
    return math.floor(math.log10(min(values))), max(math.ceil(math.log10(max(values))), math.floor(
        math.log10(min(values))) + 1)


def _time(exponent):
    unit = ("µs", "ms", "s", "ks")[exponent // 3]
    return f"{10 ** (exponent % 3)} {unit}"


def _labels(ends):
    """Moves the labels of line ends apart: at least 14 units between two."""
    placed = []
    for y, name, colour in sorted(ends):
        placed.append((max(y, placed[-1][0] + 14) if placed else y, name, colour))
    return placed


def svg(curves):
    """`curves`: name to a list of (size, microseconds)."""
    curves = {name: points for name, points in curves.items() if len(points) > 1}
    if not curves:
        return None
    x0, x1 = _range([x for points in curves.values() for x, _ in points])
    y0, y1 = _range([y for points in curves.values() for _, y in points])

    def px(x):
        return LEFT + (math.log10(x) - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)

    def py(y):
        return HEIGHT - BOTTOM - (math.log10(y) - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
           ' font-size="12">', "<!-- SPDX-License-Identifier: Apache-2.0 -->",
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>']
    for e in range(x0, x1 + 1):
        out.append(f'<path d="M{px(10 ** e):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>')
        out.append(f'<text x="{px(10 ** e):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{10 ** e:,}</text>')
    for e in range(y0, y1 + 1):
        out.append(f'<path d="M{LEFT} {py(10 ** e):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        out.append(f'<text x="{LEFT - 6}" y="{py(10 ** e) + 4:.1f}" text-anchor="end">{_time(e)}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">nodes in the plan</text>')
    ends = []
    for (name, points), colour in zip(curves.items(), COLOURS * 2):
        line = " ".join(f"{px(x):.1f},{py(y):.1f}" for x, y in sorted(points))
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{px(x):.1f}" cy="{py(y):.1f}" r="3" fill="{colour}"/>' for x, y in points]
        ends.append((py(max(points)[1]), name, colour))
    for y, name, colour in _labels(ends):
        out.append(f'<text x="{WIDTH - RIGHT + 10}" y="{y + 4:.1f}" fill="{colour}">'
                   f"{xml.sax.saxutils.escape(name)}</text>")
    return "\n".join(out) + "\n</svg>\n"
