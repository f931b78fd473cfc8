"""The parsers of what clients send, each as a function of bytes that lets only undocumented exceptions through.

Everything of the project is imported where it is needed: atheris sees the branches of what is imported after it alone.
"""

import contextlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from tests.tools.fuzz.cases import SEED
from tests.tools.fuzz.plants import write_plants


class Target(NamedTuple):
    """A parser: what makes a function that takes bytes and lets only undocumented exceptions through, and its seeds."""

    make: Callable[[], Callable[[bytes], None]]
    seeds: list[bytes]


LENGTH = 4  # samples of a record here: a fuzzer does not find 2,048 numbers


def fuzz_json() -> Callable[[bytes], None]:
    """The compiled reader takes nothing that the validating one refuses, and reads the same numbers."""
    from api.settings import settings
    from api.window.mistakes import InvalidRecordsError
    from api.window.reader import RecordReader

    reader = RecordReader(LENGTH, settings.max_records)

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
    from api.settings import settings
    from api.window.checks import check, have_answers
    from api.window.mistakes import InvalidRecordsError
    from api.window.reader import RecordReader

    reader = RecordReader(LENGTH, settings.max_records)

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
            (recording,) = read_text(content, "", NO_LIMITS).values()
            assert np.isfinite(recording.signal).all()

    return read


def fuzz_recording() -> Callable[[bytes], None]:
    from api.files import formats
    from api.files.errors import UnreadableError
    from api.files.limits import MAX_CHANNELS, Limits

    limits = Limits(samples=2_000_000, unpacked=64_000_000, channels=MAX_CHANNELS)

    def read(content: bytes) -> None:
        with contextlib.suppress(UnreadableError, MemoryError):
            found = formats.read_channels(content, "recording", None, limits)
            usable = [each for each in found.values() if not isinstance(each, UnreadableError)]
            assert all(np.isfinite(each.signal).all() for each in usable)

    return read


def fuzz_bearing() -> Callable[[bytes], None]:
    from api.recording.fields import parse_bearing
    from model.sizes import Estimate

    def read(content: bytes) -> None:
        with contextlib.suppress(ValueError):
            found = parse_bearing(content.decode("utf-8", "replace")[:500])
            bearings = found.bearings if isinstance(found, Estimate) else (found,)
            assert all(np.isfinite(each.orders).all() for each in bearings)

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
        lengths = (None, str(len(content) - 1 - 4 * LENGTH), "", "-1", str(content[0]) if content else "")
        with contextlib.suppress(InvalidRecordsError, TooManyRecordsError):
            answer_body(content[1:], lengths[min(content[0], 4)] if content else None, inference, 0.0)

    return answer


def numpy_seeds(shape: tuple[int, ...]) -> list[bytes]:
    from tests.tools.soak.bodies import write_npy

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
    "plants": Target(fuzz_recording, []),
    "bearing": Target(
        fuzz_bearing,
        [b"6205-2RS", b"9, 7.94, 39.04, 0", b'{"rolling_elements": 9, "pitch_diameter": 39.04}', b"9;7,94;39,04"],
    ),
    "infer": Target(fuzz_infer, INFER),
}


def seeds_of(name: str) -> list[bytes]:
    more = {"npy": lambda: numpy_seeds((2, LENGTH)), "recording": lambda: [*numpy_seeds((50,)), *wav_seeds()],
            "plants": write_plants}  # fmt: skip
    return TARGETS[name].seeds + more.get(name, list)()
