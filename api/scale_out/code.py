"""The code that the machines of a Ray cluster get."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LEFT_OUT = [".?*", "/data/*", "!/data/bearings.csv", "/docs", "/tests", "/pipeline", "/build", "__pycache__"]
RUNTIME_ENV = {"working_dir": str(ROOT), "excludes": LEFT_OUT}  # Ray also leaves out what .gitignore names
