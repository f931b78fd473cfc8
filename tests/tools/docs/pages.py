"""The pages of the documentation: their generated blocks, their prose, and the numbers in it."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[3]
BLOCK = re.compile(r"(<!-- generated: ([\w-]+) -->\n)(.*?)(<!-- /generated -->)", re.DOTALL)
NUMBER = re.compile(r"(?<![\w.-])-?\d(?:[\d,.]*\d)?")
NO_PROSE = (
    BLOCK,
    re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE),  # code
    re.compile(r"`[^`\n]+`"),
    re.compile(r"<[^>]+>"),  # HTML and addresses
    re.compile(r"(?<=\])\([^)]*\)"),  # where a link leads
    re.compile(r"^[#\s]*\d+\. ", re.MULTILINE),  # the number of an item or a heading
)


class Figure(NamedTuple):
    """A passage of a page in which every {} stands for a value, written as the page writes it."""

    page: str
    passage: str
    values: list[str]

    @property
    def pattern(self) -> re.Pattern:
        parts = [r"\s+".join(map(re.escape, re.split(r"\s+", part))) for part in self.passage.split("{}")]
        return re.compile(r"(-?\d(?:[\d,.]*\d)?)".join(parts))


def pages() -> list[str]:
    """Return the paths of all pages, from the root."""
    return ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]


def read(page: str) -> str:
    return (ROOT / page).read_text()


def fill(text: str, blocks: dict[str, str]) -> str:
    """Return a page's text with every generated block as it is now. Raises KeyError for a block that nobody makes."""
    return BLOCK.sub(lambda found: f"{found[1]}{blocks[found[2]].strip()}\n{found[4]}", text)


def put_in(text: str, figure: Figure) -> str:
    """Return a page's text with the figure's values in it."""
    found = figure.pattern.search(text)
    if not found:
        raise ValueError(f"{figure.page} has no such passage: {figure.passage}")
    for number in reversed(range(len(figure.values))):
        start, end = found.span(number + 1)
        text = text[:start] + figure.values[number] + text[end:]
    return text


def unbound(text: str, figures: list[Figure], facts: Iterable[str]) -> Iterator[str]:
    """Yield every number of a page's prose that neither a figure nor a fact accounts for, with the words around it."""
    taken = [found.span() for pattern in NO_PROSE for found in pattern.finditer(text)]
    for figure in [*figures, *(Figure("", fact, []) for fact in facts)]:
        for found in figure.pattern.finditer(text):
            taken += [found.span(group + 1) for group in range(len(figure.values))] or [found.span()]
    for found in NUMBER.finditer(text):
        if not any(start <= found.start() and found.end() <= end for start, end in taken):
            yield " ".join(text[max(0, found.start() - 40) : found.end() + 25].split())
