"""The app and the archive on a real Ray cluster of three nodes, all of them on this machine and on loopback alone."""

import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import requests

from pipeline.service import free_port, wait_until_ready
from tests.conftest import ROOT, environment, wait_until
from tests.system.test_archive import make_recordings, read

pytestmark = [
    pytest.mark.skipif(not find_spec("ray"), reason="RAY SKIPPED: not installed, see api/requirements-scale.txt"),
    pytest.mark.timeout(1800),  # s; longer than what is waited for, whose failure says more
]
NODES = """
import os
import sys
from ray._common.utils import get_default_ray_temp_dir
from ray.cluster_utils import Cluster

os.makedirs(get_default_ray_temp_dir(), exist_ok=True)  # Ray notes its address there, whatever temp_dir says
cluster = Cluster()
for _ in range(3):
    cluster.add_node(
        node_ip_address="127.0.0.1", num_cpus=1, object_store_memory=80_000_000, include_dashboard=False,
        temp_dir=sys.argv[1],
    )
print(cluster.address, flush=True)
sys.stdin.read()
cluster.shutdown()
"""
LOAD = {  # so small that a laptop's load fills it, and quick to notice that it does
    "REPLICAS_MIN": "1", "REPLICAS_MAX": "2", "TARGET_ONGOING": "2", "MAX_ONGOING": "4", "MAX_QUEUED": "8",
    "RAY_SERVE_HANDLE_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
    "RAY_SERVE_REPLICA_AUTOSCALING_METRIC_PUSH_INTERVAL_S": "1",
}  # fmt: skip
SENDERS = 24
PATIENCE = 600  # s; beside four other busy processes on two cores Ray's proxy alone took 107 s to start


def descendants(pid):
    """Return the commands of everything that a process started, by process."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True).stdout
    table = [
        (int(pid), int(parent), command)
        for pid, parent, command in (row.split(None, 2) for row in listing.splitlines())
    ]
    found, todo = {}, [pid]
    while todo:
        parent = todo.pop()
        started = {each: command for each, its_parent, command in table if its_parent == parent and each not in found}
        found |= started
        todo += started
    return found


def replicas(nodes):
    return [pid for pid, command in descendants(nodes.pid).items() if command.startswith("ray::ServeReplica")]


@pytest.fixture(scope="module")
def ray_environment():
    """What keeps Ray on loopback, quiet, patient on a busy machine, and out of the home folder."""
    return environment(
        RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S="60", RAY_SERVE_PROXY_HEALTH_CHECK_TIMEOUT_S="60",
        RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0", RAY_USAGE_STATS_ENABLED="0",
        RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32), **LOAD,
    )  # fmt: skip


@pytest.fixture(scope="module")
def nodes(ray_environment):
    """The process whose descendants are the cluster; its `address` is that of the cluster."""
    folder = tempfile.mkdtemp(prefix="ray", dir="/tmp")  # a socket's path may have 107 characters
    command = [sys.executable, "-c", NODES, folder]
    with (Path(folder) / "cluster.log").open("w") as log:
        process = subprocess.Popen(
            command, env=ray_environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
    process.address = process.stdout.readline().strip()
    assert process.address, (Path(folder) / "cluster.log").read_text()
    yield process
    started = descendants(process.pid)
    process.communicate(timeout=PATIENCE)
    assert not [command for pid, command in started.items() if is_running(pid)]
    shutil.rmtree(folder)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def archives(nodes, ray_environment, tmp_path_factory):
    """The folders of one archive's tables, made by this machine and by the cluster."""
    folder = tmp_path_factory.mktemp("archive")
    make_recordings(folder / "recordings", 12)
    (folder / "recordings" / "broken.mat").write_bytes(b"nonsense")
    (folder / "recordings" / "large.mat").write_bytes(b"nonsense" * 25_000)
    limited = ray_environment | {"MAX_UPLOAD": "199999"}  # here alone: the cluster's machines were started without
    command = [
        sys.executable,
        "-m",
        "api.scale_out.archive",
        str(folder / "recordings"),
        "--rpm",
        "1797",
        "--workers",
        "2",
    ]
    for out, others in (("here", []), ("cluster", ["--ray", nodes.address])):
        whole = [*command, "--out", str(folder / out), *others]
        subprocess.run(whole, cwd=ROOT, env=limited, check=True, timeout=PATIENCE)
    return folder / "here", folder / "cluster"


def test_a_cluster_makes_the_same_tables(archives):
    here, cluster = map(read, archives)
    assert len(here[0]) == 14
    [large] = [row["error"] for row in here[0] if row["recording"] == "large.mat"]
    assert large == "the file has 200,000 bytes, expected 199,999 at most"
    assert cluster == here


@pytest.fixture(scope="module")
def url(nodes, archives, ray_environment, tmp_path_factory):
    """The app on the cluster; it starts when the archive has left it."""
    port, log = free_port(), tmp_path_factory.mktemp("scale") / "log"
    place = {"PORT": str(port), "HOST": "127.0.0.1", "RAY_ADDRESS": nodes.address}
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "api.scale_out.ray_serve"],
            cwd=ROOT,
            env=ray_environment | place,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until_ready(f"http://127.0.0.1:{port}", process, log, PATIENCE)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0


def test_the_app_answers_as_without_ray(url, client, noise):
    records = [{"record": record} for record in noise.standard_normal((20, 2048)).tolist()]
    ours, others = (ask("/batch_predict/", json=records).json()["Analysis"] for ask in (client.post, poster(url)))
    difference = [
        abs(one["Probabilities"][name] - other["Probabilities"][name])
        for one, other in zip(ours, others, strict=True)
        for name in one["Probabilities"]
    ]
    assert max(difference) < 1e-6
    assert poster(url)("/batch_predict/", json=[{"record": [1.0]}]).status_code == 422
    files = {"file": ("ball.wav", (ROOT / "assets" / "examples" / "ball.wav").read_bytes())}
    ours, others = (ask("/diagnose/", data={"rpm": "1797"}, files=files).json() for ask in (client.post, poster(url)))
    assert others["windows"] == ours["windows"]
    assert requests.get(f"{url}/model/", timeout=10).json()["classes"] == client.get("/model/").json()["classes"]
    assert requests.get(f"{url}/health/ready", timeout=10).ok
    assert requests.get(url, timeout=10).text == client.get("/").text


def poster(url):
    return lambda path, **content: requests.post(url + path, timeout=PATIENCE, **content)


class Load:
    """Senders that ask, each one again until it is answered, and note what they met."""

    def __init__(self, url, records):
        self.url = f"{url}/batch_predict/"
        self.bodies = [json.dumps([{"record": record}]) for record in records]
        self.expected = [self.ask(requests.Session(), body) for body in self.bodies]
        self.met, self.answers, self.stopped = Counter(), [], threading.Event()
        self.threads = [threading.Thread(target=self.send, args=(number,)) for number in range(SENDERS)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def gets(self, more):
        """Return a function that says whether so many more answers have come by then."""
        enough = len(self.answers) + more
        return lambda: len(self.answers) >= enough

    def send(self, number):
        with requests.Session() as session:
            while not self.stopped.is_set():
                which = number % len(self.bodies)
                self.answers.append((which, self.ask(session, self.bodies[which])))
                number += 1

    def ask(self, session, body):
        """Return the probabilities; a server's error or a lost connection means to ask again."""
        for _ in range(200):
            try:
                response = session.post(self.url, data=body, headers={"Content-Type": "application/json"}, timeout=10)
            except requests.RequestException:
                self.met["lost connection", None] += 1
            else:
                # A proxy that Ray starts on another node shares the port, and answers so before it knows the routes.
                unknown = response.status_code == 404 and "/-/routes" in response.text
                if response.status_code < 500 and not unknown:
                    return list(response.json()["Analysis"][0]["Probabilities"].values())
                self.met[response.status_code, response.headers.get("Retry-After")] += 1
            time.sleep(0.05)
        return None


def test_replicas_are_added_under_load_and_a_killed_one_loses_nothing(url, nodes, noise):
    assert len(replicas(nodes)) == 1
    with Load(url, noise.standard_normal((8, 2048)).tolist()) as load:
        wait_until(lambda: len(replicas(nodes)) == 2, PATIENCE)
        wait_until(load.gets(100), PATIENCE)
        killed = replicas(nodes)[0]
        os.kill(killed, 9)
        wait_until(lambda: len(set(replicas(nodes)) - {killed}) == 2, PATIENCE)
        wait_until(load.gets(100), PATIENCE)
    assert all(np.allclose(answer, load.expected[which], atol=1e-6) for which, answer in load.answers)
    full = [met for met in load.met if met[0] == 503]  # none, where the queue never filled up
    assert set(full) <= {(503, "1")}


def test_everything_listens_on_loopback_alone(url, nodes):
    own = {
        str(link.readlink())
        for pid in descendants(nodes.pid)
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if link.is_symlink() and link.exists()
    }
    rows = [row.split() for name in ("tcp", "tcp6") for row in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    listening = {row[1].partition(":")[0] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in own}
    assert listening
    assert {address[-8:] for address in listening} == {"0100007F"}  # 127.0.0.1, also as an IPv6 address
