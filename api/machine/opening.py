"""The store as the service opens it at start."""

import json
import logging

from sqlalchemy.exc import SQLAlchemyError

from api.machine.database import open_engine
from api.machine.store import Store
from api.settings import settings
from model.machine.thresholds import read_thresholds

log = logging.getLogger("uvicorn.error")


def open_store() -> Store | None:
    """Return the store that DATABASE_URL names, or None, and say why in the log: the rest of the service goes on."""
    thresholds = settings.assets / "machine.json"
    if not thresholds.is_file():
        log.error("machine.json is not among the assets: run `dvc repro machine`; /machines/ answers 503 until then")
        return None
    try:
        return Store(open_engine(settings.database_url), read_thresholds(json.loads(thresholds.read_text())))
    except SQLAlchemyError as error:
        log.error("the store of machines cannot be opened, /machines/ answers 503: %s", str(error).splitlines()[0])
        return None
