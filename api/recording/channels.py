"""`channel=all`: the answers to all channels of a file, the most damaged first."""

from dataclasses import replace

from api.files import formats
from api.files.errors import UnreadableError, shown
from api.files.limits import Limits
from api.recording.answer import MistakeError, answer
from api.recording.fields import Fields
from api.recording.models import ChannelAnswer, WorkerAnswer
from model.recording.diagnosis import EVEN, RecordingDiagnosis
from model.recording.recording import Recording

ALL = "all"


def answer_channels(
    diagnosis: RecordingDiagnosis, fields: Fields, files: list[tuple[str, bytes]], limits: Limits
) -> WorkerAnswer:
    """Return the answer to the most damaged channel of a recording, with what was found in all of them.

    A channel that cannot be diagnosed is told last, with its reason. One of several that a baseline does not have is
    answered without it, and says so. Raises MistakeError where no channel can be diagnosed. The recording's file is
    taken out of the list, as answer_files does.
    """
    name, content = files.pop(0)
    found = read_all(content, name, limits)
    del content
    common = find_common(found, files, limits)

    def answer_one(channel: str, series: bool) -> WorkerAnswer:
        healthy = files if channel in common else []
        said = usable(found[channel])
        if channel not in common:
            said = replace(said, warnings=(f"the baseline has no channel {channel}: none was used", *said.warnings))
        asked = fields.model_copy(update={"channel": channel, "series": series})
        return answer(diagnosis, asked, said, healthy, limits)

    answers: list[WorkerAnswer] = []
    refused: dict[str, MistakeError] = {}
    for channel in found:
        try:
            answers.append(answer_one(channel, series=False))
        except MistakeError as error:
            refused[channel] = error
    if not answers:
        raise next(iter(refused.values()))
    answers.sort(key=rank_damage)
    worst = answers[0]
    if fields.series:
        worst = answer_one(worst.recording.channel, series=True)
    told = [describe_channel(each) for each in answers]
    told += [ChannelAnswer(channel=channel, prediction=None, reason=str(error)) for channel, error in refused.items()]
    return worst.model_copy(update={"all_channels": told})


def read_all(content: bytes, name: str, limits: Limits) -> formats.Channels:
    try:
        return formats.read_channels(content, name, None, limits)
    except UnreadableError as error:
        raise MistakeError({error.field: f"{shown(name)}: {error}"}) from error


def usable(said: Recording | UnreadableError) -> Recording:
    if isinstance(said, UnreadableError):
        raise MistakeError({"file": str(said)}) from said
    return said


def find_common(found: formats.Channels, files: list[tuple[str, bytes]], limits: Limits) -> set[str]:
    """Return the channels that all files of a baseline have; the only channel of a recording may be named otherwise."""
    if len(found) == 1:
        return set(found)
    return set(found).intersection(*(read_baseline_channels(content, name, limits) for name, content in files))


def read_baseline_channels(content: bytes, name: str, limits: Limits) -> formats.Channels:
    try:
        return read_all(content, name, limits)
    except MistakeError as error:
        raise MistakeError({"baseline": str(error)}) from error


def rank_damage(found: WorkerAnswer) -> tuple[int, float]:
    """Return what sorts answers: faults, what is uncertain, what is healthy, what was not judged; then clear lines."""
    is_judged = found.prediction != "Unknown" or found.probabilities != EVEN  # EVEN: the checks refused the signal
    place = {"Normal": 2, "Unknown": 1}.get(found.prediction, 0) if is_judged else 3
    return place, -max((line.excess for line in found.agreement.lines), default=0.0)


def describe_channel(found: WorkerAnswer) -> ChannelAnswer:
    return ChannelAnswer(
        channel=found.recording.channel,
        prediction=found.prediction,
        reason=found.reason,
        probabilities=found.probabilities,
        familiarity=found.familiarity,
        speed_factor=found.speed_factor,
        agreement=found.agreement,
        unit=found.recording.unit,
        sampling_rate=found.recording.sampling_rate,
        warnings=found.warnings,
    )
