"""`GET /model/`: what is served, what it was trained on, how it scored, and what it asks of records and uploads."""

import json

from fastapi import APIRouter, Request

from api.files.extras.libraries import list_suffixes
from api.recording.fields import known_bearings
from api.serving.provenance import read_versions
from api.settings import settings
from api.window.answers import ModelAnswer, UploadLimits
from api.window.predictor import Predictor
from api.window.reader import fast_records
from model.recording.lines import LEAST_RATE, WINDOW_SECONDS

ASSETS = settings.assets
router = APIRouter()


@router.get("/model/")
async def model(request: Request) -> ModelAnswer:
    """Tell what is served: what a record must be, what the model was trained on and how it scored."""
    return request.app.state.model


def describe_model(predictor: Predictor) -> ModelAnswer:
    return ModelAnswer(
        classes=predictor.classes,
        window_length=predictor.window_length,
        sampling_rate=predictor.sampling_rate,
        band_limit=predictor.band_limit,
        trained_on=predictor.trained_on,
        metrics=read_table("metrics.json"),
        protocols=without_folds(read_table("protocols.json")),
        bearings=known_bearings(),
        upload=UploadLimits(
            suffixes=list_suffixes(),
            most_bytes=settings.max_upload,
            least_sampling_rate=LEAST_RATE,
            least_seconds=WINDOW_SECONDS,
            answer_timeout=settings.request_timeout,
        ),
        backend={"name": predictor.backend.name, "device": predictor.backend.device},
        versions=read_versions(ASSETS)
        | {"manifest_sha256": predictor.trained_on.get("manifest_sha256", "unknown")}
        | {"json_reader": "compiled" if fast_records else "validating"},
    )


def read_table(name: str) -> dict:
    path = ASSETS / name
    return json.loads(path.read_text()) if path.is_file() else {}


def without_folds(table: dict) -> dict:
    """Return the table of the protocols with means and spreads alone: folds and confusion matrices stay in the file."""
    return {
        protocol: {
            network: {name: values for name, values in entry.items() if name != "folds"}
            for network, entry in networks.items()
        }
        if isinstance(networks, dict)
        else networks
        for protocol, networks in table.items()
    }
