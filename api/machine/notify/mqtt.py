"""ALARM_MQTT: each change is published as JSON at QoS 1, under PREFIX/MACHINE/POINT/alarm."""

import json
from typing import Any
from urllib.parse import unquote, urlsplit

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from api.machine.notify.outbox import DeliveryError

TIMEOUT = 10  # s until the broker has taken a message
AT_LEAST_ONCE = 1
KEEP_ALIVE = 30  # s


class Mqtt:
    """A receiver behind an MQTT broker: mqtt://[user:password@]host[:port]/prefix, or mqtts:// with TLS."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.prefix = unquote(parts.path).strip("/")
        self.client = Client(CallbackAPIVersion.VERSION2)
        if parts.username:
            self.client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self.client.tls_set()
        self.client.connect_async(parts.hostname, parts.port or (8883 if parts.scheme == "mqtts" else 1883), KEEP_ALIVE)
        self.client.loop_start()  # a thread that connects, and connects again

    def send(self, message: dict[str, Any]) -> None:
        """Return once the broker has acknowledged the message. Raises DeliveryError."""
        if not self.client.is_connected():
            raise DeliveryError("there is no connection to the broker")
        topic = "/".join(filter(None, (self.prefix, message["machine"], message["point"], "alarm")))
        try:
            sent = self.client.publish(topic, json.dumps(message), qos=AT_LEAST_ONCE)
            sent.wait_for_publish(TIMEOUT)
        except (RuntimeError, ValueError) as error:
            raise DeliveryError(str(error)) from error
        if sent.rc != MQTTErrorCode.MQTT_ERR_SUCCESS or not sent.is_published():
            raise DeliveryError("the broker did not acknowledge it")

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
