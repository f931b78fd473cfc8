"""How much of a file is read: the service limits what strangers send, the pipeline reads its own files whole."""

from typing import NamedTuple

from api.files.errors import UnreadableError, counted

MAX_CHANNELS = 64  # of a file that somebody uploads


class Limits(NamedTuple):
    """The most that a file may hold."""

    samples: int  # of the channel that is read
    unpacked: int  # bytes of text or arrays that the file may unpack to
    channels: int  # of a table or matrix

    def check_unpacked(self, size: int) -> None:
        """Raise UnreadableError where so many bytes are too many."""
        if size > self.unpacked:
            raise self.too_large(f"{size:,} bytes")

    def too_large(self, came: str) -> UnreadableError:
        return UnreadableError(f"the file may hold {self.unpacked:,} bytes when unpacked, and it holds {came}: cut it")

    def check_length(self, samples: int, sampling_rate: float | None, least: int = 2) -> None:
        """Raise UnreadableError where a channel of so many samples is too short or too long; the rate is in Hz."""
        if samples < least:
            raise UnreadableError(f"the file holds {counted(samples, 'sample')}, expected a recording")
        if samples > self.samples:
            seconds = f" ({samples / sampling_rate:,.0f} seconds)" if sampling_rate else ""
            raise UnreadableError(
                f"the recording has {samples:,} samples{seconds}, expected at most {self.samples:,}: "
                "cut it, ten seconds are plenty"
            )


NO_LIMITS = Limits(samples=2**62, unpacked=2**62, channels=2**62)
