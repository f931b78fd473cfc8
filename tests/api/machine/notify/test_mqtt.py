"""Changes reach a subscriber through Debian's mosquitto."""

import json
import shutil
import socket
import subprocess

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from api.machine.notify.mqtt import Mqtt
from api.machine.notify.outbox import DeliveryError
from tests.conftest import wait_until

PROGRAM = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
MESSAGE = {"id": 7, "machine": "pump", "point": "drive-end", "kind": "raised", "level": "alarm"}
pytestmark = pytest.mark.skipif(not PROGRAM, reason="MOSQUITTO SKIPPED: it is not installed; apt-get install mosquitto")


@pytest.fixture
def port(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    (tmp_path / "conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    with subprocess.Popen([PROGRAM, "-c", tmp_path / "conf"], stderr=subprocess.DEVNULL) as broker:
        wait_until(lambda: is_listening(port))
        yield port
        broker.terminate()


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def receiver(port):
    receiver = Mqtt(f"mqtt://127.0.0.1:{port}/plant/bearings")
    yield receiver
    receiver.close()


def test_a_change_reaches_a_subscriber_of_the_machine(port, receiver):
    came = []
    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda _client, _data, message: came.append(message)
    client.on_subscribe = lambda *_: came.append("subscribed")
    client.connect("127.0.0.1", port)
    client.subscribe("plant/bearings/+/+/alarm", qos=1)
    client.loop_start()
    wait_until(lambda: came == ["subscribed"])
    wait_until(receiver.client.is_connected)
    receiver.send(MESSAGE)
    wait_until(lambda: len(came) == 2)
    client.disconnect()
    client.loop_stop()
    assert came[1].topic == "plant/bearings/pump/drive-end/alarm"
    assert came[1].qos == 1
    assert json.loads(came[1].payload) == MESSAGE


def test_a_message_that_cannot_be_published_is_a_try_that_failed(receiver):
    wait_until(receiver.client.is_connected)
    with pytest.raises(DeliveryError, match="wildcards"):
        receiver.send(MESSAGE | {"machine": "#"})


def test_a_broker_that_is_gone_is_a_try_that_failed():
    receiver = Mqtt("mqtt://127.0.0.1:9/plant")
    with pytest.raises(DeliveryError, match="no connection to the broker"):
        receiver.send(MESSAGE)
    receiver.close()
