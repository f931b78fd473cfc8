"""The store as the service opens it at start, and what is done about it while the service runs."""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from api.machine import alarms, ingest, routes
from api.machine.database import open_engine
from api.machine.keeping import Files
from api.machine.metrics import MachineMetrics
from api.machine.notify.outbox import Outbox, Receiver
from api.machine.store import Store
from api.settings import settings
from model.machine.thresholds import Thresholds
from model.thresholds import read_thresholds

HOUR = 3_600  # s from one thinning to the next
REFRESH = 10  # s from one look at what the metrics tell to the next
LAST = 2  # s that the outbox has to end
log = logging.getLogger("uvicorn.error")


@cache
def include_routes(app: FastAPI) -> None:
    """Add the routes of machines to an app, once."""
    for each in (routes, ingest, alarms):
        app.include_router(each.router)


@cache
def make_metrics(registry: CollectorRegistry) -> MachineMetrics:
    """Return the metrics of machines in a registry, which takes them once."""
    return MachineMetrics(registry)


@asynccontextmanager
async def open_machines(metrics: MachineMetrics) -> AsyncIterator[Store | None]:
    """Yield the store, with its outbox, thinning and metrics at work; None where it cannot be had."""
    receivers = make_receivers()
    store = await run_in_threadpool(open_store, metrics, tuple(receivers))
    if store is None:
        yield None
        return
    outbox = Outbox(store.engine, receivers)
    tasks = [asyncio.create_task(repeat(REFRESH, metrics.refresh, store.engine, store.receivers))]
    if store.keep_days:
        tasks.append(asyncio.create_task(repeat(HOUR, store.thin)))
    if receivers:
        outbox.start()
    yield store
    for task in tasks:
        task.cancel()
    if receivers:
        outbox.stop(LAST)
    store.engine.dispose()


def make_receivers() -> dict[str, Receiver]:
    """Return who is told of alarms, by name. A package that is missing ends the process in words."""
    receivers: dict[str, Receiver] = {}
    if settings.alarm_webhook:
        from api.machine.notify.webhook import Webhook  # here: its HTTP client takes 5 MB

        receivers["webhook"] = Webhook(settings.alarm_webhook, settings.alarm_webhook_secret)
    if settings.alarm_mqtt:
        try:
            from api.machine.notify.mqtt import Mqtt
        except ModuleNotFoundError:
            sys.exit("ALARM_MQTT needs a package that is not installed: pip install -r api/requirements-mqtt.txt")
        receivers["mqtt"] = Mqtt(settings.alarm_mqtt)
    return receivers


def open_store(metrics: MachineMetrics, receivers: tuple[str, ...]) -> Store | None:
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
    limits = read_thresholds(Thresholds, json.loads(thresholds.read_text()))
    return Store(engine, limits, receivers, files, settings.keep_days, metrics)


async def repeat(pause: float, call: Callable[..., Any], *arguments: Any) -> None:
    """Call something now and again after each pause; a store that fails is logged and asked again."""
    while True:
        try:
            await run_in_threadpool(call, *arguments)
        except (SQLAlchemyError, OSError) as error:
            log.error("the store of machines cannot be asked: %s", str(error).splitlines()[0])
        await asyncio.sleep(pause)
