"""What is generated in README and docs: tables of artefacts, settings, stages and endpoints."""

import ast
import csv
import re
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path

import yaml
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from api.api import app, metrics
from api.machine import opening
from api.scale_out.settings import ScaleSettings
from api.serving.keys import Keys, document_keys
from api.settings import Settings
from pipeline.trials.markdown import write_cell, write_machines, write_rigs, write_trust
from tests.tools.docs.pages import ROOT
from tests.tools.docs.sources import read_json, read_params

ASSETS = ROOT / "assets"
SHOWN = {"reference": "reference CNN", "wide_kernel": "window network, served", "recording": "recording diagnosis"}
METHODS = ("get", "post", "put", "delete")


def make() -> dict[str, str]:
    """Return {name: Markdown} of every block."""
    opening.include_routes(app)
    opening.make_metrics(metrics.registry)
    return {
        "bench": (ASSETS / "bench.md").read_text(),
        "bench-machines": "\n".join(
            (ASSETS / f"bench_machines_{count}.md").read_text() for count in (100_000, 1_000_000)
        ),
        "bench-others": (ASSETS / "bench_others.md").read_text(),
        "deployment": make_deployment(),
        "endpoints": make_endpoints(),
        "errors": make_errors(),
        "fields": make_fields(),
        "honesty": make_honesty(),
        "lives": make_lives(),
        "runs": make_runs(),
        "machines": write_machines(read_json("machine_trials.json")),
        "measurements": make_measurements(),
        "metrics": make_metrics(),
        "protocols": make_protocols(),
        "scores": make_scores(),
        "scale-settings": make_settings(ScaleSettings),
        "settings": make_settings(Settings),
        "rigs": write_rigs(read_json("rigs.json")),
        "stages": make_stages(),
        "stage-times": make_stage_times(),
        "table": (ASSETS / "protocols.md").read_text(),
        "trust": write_trust(read_json("rigs.json")),
    }


def write_table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *map(list, rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |".replace("|  ", "| ") for line in lines)


def write_list(values: Iterable, unit: str) -> str:
    *first, last = map(str, values)
    return f"{', '.join(first)} and {last} {unit}"


def make_lives() -> str:
    """Return one row a method: what its alarms are worth on simulated lives."""
    scores = read_json("lives.json")["simulated"]
    head = ("method", "false alarms", "false episodes", "lives with one", "valid at 5 %", "faults alarmed", "median at")
    rows = []
    for name, entry in scores["methods"].items():
        lives = f"{entry['lives_with_false_alarms']} of {scores['lives']}"
        counted = [f"{entry[each]} of {entry['runs']}" for each in ("valid_5", "warned")]
        alarms = [f"{entry[each]:,}" for each in ("false_alarms", "false_episodes")]
        rows.append((name, *alarms, lives, *counted, f"{entry['median_snr_at_the_alarm']:.1f} dB"))
    return write_table(head, rows)


def make_runs() -> str:
    """Return one row a method: what its alarms are worth on runs to failure and on a healthy beginning."""
    trials = read_json("lives.json")
    beginning = f"false alarms, IMS ({trials['beginning']['watched']})"
    head = ("method", "warned", "valid at 5 %", "valid at 10 %", "false episodes", "lead, mean", "median", beginning)
    rows = []
    for name, entry in trials["runs"].items():
        scores = entry["all"]
        counted = [f"{scores[each]} of {scores['runs']}" for each in ("warned", "valid_5", "valid_10")]
        leads = [f"{scores[f'{each}_lead_hours']:.2f} h" for each in ("mean", "median")]
        rows.append((name, *counted, str(scores["false_episodes"]), *leads, str(trials["beginning"]["alarms"][name])))
    return write_table(head, rows)


def protocols() -> dict[str, tuple[str, str, str]]:
    """Return {protocol: (what is held out, what must not be on both sides, what still is)}."""
    params = read_params()
    share = f"{100 * params['split']['holdout']:.0f} %"
    noise = write_list(params["lines"]["noise"], "dB")
    table = read_json("protocols.json")
    diameters = [name.removesuffix(" in") for name in table["bearing"]["recording"]["folds"]]
    ways = len(table["combinations"]["recording"]["folds"])
    rigs = table["rig"]["recording"]["folds"]
    return {
        "random": (f"{share} of the windows", "a window", "recording and bearing: the number that others publish"),
        "block": (f"the last {share} of every recording", "a sample", "recording and bearing"),
        "load": ("one motor load in four", "a recording", "bearing"),
        "noise": (f"as `block`, with white noise of {noise} added", "a sample", "recording and bearing"),
        "bearing": (
            f"all faults of one diameter; mean of {write_list(diameters[:-1], 'in')}",
            "a faulty bearing, a recording",
            "the healthy bearing: there is only one, another recording of it is held out",
        ),
        "combinations": (
            f"as `bearing`, the diameter drawn separately for each fault type: {ways} ways",
            "a faulty bearing, a recording",
            "the same",
        ),
        "transfer": (
            "ten classes (type and size), trained on one load and tried on another; *adapted* takes its batch-norm "
            "statistics from the unlabelled windows it is asked about",
            "a recording",
            "bearing",
        ),
        "rig": (
            f"other rigs ({', '.join(rigs)}), nothing of them trained, without a baseline: one of the four labels",
            "anything of that rig",
            "nothing",
        ),
        "machine": (
            f"simulated machines with clutter at {write_list(params['machine_trials']['speeds'], 'rpm')}, without a "
            "baseline",
            "a machine",
            "the simulator of strikes, and the ranges of bearings and faults",
        ),
    }


def make_protocols() -> str:
    head = ("protocol", "held out", "must not be on both sides", "still is on both sides")
    return write_table(head, ((f"`{name}`", *texts) for name, texts in protocols().items()))


def make_honesty() -> str:
    table = read_json("protocols.json")
    rows = [
        (f"`{name}`", held_out, leaks, *(write_cell(table[name].get(network)) for network in SHOWN))
        for name, (held_out, _, leaks) in protocols().items()
        if name != "transfer" and name in table
    ]
    return write_table(("protocol", "held out", "what leaks", *SHOWN.values()), rows)


def make_scores() -> str:
    rows = [
        (name, f"{sum(scores['windows'].values()):,}", *(f"{scores[each]:.4f}" for each in SCORES))
        for name, scores in zip(("served", "reference protocol"), read_json("metrics.json").values(), strict=True)
    ]
    return write_table(("", "windows held out", "accuracy", "balanced accuracy", "macro-F1"), rows)


SCORES = ("accuracy", "balanced_accuracy", "macro_f1")


def make_settings(kind: type[BaseSettings]) -> str:
    rows = [
        (f"`{name.upper()}`", write_default(name, field.default), f"{field.description}")
        for name, field in kind.model_fields.items()
    ]
    return write_table(("variable", "default", "meaning"), rows)


def write_default(name: str, default: object) -> str:
    if default is PydanticUndefined or name == "replicas_max":
        return "number of cores"
    if isinstance(default, Path):
        return f"`{default.relative_to(ROOT)}/`"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, (int, float)) and name != "port":
        return f"{default:,}"
    return str(default) if default else "none"


def make_endpoints() -> str:
    rows = []
    for path, operations in app.openapi()["paths"].items():
        for method in METHODS:
            if operation := operations.get(method):
                says = " ".join(operation.get("description", operation["summary"]).split("\n\n")[0].split())
                statuses = sorted(operation["responses"])
                rows.append((f"`{method.upper()} {path}`", says, ", ".join(statuses)))
    return write_table(("endpoint", "what it does", "statuses"), rows)


def make_errors() -> str:
    document = deepcopy(app.openapi())
    document_keys(document, Keys(["any"]))
    said: dict[str, list[str]] = {}
    for operations in document["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status != "200" and response["description"] not in said.setdefault(status, []):
                    said[status].append(response["description"])
    return write_table(("status", "says"), ((status, " / ".join(said[status])) for status in sorted(said)))


def make_fields() -> str:
    body = app.openapi()["paths"]["/diagnose/"]["post"]["requestBody"]["content"]["multipart/form-data"]
    fields = body["schema"]["properties"].items()
    return write_table(("field", "meaning"), ((f"`{name}`", field["description"]) for name, field in fields))


def make_metrics() -> str:
    rows = []
    for family in metrics.registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        rows.append((f"`{name}`", family.type, family.documentation))
    return write_table(("metric", "type", "meaning"), rows)


def make_stages() -> str:
    rows = []
    for name, stage in yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"].items():
        stage = stage.get("do", stage)
        module = stage["cmd"].split()[2].replace(".", "/")
        says = ast.get_docstring(ast.parse((ROOT / f"{module}.py").read_text())).split("\n\n")[0].rstrip(".")
        says = " ".join(says.removeprefix(f"Stage {name}: ").split())
        reads = [each for each in stage["deps"] if each.startswith(("data/", "assets/", "${"))]
        writes = [next(iter(each)) if isinstance(each, dict) else each for each in outputs(stage)]
        params = ", ".join(f"`{section}`" for section in stage.get("params", ()))
        rows.append((f"`{name}`", says, write_paths(reads), params, write_paths(writes)))
    return write_table(("stage", "what it does", "reads", "of params.yaml", "writes"), rows)


def make_stage_times() -> str:
    times = read_json("stages.json")
    parts = {"service": "`dvc repro service`", "rest": "`dvc repro`, the rest"}
    rows = []
    for part, command in parts.items():
        rows += [(f"`{stage}`", f"{seconds:.0f}") for stage, seconds in times[part].items()]
        rows.append((f"**{command}**", f"**{sum(times[part].values()):.0f}**"))
    return write_table(("stage", "s"), rows)


def outputs(stage: dict) -> list:
    return [*stage.get("outs", []), *stage.get("metrics", []), *stage.get("plots", [])]


def write_paths(paths: list[str]) -> str:
    """Return paths of dvc.yaml, with the values of params.yaml that they name."""
    params = read_params()
    named = re.compile(r"\$\{(\w+)\.(\w+)\}")
    return ", ".join(f"`{named.sub(lambda found: params[found[1]][found[2]], path)}`" for path in paths)


def make_deployment() -> str:
    with (ASSETS / "deployment.csv").open() as file:
        rows = [(row["records"], row["execution"], row["delivery"]) for row in csv.DictReader(file)]
    return write_table(("N", "execution", "delivery"), rows)


def make_measurements() -> str:
    rows = [
        (each["what"], f"{each['value']:,} {each['unit']}", each["how"], each["date"])
        for each in read_json("measurements.json").values()
    ]
    return write_table(("what", "value", "how it was measured", "when"), rows)
