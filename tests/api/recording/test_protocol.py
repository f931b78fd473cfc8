import io

import pytest
from pydantic import ValidationError

from api.recording.protocol import (
    MAX_BODY,
    PointHead,
    RequestHead,
    Response,
    ResponseHead,
    WorkerLimits,
    read_request,
    write_request,
    write_response,
)

FILES = [("a.npy", b"1\n2"), ("healthy \u00b5.csv", b""), ("b", bytes(range(256)))]


def test_a_request_arrives_as_it_was_sent():
    fields = {"rpm": 1_750.5, "bearing": "NICE\n", "series": False}
    point = PointHead(unit="g", sampling_rate=12_000.0, rpm=None, diagnose=False)
    stream = io.BytesIO(b"".join([*write_request(fields, FILES), *write_request(fields, FILES, point)]))
    assert read_request(stream) == (fields, FILES, None)
    assert read_request(stream) == (fields, FILES, point)
    assert read_request(stream) is None


def test_a_response_is_a_line_and_its_body():
    line, body = write_response(Response(422, b'{"detail": []}', "two\nlines")).split(b"\n", 1)
    assert ResponseHead.model_validate_json(line) == ResponseHead(status=422, size=14, log="two\nlines")
    assert body == b'{"detail": []}'


@pytest.mark.parametrize(
    "line",
    [
        "", "[]", "{}", '{"status": 200, "size": 1}', '{"status": 200, "size": -1, "log": ""}',
        f'{{"status": 200, "size": {MAX_BODY + 1}, "log": ""}}', '{"status": "200", "size": 1, "log": ""}',
        '{"status": 302, "size": 1, "log": ""}', '{"status": 200, "size": 1, "log": "", "more": 1}',
    ],
)  # fmt: skip
def test_another_response_is_refused(line):
    with pytest.raises(ValidationError):
        ResponseHead.model_validate_json(line)


@pytest.mark.parametrize(
    "line", ["{}", '{"fields": {}, "files": [{"name": "a", "size": -1}]}', '{"fields": [], "files": []}']
)
def test_another_request_is_refused(line):
    with pytest.raises(ValidationError):
        RequestHead.model_validate_json(line)


def test_the_limits_are_complete():
    with pytest.raises(ValidationError, match="seconds"):
        WorkerLimits.model_validate_json('{"diagnosis": "d", "memory": 1, "samples": 1, "unpacked": 1}')


def test_a_log_with_what_utf8_cannot_hold_is_written():
    head = write_response(Response(500, b"{}", "no \ud800")).partition(b"\n")[0]
    assert ResponseHead.model_validate_json(head).log == "no ?"
