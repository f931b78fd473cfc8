"""The served network behind LitServe with its defaults: `python litserve_service.py PORT`.

It runs in an environment of its own. The body is that of /batch_predict/. Front end, network and softmax are in the
graph, so there is no more to do.
"""

import os
import sys

import litserve
import numpy as np
import onnxruntime


class Bearing(litserve.LitAPI):
    def setup(self, _device: str) -> None:
        self.session = onnxruntime.InferenceSession(os.environ["MODEL"], providers=["CPUExecutionProvider"])
        self.classes = os.environ["CLASSES"].split(",")

    def decode_request(self, request: list[dict]) -> np.ndarray:
        return np.array([item["record"] for item in request], np.float32)

    def predict(self, records: np.ndarray) -> np.ndarray:
        return self.session.run(["probabilities"], {"windows": records})[0]

    def encode_response(self, probabilities: np.ndarray) -> list[dict]:
        return [dict(zip(self.classes, row, strict=True)) for row in probabilities.tolist()]


if __name__ == "__main__":
    server = litserve.LitServer(Bearing(), api_path="/batch_predict/", healthcheck_path="/health/ready")
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)
