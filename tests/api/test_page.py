"""What the files of the page say, compared with where it comes from; tests/system/page opens them in a browser."""

import re

import yaml

from tests.conftest import ROOT

PAGE = ROOT / "api" / "page"


def test_the_mark_of_the_unknown_is_where_the_decision_draws_the_line():
    mark = re.search(r"NAMELESS = (\d+);", (PAGE / "answer.js").read_text())
    decision = yaml.safe_load((ROOT / "params.yaml").read_text())["thresholds"]["decision"]
    assert int(mark[1]) == round(100 * (1 - decision["least_familiarity"]))


def test_every_module_imports_modules_that_are_there_and_names_that_they_export():
    modules = {path: path.read_text() for path in PAGE.rglob("*.js") if not path.name.endswith(".min.js")}
    exports = {
        path: set(re.findall(r"^export (?:async )?(?:function|const|let) (\w+)", text, re.MULTILINE))
        for path, text in modules.items()
    }
    imports = [
        (path, (path.parent / source).resolve(), imported.split(" as ")[0].strip())
        for path, text in modules.items()
        for names, source in re.findall(r'^import \{([^}]*)\} from "(\.\.?/[^"]+)";', text, re.MULTILINE)
        for imported in names.split(",")
    ]
    assert len(imports) > 40
    assert [each for each in imports if each[2] not in exports[each[1]]] == []
