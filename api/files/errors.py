"""What is wrong with a file, in words; texts from outside are shortened before a message repeats them."""

from collections.abc import Iterable

LONGEST_NAME = 40  # characters of a foreign text that a message repeats
EXPECTED = "expected .mat, .csv, .txt, .wav, .npy, or text packed with gzip"


class UnreadableError(ValueError):
    """A file cannot be read: what came and what was expected, in words; field is "file" or "channel"."""

    def __init__(self, message: str, field: str = "file") -> None:
        super().__init__(message)
        self.field = field


def shown(text: str) -> str:
    """Return a text from outside as a message may repeat it: short, and printable."""
    text = "".join(letter if letter.isprintable() else "?" for letter in text[: LONGEST_NAME + 1])
    return text if len(text) <= LONGEST_NAME else f"{text[:LONGEST_NAME]}..."


def counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def listed(names: Iterable[str], most: int = 20) -> str:
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(shown, names[:most])) + more
