"""What strangers may send: raw sockets, schemathesis and atheris against the service, `python -m tests.tools.fuzz`.

No input may get a 5xx, hold an answer up for more than a second, or end the service or a parser but in words.
"""

import argparse
import contextlib
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

SEED = 0
PATIENCE = 1.0  # s
STATUS = re.compile(rb"^HTTP/1\.1 (\d{3}) ", re.MULTILINE)
SENDERS = 4
PATHS = (
    b"/", b"/batch_predict/", b"/diagnose/", b"/model/", b"/metrics", b"/health/live", b"/health/ready", b"/v2",
    b"/docs",
    b"/v2/models/bearing", b"/v2/models/bearing/infer", b"/examples/ball.wav", b"/examples/../../api/api.py",
    b"/nothing",
    b"/openapi.json", b"//", b"/%00", b"/%ff%fe", b"/\xff", b"*", b"http://here/model/", b"/batch_predict",
    b"/?" + b"a" * 9000,
)  # fmt: skip
METHODS = (
    b"GET",
    b"POST",
    b"POST",
    b"POST",
    b"PUT",
    b"HEAD",
    b"OPTIONS",
    b"DELETE",
    b"TRACE",
    b"CONNECT",
    b"get",
    b"PRI",
    b"",
)
TYPES = (
    b"application/json", b"application/x-npy", b"application/octet-stream", b"multipart/form-data; boundary=edge",
    b"multipart/form-data", b"multipart/form-data; boundary=" + b"x" * 300, b"text/plain", b"", b"\xff\xfe", b";;;",
)  # fmt: skip
BODIES = (
    b"", b"[]", b"{}", b"[{}]", b'[{"record":[1,2]}]', b'[{"record":[NaN]}]', b"[" * 3000, b'{"inputs":[]}', b"null",
    b"\x93NUMPY",
    b"\x93NUMPY\x01\x00\x10\x00{'descr': '<f4'}", b"--edge\r\n\r\n--edge--", b"\0" * 500, b'[{"record":[1e999]}]',
    b'"\\ud800"',
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n1\n2\n\r\n--edge--\r\n',
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.mat"\r\n\r\nMATLAB 5.0\r\n--edge--\r\n',
    b'--edge\r\nContent-Disposition: form-data; name="file"\r\nContent-Type: \xff\r\n\r\n\r\n--edge--\r\n',
)  # fmt: skip
TRICKS = (
    b"Content-Length: 5", b"Content-Length: -1", b"Content-Length: 99999999999999999999", b"Content-Length: 1e3",
    b"Content-Length:",
    b"Content-Length: 0x10", b"Transfer-Encoding: chunked", b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: identity",
    b"Expect: 100-continue", b"Expect: 200-ok", b"Connection: close", b"Connection: Upgrade\r\nUpgrade: websocket",
    b"Upgrade: h2c",
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: eA==\r\nSec-WebSocket-Version: 13",
    b"Host: \xff", b"X: \0",
    b"Content-Encoding: gzip", b"Inference-Header-Content-Length: 3", b"Inference-Header-Content-Length: \xb2",
    b"X-Request-Id: \r\n\tx",
    b"X-Request-Id: " + b"r" * 65, b"traceparent: 00-0-0-0", b"Range: bytes=5-1", b"Range: bytes=0-0,0-0,-1",
    b"Range: bytes=" + b"0-1," * 500,
    b"If-Range: x", b"If-Modified-Since: \xff", b"Origin: null", b"X: " + b"y" * 70_000,
    b"Authorization: Bearer \xff", b" folded: line", b"nothing",
)  # fmt: skip


class Case(NamedTuple):
    sent: bytes
    is_whole: bool = False  # one whole request: an answer is due, whether or not more is sent


# --- raw sockets


def make_case(number: int) -> Case:
    """Return the case of this number, the same in every run."""
    choice = random.Random(SEED * 1_000_003 + number)
    return choice.choice((noise, whole, whole, mutated, mutated, tricked, tricked, chunked, lying, pipelined))(choice)


def write_request(choice: random.Random, body: bytes, headers: list[bytes]) -> bytes:
    line = b"%b %b HTTP/%b" % (
        choice.choice(METHODS),
        choice.choice(PATHS),
        choice.choice((b"1.1", b"1.1", b"1.1", b"1.0", b"9")),
    )
    return b"\r\n".join([line, b"Host: here", *headers, b"", b""]) + body


def write_valid(choice: random.Random) -> bytes:
    body = choice.choice(BODIES)
    path = choice.choice((b"/batch_predict/", b"/diagnose/", b"/v2/models/bearing/infer"))
    head = b"POST %b HTTP/1.1\r\nHost: here\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
    return head % (path, choice.choice(TYPES), len(body)) + body


def noise(choice: random.Random) -> Case:
    return Case(choice.randbytes(choice.choice((1, 10, 100, 5_000, 70_000))))


def whole(choice: random.Random) -> Case:
    return Case(write_valid(choice), is_whole=True)


def mutated(choice: random.Random) -> Case:
    """Return a valid request with bytes changed, left out, doubled or inserted."""
    sent = bytearray(write_valid(choice))
    for _ in range(choice.randint(1, 8)):
        place, size = choice.randrange(len(sent) + 1), choice.randint(0, 8)
        sent[place : place + size] = choice.choice(
            (b"", choice.randbytes(size), bytes(sent[place : place + size]) * 2, b"\r\n", b"\0")
        )
    return Case(bytes(sent))


def tricked(choice: random.Random) -> Case:
    headers = [*choice.sample(TRICKS, choice.randint(1, 4)), b"Content-Type: " + choice.choice(TYPES)]
    return Case(write_request(choice, choice.choice(BODIES), choice.sample(headers, len(headers))))


def chunked(choice: random.Random) -> Case:
    """Return a body in chunks, some with wrong sizes, extensions and trailers."""
    body = choice.choice(BODIES)
    size = choice.choice(
        (
            b"%x" % len(body),
            b"%X;name=value" % len(body),
            b"-1",
            b"ffffffffffffffff1",
            b"g",
            b"",
            b"%x" % (len(body) + 3),
        )
    )
    end = choice.choice((b"0\r\n\r\n", b"0\r\nTrailer: x\r\n\r\n", b"", b"0\r\n", b"00000\r\n\r\n"))
    headers = [b"Transfer-Encoding: chunked", b"Content-Type: " + choice.choice(TYPES)]
    return Case(write_request(choice, size + b"\r\n" + body + b"\r\n" + end, headers))


def lying(choice: random.Random) -> Case:
    body = choice.choice(BODIES)
    length = max(len(body) + choice.choice((-2, 1, 1_000, 10**8, 10**12)), 0)
    return Case(write_request(choice, body, [b"Content-Length: %d" % length, b"Content-Type: " + choice.choice(TYPES)]))


def pipelined(choice: random.Random) -> Case:
    return Case(b"".join(write_valid(choice) for _ in range(choice.randint(2, 20))), is_whole=True)


def try_case(port: int, case: Case) -> str:
    """Send a case, and return what is wrong with what came back, if anything is."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before its end: let us see how
                connection.sendall(case.sent)
            came = receive(connection, PATIENCE if case.is_whole else 0.02)
            if case.is_whole and not came:
                return "no answer to a whole request"
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
            came += drain(connection)
        except TimeoutError:
            return f"neither answered nor closed within {PATIENCE:g} s"
    statuses = [int(status) for status in STATUS.findall(came)]
    return f"answered {statuses}" if any(status >= 500 for status in statuses) else ""


def receive(connection: socket.socket, seconds: float) -> bytes:
    """Return the first bytes that come, or none where nothing comes in time."""
    connection.settimeout(seconds)
    try:
        return connection.recv(1_000_000)
    except TimeoutError:
        return b""
    except ConnectionResetError:
        return b"closed"


def drain(connection: socket.socket) -> bytes:
    """Return what comes until the service closes. Raises TimeoutError where it does not."""
    connection.settimeout(PATIENCE)
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(1_000_000):
            parts.append(part)
    return b"".join(parts)


def fuzz_sockets(cases: int) -> list[str]:
    """Return what was wrong: the cases' numbers, or the service's own end or exceptions."""
    from tests.tools.soak import is_ready, serving

    with serving() as service, ThreadPoolExecutor(SENDERS) as senders:
        found = senders.map(lambda number: try_case(service.port, make_case(number)), range(cases))
        wrong = [
            f"case {number}: {text}: {make_case(number).sent[:200]!r}" for number, text in enumerate(found) if text
        ]
        if service.process.poll() is not None or not is_ready(service.port):
            wrong.append("the service does not live any more")
        log = service.log.read_text(errors="replace")
    return wrong + find_exceptions(log)


def find_exceptions(log: str) -> list[str]:
    """Return the exceptions that the service did not expect, but one.

    Where a sender leaves whose requests were pipelined, uvicorn tells the last of them alone, and writes the answer to
    another into a closed transport: nobody is there to read it, and the log gets a traceback.
    """
    found = []
    for entry in log.split("ERROR:")[1:]:
        names = re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception|Interrupt)\b.*", entry, re.MULTILINE)
        if "Traceback" in entry and "the handler is closed" not in (names or [""])[-1]:
            found.append(f"the log holds an exception: {entry[:300]} ... {entry[-1500:]}")
    return found


# --- schemathesis


BY_CONTRACT = """
generation.database = "none"

# What is allowed by its form may still have no answer: a constant record, a picture as a recording, noise as a tensor.
[[operations]]
include-name = ["POST /batch_predict/", "POST /diagnose/", "POST /v2/models/bearing/infer"]
checks.positive_data_acceptance.enabled = false

# The protocol's words for whatever is not served, methods too, are a 404 in its own form.
[[operations]]
include-path-regex = "^/v2"
checks.unsupported_method.enabled = false
"""


def run_schemathesis(most_examples: int) -> tuple[int, str]:
    """Return how many examples were tried with all checks, and what failed, if anything did.

    most_examples is for one operation; those without parameters and bodies have a few alone.
    """
    from tests.tools.soak import serving

    with serving() as service, tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "schemathesis.toml"
        config.write_text(BY_CONTRACT)
        url = f"http://127.0.0.1:{service.port}/openapi.json"
        command = [Path(sys.executable).parent / "schemathesis", "--config-file", config, "run", url]
        options = ["--max-examples", str(most_examples), "--seed", str(SEED + 1), "--max-response-time", str(PATIENCE)]
        options += ["--continue-on-failure", "--no-color"]
        result = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True)
    tried = re.search(r"(\d+) generated", result.stdout)
    lines = [line[:300] for line in (result.stdout + result.stderr).splitlines()]
    return int(tried[1]) if tried else 0, "\n".join(lines) if result.returncode else ""


# --- atheris


class Target(NamedTuple):
    """A parser: what makes a function that takes bytes and lets only undocumented exceptions through, and its seeds."""

    make: Callable[[], Callable[[bytes], None]]
    seeds: list[bytes]


LENGTH = 4  # samples of a record here: a fuzzer does not find 2,048 numbers
MOST = 2_000  # records


def fuzz_json() -> Callable[[bytes], None]:
    """The compiled reader takes nothing that the validating one refuses, and reads the same numbers."""
    from api.window.mistakes import InvalidRecordsError
    from api.window.reader import RecordReader

    reader = RecordReader(LENGTH, MOST)

    def read(body: bytes) -> None:
        reader.are_few_json(body)
        plain = reader.read_plain(body)
        try:
            records = reader.validate(body)
        except InvalidRecordsError:
            assert plain is None, "the compiled reader took what the validating one refuses"
            return
        assert plain is None or np.array_equal(plain, records), "the readers read other numbers"

    return read


def fuzz_npy() -> Callable[[bytes], None]:
    from api.window.checks import check, have_answers
    from api.window.mistakes import InvalidRecordsError
    from api.window.reader import RecordReader

    reader = RecordReader(LENGTH, MOST)

    def read(body: bytes) -> None:
        with contextlib.suppress(InvalidRecordsError), np.errstate(all="ignore"):
            records = reader.read_npy(body)
            assert records.shape[1] == LENGTH
            assert records.dtype == np.float32
            if not have_answers(records, 1e-5):
                check(records, 1e-5)

    return read


def fuzz_text() -> Callable[[bytes], None]:
    from api.files.errors import UnreadableError
    from api.files.limits import NO_LIMITS
    from api.files.text import read_text

    def read(content: bytes) -> None:
        with contextlib.suppress(UnreadableError, UnicodeDecodeError), np.errstate(all="ignore"):
            assert np.isfinite(read_text(content, "", NO_LIMITS).signal).all()

    return read


def fuzz_recording() -> Callable[[bytes], None]:
    from api.files import formats
    from api.files.errors import UnreadableError
    from api.files.limits import Limits

    limits = Limits(samples=2_000_000, unpacked=64_000_000)

    def read(content: bytes) -> None:
        with contextlib.suppress(UnreadableError):
            assert np.isfinite(formats.read(content, "recording", "", limits).signal).all()

    return read


def fuzz_bearing() -> Callable[[bytes], None]:
    from api.recording.fields import parse_bearing

    def read(content: bytes) -> None:
        with contextlib.suppress(ValueError):
            assert all(np.isfinite(parse_bearing(content.decode("utf-8", "replace")[:500]).orders))

    return read


def fuzz_infer() -> Callable[[bytes], None]:
    from api.serving.metrics import Metrics
    from api.window.drift import Drift
    from api.window.inference import Inference
    from api.window.mistakes import InvalidRecordsError, TooManyRecordsError
    from api.window.open_inference import answer_body

    metrics = Metrics()
    predictor = SimpleNamespace(window_length=LENGTH, least_variation=1e-5, classes=["a", "b"])
    predictor.predict = lambda records: np.full((len(records), 2), 0.5, np.float32)

    inference = Inference(predictor, metrics, Drift(metrics.registry))

    def answer(content: bytes) -> None:
        """The first byte says how long the header says that the JSON is."""
        lengths = (None, str(len(content) - 1 - 4 * LENGTH), "", "-1", str(content[:1]))
        with contextlib.suppress(InvalidRecordsError, TooManyRecordsError):
            answer_body(content[1:], lengths[min(content[0], 4)] if content else None, inference, 0.0)

    return answer


def numpy_seeds(shape: tuple[int, ...]) -> list[bytes]:
    from tests.tools.soak import write_npy

    samples = np.random.default_rng(SEED).standard_normal(shape)
    return [write_npy(samples.astype(dtype)) for dtype in ("<f4", "<f8", "<i2")]


def wav_seeds() -> list[bytes]:
    fmt = b"fmt \x10\0\0\0\1\0\1\0\xe0\x2e\0\0\xc0\x5d\0\0\2\0\x10\0"
    data = b"data\x10\0\0\0" + bytes(range(16))
    return [b"RIFF\x34\0\0\0WAVE" + fmt + data, b"RIFF\xff\xff\xff\xffWAVE" + fmt + b"data\xff\xff\xff\xff" + bytes(20)]


TEXTS = [
    b"time,DE\n" + b"".join(b"%.5f,%.3f\n" % (row / 12_000, row % 7 - 3.5) for row in range(40)),
    b"# fs = 12000 Hz\n# rpm: 1797\n" + b"1.5e-3\n-2.25\n" * 20,
    b'"a";"b"\r\n(g);(g)\r\n' + b"1,5;-0,25\r\n" * 20,
    b"1 2\t3\n4 5 6\n",
    "Zeit [s]\tBeschl. [m/s²]\n0\t1\n1\t-1\n".encode("utf-16"),
]
INFER_JSON = b'{"inputs":[{"name":"records","shape":[1,4],"datatype":"FP32",'
INFER = [
    b"\0" + INFER_JSON + b'"data":[[1,2.5,-3,4e0]]}]}',
    b"\1" + INFER_JSON + b'"parameters":{"binary_data_size":16}}],"outputs":[{"name":"label"}]}' + bytes(range(16)),
]
TARGETS = {
    "json": Target(
        fuzz_json,
        [b'[{"record":[1,2.5,-3e-2,4E+3]},{"record": [0, -0.0, 1e38, 5]}]', b'[{"a":"","record":[1,2,3,4]}]'],
    ),
    "npy": Target(fuzz_npy, []),
    "text": Target(fuzz_text, TEXTS),
    "recording": Target(fuzz_recording, TEXTS),
    "bearing": Target(
        fuzz_bearing,
        [b"6205-2RS", b"9, 7.94, 39.04, 0", b'{"rolling_elements": 9, "pitch_diameter": 39.04}', b"9;7,94;39,04"],
    ),
    "infer": Target(fuzz_infer, INFER),
}


def seeds_of(name: str) -> list[bytes]:
    more = {"npy": lambda: numpy_seeds((2, LENGTH)), "recording": lambda: [*numpy_seeds((50,)), *wav_seeds()]}
    return TARGETS[name].seeds + more.get(name, list)()


def fuzz_parser(name: str, seconds: int) -> tuple[int, str]:
    """Fuzz one parser in a process of its own; return how many inputs were tried, and what was found."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(seeds_of(name)):
            (corpus / str(number)).write_bytes(seed)
        options = [
            f"-max_total_time={seconds}",
            f"-seed={SEED + 1}",
            "-timeout=1",
            "-rss_limit_mb=2048",
            "-max_len=4096",
        ]
        command = [sys.executable, "-m", "tests.tools.fuzz", "--parser", name, str(corpus), *options]
        result = subprocess.run(
            [*command, f"-artifact_prefix={folder}/"], cwd=Path(__file__).resolve().parent.parent.parent,
            capture_output=True, text=True, errors="replace",
        )  # fmt: skip
        culprits = [path.read_bytes()[:500] for path in Path(folder).iterdir() if path.is_file()]
    tried = re.findall(r"^#(\d+)|Done (\d+) runs", result.stderr, re.MULTILINE)
    found = "" if result.returncode == 0 else f"{culprits}\n{result.stdout[-2000:]}{result.stderr[-3000:]}"
    return max(map(int, filter(None, chain.from_iterable(tried))), default=0), found


def become_fuzzer(name: str, options: list[str]) -> None:
    """Hand this process to atheris, which does not return."""
    import atheris

    with atheris.instrument_imports(include=["api", "fast_records"]):
        read = TARGETS[name].make()
    atheris.Setup([sys.argv[0], *options], read)
    atheris.Fuzz()


def main() -> None:
    if sys.argv[1:2] == ["--parser"]:
        become_fuzzer(sys.argv[2], sys.argv[3:])
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=10_000, help="over raw sockets")
    parser.add_argument("--examples", type=int, default=700, help="of schemathesis for each operation with a body")
    parser.add_argument("--seconds", type=int, default=600, help="of atheris for each parser")
    options = parser.parse_args()
    begin = time.perf_counter()
    wrong = fuzz_sockets(options.cases)
    print(
        f"{options.cases:,} raw cases in {time.perf_counter() - begin:.0f} s, wrong: {len(wrong)}",
        *wrong,
        sep="\n",
        flush=True,
    )
    tried, failed = run_schemathesis(options.examples)
    print(f"{tried:,} examples of schemathesis, {failed or 'none failed'}", flush=True)
    found = {name: fuzz_parser(name, options.seconds) for name in TARGETS}
    for name, (inputs, text) in found.items():
        print(f"{inputs:,} inputs for {name}, {text or 'nothing found'}", flush=True)
    sys.exit(1 if wrong or failed or any(text for _, text in found.values()) else 0)


if __name__ == "__main__":
    main()
