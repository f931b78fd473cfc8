"""Recordings to upload, in every format, and what a test reads of the answers."""

import gzip
import io

import numpy as np
import scipy.io
from scipy.io import wavfile

from pipeline.simulator import DEFAULT, Fault, Resonance, Surroundings, simulate

RATE, RPM = 12_000, 1_750
STATED = {"sampling_rate": str(RATE), "rpm": str(RPM)}


def machine(label, seconds=4.0, seed=0, rate=RATE):
    faults = (Fault(label, jitter=0.003, zone_floor=0.2, resonances=(Resonance(3_200, 0.05),)),)
    around = Surroundings(coloured=(Resonance(1_200, 0.1), Resonance(3_000, 0.15, 0.7)), shaft=(0.3, 0.2, 0.3, 0.2))
    return simulate(DEFAULT, RPM, rate, seconds, seed, faults if label != "Normal" else (), around)


def npy(samples):
    body = io.BytesIO()
    np.save(body, samples)
    return body.getvalue()


def mat(**options):
    def write(samples):
        body = io.BytesIO()
        scipy.io.savemat(body, {"acceleration": samples}, **options)
        return body.getvalue()

    return write


def wav(samples):
    body = io.BytesIO()
    wavfile.write(body, RATE, samples.astype(np.float32))
    return body.getvalue()


def text(samples):
    return "\n".join(map(str, samples.tolist())).encode()


FORMATS = {
    "a.npy": npy,
    "5.mat": mat(),
    "7.mat": mat(do_compression=True),
    "4.mat": mat(format="4"),
    "a.wav": wav,
    "a.txt": text,
    "a.csv": lambda samples: b"acceleration (g)\r\n" + text(samples),
    "a.txt.gz": lambda samples: gzip.compress(text(samples)),
}


def post(client, content, name="a.npy", fields=STATED, baseline=()):
    files = [("file", (name, content)), *(("baseline", (f"healthy{n}.npy", each)) for n, each in enumerate(baseline))]
    return client.post("/diagnose/", files=files, data=fields)


def mistakes(answer):
    """Return {field: words} of a refusal."""
    assert answer.status_code == 422, answer.text
    return {mistake["loc"][-1]: mistake["msg"] for mistake in answer.json()["detail"]}
