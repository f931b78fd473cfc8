"""README, CONTRIBUTING and docs: generated blocks and numbers are as their sources say, and what is named is there."""

import importlib.util
import json
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from api.settings import Settings
from tests.conftest import ROOT
from tests.tools.docs import blocks, figures, pages
from tests.tools.docs.pages import Figure

PAGES = pages.pages()
NOTEBOOKS = [path.relative_to(ROOT).as_posix() for path in sorted((ROOT / "docs").glob("*.ipynb"))]
CODE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"|<(https?://[^>]+)>")
SUFFIXES = "py|md|csv|json|yaml|cpp|css|html|in|ipynb|js|png|sql|txt"
NAMED = re.compile(rf"`((?:[\w.-]+/)+(?:[\w.-]+\.(?:{SUFFIXES}))?|[\w-]+\.yaml|Makefile)`")
MADE = ("build/", "data/recordings", "data/windows", "data/scaled", "data/split", "data/trained", "data/holdout")
ENDPOINTS = ("v2/", "machines/")


@pytest.fixture(scope="module")
def made():
    return blocks.make()


def prose_of(notebook: str) -> str:
    cells = json.loads(pages.read(notebook))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def without_code(text: str) -> str:
    return CODE.sub("", text)


@pytest.mark.parametrize("page", PAGES)
def test_generated_blocks_are_as_they_would_be_made_now(page, made):
    text = pages.read(page)
    assert text.count("<!-- generated: ") == text.count("<!-- /generated -->") == len(pages.BLOCK.findall(text))
    assert pages.fill(text, made) == text, "run python -m tests.tools.docs"


def test_the_times_of_stages_are_those_of_stages_that_are_there():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    times = json.loads((ROOT / "assets" / "stages.json").read_text())
    told = {name.split("@")[0] for part in ("service", "rest") for name in times[part]}
    skipped = {"export", "examples"}  # the last run had a dvc.lock, and what they make comes with the repository
    assert told == set(stages) - skipped


def test_every_block_is_on_a_page(made):
    placed = {name for page in PAGES for _, name, _, _ in pages.BLOCK.findall(pages.read(page))}
    assert placed == set(made)


@pytest.mark.parametrize("figure", figures.FIGURES, ids=lambda figure: f"{figure.page}: {figure.passage[:40]}")
def test_a_number_is_what_its_source_says(figure):
    text = pages.read(figure.page)
    assert pages.put_in(text, figure) == text, "run python -m tests.tools.docs"


@pytest.mark.parametrize("page", PAGES)
def test_every_number_in_prose_has_a_source(page):
    unbound = pages.unbound(pages.read(page), figures.of(page), figures.FACTS.get(page, ()))
    assert list(unbound) == []


@pytest.mark.parametrize("page", NOTEBOOKS)
def test_a_notebooks_prose_leaves_the_numbers_to_its_code(page):
    assert list(pages.unbound(prose_of(page), [], figures.FACTS.get(page, ()))) == []


def test_figures_and_facts_are_of_pages_that_are_there():
    assert set(figures.PASSAGES) <= set(PAGES)
    assert set(figures.FACTS) <= {*PAGES, *NOTEBOOKS}
    for page, facts in figures.FACTS.items():
        text = prose_of(page) if page in NOTEBOOKS else pages.read(page)
        for fact in facts:
            assert Figure(page, fact, []).pattern.search(text), f"{page} no longer says {fact!r}"


def test_a_number_without_a_source_is_found():
    text = "It takes 7 ms.\n\n```sh\nmake 8\n```\n<!-- generated: a -->\n9\n<!-- /generated -->\n1. `10` or 11 s\n"
    figure = Figure("", "takes {} ms", ["7"])
    assert len(list(pages.unbound(text, [], []))) == 2
    [found] = pages.unbound(text, [figure], [])
    assert found.endswith("11 s")
    assert list(pages.unbound(text, [figure], ["or 11 s"])) == []


def test_a_number_that_differs_is_mended_and_a_lost_passage_is_an_error():
    figure = Figure("page", "takes {} ms and {} MB", ["1.5", "2,000"])
    assert pages.put_in("It takes 1.4 ms\nand 1,999 MB.", figure) == "It takes 1.5 ms\nand 2,000 MB."
    with pytest.raises(ValueError, match="no such passage"):
        pages.put_in("It takes long.", figure)


def test_the_readme_is_one_page():
    assert len(pages.read("README.md").splitlines()) <= 150


def test_every_setting_has_a_description_in_the_table():
    table = pages.read("docs/service.md")
    for name, field in Settings.model_fields.items():
        assert f"| `{name.upper()}` |" in table
        assert field.description, name


def test_the_pipeline_page_has_the_stages_of_dvc_and_no_other():
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    rows = re.findall(r"^\| `(\w+)` \| (?!\d)", pages.read("docs/pipeline.md"), re.MULTILINE)  # not those of times
    assert rows == list(stages)


# --- What is named -------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", without_code(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: str) -> list[str]:
    text = re.sub(r"`[^`\n]+`", "", without_code(pages.read(page)))
    return [next(filter(None, groups)) for groups in LINK.findall(text)]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for link in links(page):
        parts = urlsplit(link)
        if parts.scheme:
            assert parts.scheme in ("http", "https"), link
            assert re.fullmatch(r"[a-z0-9.-]+(:\d+)?", parts.netloc), link
            continue
        target = ((ROOT / page).parent / parts.path).resolve() if parts.path else ROOT / page
        assert target.exists(), f"{page}: {link}"
        assert target.is_relative_to(ROOT)
        if parts.fragment:
            assert parts.fragment in anchors(target), f"{page}: {link}"


def test_every_page_and_notebook_is_linked_from_the_readme():
    assert {*PAGES, *NOTEBOOKS} - {"README.md"} <= set(links("README.md"))


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_are_there(page):
    for name in NAMED.findall(without_code(pages.read(page))):
        if not name.startswith((*MADE, *ENDPOINTS)):
            assert (ROOT / name).exists(), f"{page}: {name}"


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_are_named_are_there(page):
    text = pages.read(page)
    targets = re.findall(r"^([\w./-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for target in re.findall(r"(?:`|^ *)make ([\w./-]+)", text, re.MULTILINE):
        assert target in targets, f"{page}: make {target}"
    for module in re.findall(r"python -m ([\w.]+)", text):
        assert importlib.util.find_spec(module.rstrip(".")), f"{page}: python -m {module}"
    for script in re.findall(r"python ((?:\w+/)*\w+\.py)", text):
        assert (ROOT / script).is_file(), f"{page}: {script}"


def test_the_picture_of_imports_names_packages():
    names = re.findall(r'class="name">([\w.]+)<', (ROOT / "docs" / "architecture.svg").read_text())
    for name in names:
        path = ROOT / (name if "." in name else f"api.{name}").replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file(), name
    assert {"model.bearings", "model.recording", "model.window", "serving", "files"} <= set(names)


def test_the_tree_names_what_is_there():
    """Every entry of the root but dotted files, and nothing that is not there."""
    tree = next(body for language, body in CODE.findall(pages.read("README.md")) if not language)
    names = {line.split()[0].rstrip("/") for line in tree.splitlines()}
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    entries = {name.split("/")[0] for name in listing.splitlines()}
    entries = {name for name in entries if not name.startswith(".") and not name.endswith(".md")}
    assert all(any(entry.startswith(name) for entry in entries) for name in names)
    assert [entry for entry in sorted(entries) if entry not in tree and not entry.startswith("requirements")] == []
