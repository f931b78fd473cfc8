"""Requests as they should not be: numbered cases, the same in every run."""

import random
from typing import NamedTuple

SEED = 0

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
