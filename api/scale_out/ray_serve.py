"""`python -m api.scale_out.ray_serve`: the same app under Ray Serve, on one machine or many.

Replicas come and go with the load. `serve run api.scale_out.ray_serve:deployment` starts the same. There is no
`serve.batch` here: requests that wait inside a replica are already computed in one batch, by the app's own batcher.
"""

import os
import signal
from threading import Event, Thread
from types import FrameType
from typing import Any

from fastapi import FastAPI

from api.scale_out.code import RUNTIME_ENV
from api.scale_out.settings import scale_settings
from api.settings import settings

IS_LOCAL = scale_settings.ray_address == "local"
if __name__ == "__main__" and IS_LOCAL:
    # Ray reads this variable at import; without it a cluster of one machine listens on the network.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"

import ray  # noqa: E402
from ray import serve  # noqa: E402
from ray.serve.config import AutoscalingConfig, BackpressureConfig, HTTPOptions  # noqa: E402
from ray.serve.schema import LoggingConfig  # noqa: E402

LOOPBACK = "127.0.0.1"
NAME = "bearing-diagnosis"
GRACE = 8.0  # s for accepted requests to finish
UP, DOWN = 3.0, 60.0  # s of more or less load before replicas are added or removed
LOOKING_BACK = 12.0  # s over which the load is averaged; it is reported every 10


def load_app() -> FastAPI:
    """Import the app inside the replica, where it starts and stops its own worker processes; none of it is pickled."""
    from api.api import app

    return app


@serve.ingress(load_app)
class Replica:
    """One process with the whole app: its model, its middleware and its worker processes for uploads."""

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
    """Return the deployment's options."""
    return {
        "autoscaling_config": AutoscalingConfig(
            min_replicas=scale_settings.replicas_min,
            max_replicas=scale_settings.most_replicas,
            target_ongoing_requests=scale_settings.target_ongoing,
            look_back_period_s=LOOKING_BACK,
            upscale_delay_s=UP,
            downscale_delay_s=DOWN,
        ),
        "max_ongoing_requests": scale_settings.max_ongoing,
        "max_queued_requests": scale_settings.max_queued,  # more get a 503
        "backpressure_config": BackpressureConfig(retry_after_s=1),
        "ray_actor_options": {
            "num_cpus": scale_settings.cpus,
            "runtime_env": {"env_vars": scale_settings.replica_environment},
        },
        "health_check_period_s": 5.0,
        "health_check_timeout_s": 10.0,
        "graceful_shutdown_timeout_s": GRACE,
        "graceful_shutdown_wait_loop_s": 0.2,
        "logging_config": LoggingConfig(enable_access_log=False),
    }


deployment = serve.deployment(Replica, name=NAME, **options()).bind()


def main() -> None:
    host, port = settings.host, settings.port
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
    # Where parts of the cluster are stopped as well, Serve never answers: the thread is not waited for after its time.
    closing = Thread(target=close, daemon=True)
    closing.start()
    closing.join(GRACE + 2)
    ray.shutdown()


def connect() -> None:
    """Join the cluster at $RAY_ADDRESS, whose machines get this code, or start one on this machine alone."""
    if IS_LOCAL:
        ray.init("local", include_dashboard=False)
    else:
        ray.init(scale_settings.ray_address, runtime_env=RUNTIME_ENV)


def close() -> None:
    """Let the replicas finish the requests that they accepted; other applications on the cluster stay."""
    serve.delete(NAME)
    if IS_LOCAL:
        serve.shutdown()


if __name__ == "__main__":
    main()
