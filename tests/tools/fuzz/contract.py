"""The OpenAPI document against the service, with schemathesis."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.tools.fuzz.cases import SEED
from tests.tools.soak.service import serving

BY_CONTRACT = """
generation.database = "none"

# What is allowed by its form may still have no answer: a constant record, a picture as a recording, noise as a tensor,
# a text that is no bearing, a past that ends before it begins.
[[operations]]
include-name = ["POST /batch_predict/", "POST /diagnose/", "POST /v2/models/bearing/infer",
  "POST /machines/{machine}/points/{point}/recordings", "PUT /machines/{machine}/points/{point}",
  "POST /machines/{machine}/points/{point}/baseline"]
checks.positive_data_acceptance.enabled = false

# Starlette's answer to another method names the methods of one route, not of all that share a path.
[[operations]]
include-path-regex = "^/machines"
checks.allow_header_conformance.enabled = false

# The protocol answers whatever is not served, methods too, with a 404 in its own form.
[[operations]]
include-path-regex = "^/v2"
checks.unsupported_method.enabled = false
"""


def run_schemathesis(most_examples: int, timeout: float = 1.0) -> tuple[int, str]:
    """Return how many examples were tried with all checks, and what failed, if anything did.

    most_examples is for one operation; those without parameters and bodies have a few alone.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(DATABASE_URL=f"sqlite:///{folder}/machines.sqlite") as service,
    ):
        config = Path(folder) / "schemathesis.toml"
        config.write_text(BY_CONTRACT)
        url = f"http://127.0.0.1:{service.port}/openapi.json"
        command = [Path(sys.executable).parent / "schemathesis", "--config-file", config, "run", url]
        options = ["--max-examples", str(most_examples), "--seed", str(SEED + 1), "--max-response-time", str(timeout)]
        options += ["--continue-on-failure", "--no-color"]
        result = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True)
    tried = re.search(r"(\d+) generated", result.stdout)
    lines = [line[:300] for line in (result.stdout + result.stderr).splitlines()]
    return int(tried[1]) if tried else 0, "\n".join(lines) if result.returncode else ""
