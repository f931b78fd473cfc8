"""`python -m api.scale_out.ray_serve`: the same app under Ray Serve, on one machine or many.

Replicas come and go with the load. `serve run api.scale_out.ray_serve:deployment` starts the same. There is no
`serve.batch` here: requests that wait inside a replica are already computed in one batch, by the app's own batcher.
"""

import os
import signal
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import Any

from fastapi import FastAPI

ADDRESS = os.environ.get("RAY_ADDRESS", "local")
if __name__ == "__main__" and ADDRESS == "local":
    # The one switch, read at import, that keeps every port of a cluster of one machine off the network.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"

import ray  # noqa: E402
from ray import serve  # noqa: E402
from ray.serve.config import AutoscalingConfig, BackpressureConfig, HTTPOptions  # noqa: E402
from ray.serve.schema import LoggingConfig  # noqa: E402

from api.settings import Settings  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
LOOPBACK = "127.0.0.1"
NAME = "bearing-diagnosis"
PASSED_ON = {name.upper() for name in Settings.model_fields} - {"HOST", "PORT", "WORKERS"}
LEFT_OUT = [".?*", "/data", "/tests", "/pipeline", "/build", "__pycache__"]  # what no replica needs
GRACE = 8.0  # s for accepted requests to finish
UP, DOWN = 3.0, 60.0  # s of more or less load before replicas are added or removed
LOOKING_BACK = 12.0  # s over which the load is averaged; it is reported every 10


def load_app() -> FastAPI:
    """Import the app inside the replica, where it starts and stops its own children: nothing of it is sent there."""
    from api.api import app

    return app


@serve.ingress(load_app)
class Replica:
    """One process with the whole app: its model, its middleware, and its children that read uploads."""

    def __init__(self) -> None:
        if ray.util.get_node_ip_address() == LOOPBACK:
            listen_on_loopback_only()

    def check_health(self) -> None:
        """Raise RuntimeError, whereupon Serve replaces this replica, unless the app says that it is ready."""
        if not self.app.state.ready:
            raise RuntimeError("the app is not ready")


def listen_on_loopback_only() -> None:
    """Bind the one port that Serve opens on every interface, whatever the node's address, to the loopback address."""
    from ray.serve._private import replica

    add_port = replica.add_port_to_grpc_server
    replica.add_port_to_grpc_server = lambda server, address: add_port(server, address.replace("[::]", LOOPBACK))


def options() -> dict[str, Any]:
    """Return the deployment's options, from the environment."""
    cpus = float(os.environ.get("CPUS", "1"))
    least = int(os.environ.get("REPLICAS_MIN", "1"))
    # A replica's threads share its processors; every other setting, keys too, holds on all machines as it does here.
    variables = {"WORKERS": os.environ.get("WORKERS", str(max(1, round(cpus))))}
    variables |= {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    return {
        "autoscaling_config": AutoscalingConfig(
            min_replicas=least,
            max_replicas=int(os.environ.get("REPLICAS_MAX", max(least, len(os.sched_getaffinity(0))))),
            target_ongoing_requests=float(os.environ.get("TARGET_ONGOING", "16")),
            look_back_period_s=LOOKING_BACK,
            upscale_delay_s=UP,
            downscale_delay_s=DOWN,
        ),
        "max_ongoing_requests": int(os.environ.get("MAX_ONGOING", "64")),
        "max_queued_requests": int(os.environ.get("MAX_QUEUED", "256")),  # more get a 503
        "backpressure_config": BackpressureConfig(retry_after_s=1),
        "ray_actor_options": {"num_cpus": cpus, "runtime_env": {"env_vars": variables}},
        "health_check_period_s": 5.0,
        "health_check_timeout_s": 10.0,
        "graceful_shutdown_timeout_s": GRACE,
        "graceful_shutdown_wait_loop_s": 0.2,
        "logging_config": LoggingConfig(enable_access_log=False),
    }


deployment = serve.deployment(Replica, name=NAME, **options()).bind()


def main() -> None:
    host, port = os.environ.get("HOST", LOOPBACK), int(os.environ.get("PORT", "8000"))
    stopped = Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    connect()
    serve.start(http_options=HTTPOptions(host=host, port=port))
    for number in (signal.SIGINT, signal.SIGTERM):  # in place of Ray's, which would let nothing finish
        signal.signal(number, stop)
    serve.run(deployment, name=NAME)
    print(f"serving on http://{host}:{port}; Ctrl-C stops it", flush=True)
    stopped.wait()
    # Whoever stops this may have stopped parts of the cluster as well; then nobody answers, and nothing waits for it.
    closing = Thread(target=close, daemon=True)
    closing.start()
    closing.join(GRACE + 2)
    ray.shutdown()


def connect() -> None:
    """Join the cluster at $RAY_ADDRESS, whose machines get this code, or start one of this machine alone."""
    if ADDRESS == "local":
        ray.init("local", include_dashboard=False)
    else:
        ray.init(ADDRESS, runtime_env={"working_dir": str(ROOT), "excludes": LEFT_OUT})


def close() -> None:
    """Let the replicas finish what they accepted; what else Serve runs on somebody's cluster stays."""
    serve.delete(NAME)
    if ADDRESS == "local":
        serve.shutdown()


if __name__ == "__main__":
    main()
