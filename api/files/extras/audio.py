"""Recordings as FLAC, AIFF and other sound files without loss. soundfile (libsndfile) reads them."""

import io

from api.files.channels import Channels, Vector, pick
from api.files.errors import UnreadableError
from api.files.extras.libraries import load_library
from api.files.limits import Limits

MAGIC = {b"fLaC": "a FLAC file", b"FORM": "an AIFF file", b"riff": "a Wave64 file", b"caff": "a CAF file"}
LOSSLESS = ("PCM_", "FLOAT", "DOUBLE", "ALAC_")  # codecs begin so


def read_audio(content: bytes, channel: str | None, limits: Limits) -> Channels:
    kind = MAGIC[content[:4]]
    soundfile = load_library("soundfile", kind)
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        if not file.subtype.startswith(LOSSLESS):
            raise UnreadableError(
                f"{kind[2:].strip()} with lossy samples ({file.subtype}) came, expected lossless ones"
            )
        if file.channels > limits.channels:
            raise UnreadableError(f"the file has {file.channels:,} channels, expected at most {limits.channels}")
        limits.check_length(file.frames, file.samplerate)
        limits.check_unpacked(8 * file.frames * file.channels)
        samples, rate = file.read(always_2d=True), float(file.samplerate)
    return pick({str(index): Vector(column, rate) for index, column in enumerate(samples.T)}, channel, limits)
