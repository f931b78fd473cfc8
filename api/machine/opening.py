"""The store as the service opens it at start, and what is done about it from time to time."""

import asyncio
import json
import logging

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from api.machine.database import open_engine
from api.machine.keeping import Files
from api.machine.store import Store
from api.settings import settings
from model.machine.thresholds import read_thresholds

HOUR = 3_600  # s from one thinning to the next
log = logging.getLogger("uvicorn.error")


def open_store() -> Store | None:
    """Return the store that DATABASE_URL names, or None, and say why in the log: the rest of the service goes on."""
    thresholds = settings.assets / "machine.json"
    if not thresholds.is_file():
        log.error("machine.json is not among the assets: run `dvc repro machine`; /machines/ answers 503 until then")
        return None
    try:
        files = Files.open(settings.keep_recordings) if settings.keep_recordings else None
    except (OSError, ValueError, ImportError) as error:
        log.error("KEEP_RECORDINGS: %s cannot be used, /machines/ answers 503: %s", settings.keep_recordings, error)
        return None
    try:
        engine = open_engine(settings.database_url)
    except SQLAlchemyError as error:
        log.error("the store of machines cannot be opened, /machines/ answers 503: %s", str(error).splitlines()[0])
        return None
    limits = read_thresholds(json.loads(thresholds.read_text()))
    return Store(engine, limits, files=files, keep_days=settings.keep_days)


async def keep_thin(store: Store) -> None:
    """Thin the store now and every hour; a mistake is logged, and the next hour tries again."""
    while True:
        try:
            await run_in_threadpool(store.thin)
        except SQLAlchemyError as error:
            log.error("old recordings could not be thinned: %s", str(error).splitlines()[0])
        await asyncio.sleep(HOUR)
