"""`python -m tests.tools.demo --url URL`: fill a running service with a fleet of simulated machines and their past.

Twenty machines over ninety days, four recordings a day: healthy ones that are troubled by what is no damage, a sensor
that dies, faults that grow, and bearings that were changed in time.
"""

import argparse
import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import requests
from rich.progress import Progress

from model.recording.recording import Recording
from pipeline import params
from pipeline.lives.life import Life, draw_life, list_recordings

DAYS, PAUSE = 90, timedelta(hours=6)
TURNS = DAYS * (timedelta(days=1) // PAUSE)  # recordings of a machine
SIMULATED = {"seconds": 2.0, "sampling_rate": 12_000}
FAINT = -25.0  # dB; a fault's power over everything else's at its onset
DIAGNOSED_EVERY = 8  # recordings; the first ones, which are the past of the others, and the newest are all diagnosed
FIRST = 20
TIMEOUT = 60  # s for a response


class Plan(NamedTuple):
    """A machine of the fleet: what fails, when its fault begins and when it is repaired, as shares of the past, and the
    fault's power over everything else's (dB) in the end."""

    name: str
    label: str = "Normal"
    nuisance: str = "none"
    onset: float = 1.0
    repair: float | None = None
    worst: float = 5.0


FLEET = (
    Plan("feed-pump-1", "OuterRace", onset=0.45),
    Plan("feed-pump-2", "InnerRace", onset=0.62, worst=-15.0),
    Plan("feed-pump-3"),
    Plan("cooling-fan-1", "Ball", onset=0.5),
    Plan("cooling-fan-2", nuisance="temperature"),
    Plan("cooling-fan-3", nuisance="speed"),
    Plan("exhaust-fan-1", "OuterRace", onset=0.15, repair=0.6),
    Plan("exhaust-fan-2", nuisance="drift"),
    Plan("compressor-1", "InnerRace", onset=0.2, repair=0.7),
    Plan("compressor-2", nuisance="load"),
    Plan("compressor-3", "OuterRace", "load", onset=0.7),
    Plan("conveyor-1", nuisance="dead"),
    Plan("conveyor-2", nuisance="gap"),
    Plan("conveyor-3"),
    Plan("mixer-1", nuisance="run-in"),
    Plan("mixer-2", "InnerRace", "speed", onset=0.55),
    Plan("mill-1", nuisance="gain"),
    Plan("mill-2", nuisance="clipped"),
    Plan("spindle-1", "Ball", onset=0.6, worst=-18.0),
    Plan("spindle-2"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="of the service (%(default)s)")
    url = parser.parse_args().url
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    population = params.load("simulate")["population"]
    with Progress() as progress, ThreadPoolExecutor(2) as threads:
        task = progress.add_task(f"{DAYS} days of {len(FLEET)} machines", total=TURNS * len(FLEET))
        one = partial(fill, url, end=end, population=population, advance=lambda: progress.advance(task))
        list(threads.map(one, range(len(FLEET))))  # raises what one of them raised
    print(f"{len(FLEET)} machines: open {url}/machines.html")


def fill(url: str, number: int, end: datetime, population: dict[str, Any], advance: Callable[[], None]) -> None:
    """Send a machine's past, and what people said and did when it alarmed. Raises requests.HTTPError."""
    plan, life = FLEET[number], draw_plan(number, population)
    home = f"{url}/machines/{plan.name}/points/drive-end"
    with requests.Session() as session:
        bearing = life.bearing
        geometry = [bearing.rolling_elements, bearing.element_diameter, bearing.pitch_diameter, bearing.contact_angle]
        text = ", ".join(f"{each:.6g}" for each in geometry)
        point = {"bearing": text, "sampling_rate": SIMULATED["sampling_rate"], "unit": "g"}
        send(session, "PUT", home, json=point)
        for turn, recording in enumerate(list_past(plan, life)):
            moment = end - PAUSE * (TURNS - 1 - turn)
            if plan.repair and turn == round(plan.repair * TURNS):
                repair(session, home, moment - PAUSE / 2)
            form = {"taken_at": moment.isoformat(), "rpm": f"{recording.rpm:.1f}"}
            form["diagnose"] = str(is_diagnosed(turn)).lower()
            send(session, "POST", f"{home}/recordings", data=form, files={"file": ("a.npy", to_npy(recording))})
            advance()


def is_diagnosed(turn: int) -> bool:
    return turn < FIRST or turn % DIAGNOSED_EVERY == 0 or turn >= TURNS - DIAGNOSED_EVERY


def draw_plan(number: int, population: dict[str, Any]) -> Life:
    plan = FLEET[number]
    life = draw_life(number, plan.label, hours=TURNS, seed=20, population=population, learning=20)
    trouble = TURNS - 12 if plan.nuisance == "dead" else TURNS // 3
    return replace(life, nuisance=plan.nuisance, onset=round(plan.onset * TURNS), trouble=trouble)


def list_past(plan: Plan, life: Life) -> Iterator[Recording]:
    """Yield a machine's recordings; after its repair it has no fault."""
    broken = TURNS if plan.repair is None else round(plan.repair * TURNS)
    well = replace(life, fault=None, seed=(*life.seed, 9))
    for part, turns in ((life, broken), (well, TURNS - broken)):
        for recording, _ in list_recordings(part, hours=turns, snr_db=[FAINT, plan.worst], **SIMULATED):
            yield recording


def repair(session: requests.Session, home: str, moment: datetime) -> None:
    """Acknowledge what is open, say what was done, and learn anew."""
    for alarm in send(session, "GET", f"{home}/alarms").json():
        if alarm["acknowledged_by"] is None:
            said = {"by": "early shift", "note": "heard it too; bearing ordered"}
            send(session, "POST", f"{home}/alarms/{alarm['id']}/acknowledge", json=said)
    done = {"by": "workshop", "text": "bearing changed, the old one was pitted", "at": moment.isoformat()}
    send(session, "POST", f"{home}/notes", json=done)
    send(session, "POST", f"{home}/baseline", json={"by": "workshop", "from": moment.isoformat()})


def send(session: requests.Session, method: str, url: str, **content: Any) -> requests.Response:
    response = session.request(method, url, timeout=TIMEOUT, **content)
    response.raise_for_status()
    return response


def to_npy(recording: Recording) -> bytes:
    file = io.BytesIO()
    np.save(file, recording.signal.astype(np.float32))
    return file.getvalue()


if __name__ == "__main__":
    main()
