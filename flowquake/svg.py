"""The shapes that drawings are made of, as SVG."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

BLUE = ("#e6f0f9", "#5b7f9f")  # fill and stroke of an element
ORANGE = ("#fdebd3", "#c88a3d")  # of a source

# How wide a character is, at most sizes close enough, as a share of the font's size.
CHARACTER = 0.57


class Box(NamedTuple):
    """A place in a drawing, pixels; x and y are its middle."""

    x: float
    y: float
    width: float = 0.0
    height: float = 40.0

    @property
    def left(self) -> float:
        """The left edge."""
        return self.x - self.width / 2

    @property
    def right(self) -> float:
        """The right edge."""
        return self.x + self.width / 2

    @property
    def top(self) -> float:
        """The upper edge."""
        return self.y - self.height / 2

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.y + self.height / 2


def document(title: str, width: float, height: float, parts: Iterable[str]) -> str:
    """Put shapes on a white sheet."""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="Helvetica, Arial, sans-serif">',
        f"<title>{escape(title)}</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" '
        'markerHeight="8" orient="auto"><path d="M0 0.5 L8 4 L0 7.5 z" fill="#66788a"/>'
        "</marker></defs>",
        f'<rect width="{width:.0f}" height="{height:.0f}" rx="6" fill="#ffffff"/>',
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def node(
    box: Box, lines: Sequence[tuple[str, bool]], *, colours: tuple[str, str], tooltip: str
) -> str:
    """Draw a box with lines of text; those that say so are large."""
    fill, stroke = colours
    shape = (
        f"<g><title>{escape(tooltip)}</title>"
        f'<rect x="{box.left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.0f}" rx="8" fill="{fill}" stroke="{stroke}"/>'
    )
    # 18 from the first base line to the edge above, 15 between lines.
    baseline = box.y + 18 - (10 + 15 * len(lines)) / 2
    for number, (text, is_large) in enumerate(lines):
        size, ink = (13, "#1c2b39") if is_large else (10, "#5a6b7b")
        shape += (
            f'<text x="{box.x:.1f}" y="{baseline + 15 * number:.1f}" font-size="{size}" '
            f'text-anchor="middle" fill="{ink}">{escape(text)}</text>'
        )
    return shape + "</g>"


def curve(stops: Sequence[Box], *, tip: bool = True) -> str:
    """Draw a line from the right of the first box to the left of the last, through others."""
    x, y = stops[0].right, stops[0].y
    path = f"M{x:.1f} {y:.1f}"
    for stop in stops[1:]:
        is_last = stop is stops[-1]
        end = stop.left - (4 if is_last and tip else 0)
        half = (x + end) / 2
        path += f" C{half:.1f} {y:.1f} {half:.1f} {stop.y:.1f} {end:.1f} {stop.y:.1f}"
        if not is_last:
            path += f" L{stop.right:.1f} {stop.y:.1f}"
        x, y = stop.right, stop.y
    marker = ' marker-end="url(#tip)"' if tip else ""
    return f'<path d="{path}" fill="none" stroke="#8a9aa9"{marker}/>'


def label(x: float, y: float, text: str) -> str:
    """Write a small text across a line."""
    place = f'x="{x:.1f}" y="{y:.1f}" font-size="9.5" text-anchor="middle"'
    # Two texts: not every viewer can paint a stroke below its fill.
    return (
        f'<text {place} fill="none" stroke="#ffffff" stroke-width="3">{escape(text)}</text>\n'
        f'<text {place} fill="#44576a">{escape(text)}</text>'
    )


def frame(left: float, top: float, right: float, bottom: float, text: str) -> str:
    """Draw a frame around boxes, with a text in its upper left corner."""
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
        f'height="{bottom - top:.1f}" rx="10" fill="#f5f7f9" stroke="#c3ccd5" '
        f'stroke-dasharray="4 3"/><text x="{left + 10:.1f}" y="{top + 13:.1f}" '
        f'font-size="10" fill="#7a8794">{escape(text)}</text>'
    )
