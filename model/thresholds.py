"""Thresholds that decide answers: typed in params.yaml, written into an artefact, read from there by name."""

from typing import Any, NamedTuple, TypeVar

Sections = TypeVar("Sections", bound=NamedTuple)


def read_thresholds(kind: type[Sections], sections: dict[str, dict[str, Any]]) -> Sections:
    """Return what a file says by section and name. Raises KeyError or TypeError for a name too many or too few."""
    return kind(**{name: kind.__annotations__[name](**section) for name, section in sections.items()})
