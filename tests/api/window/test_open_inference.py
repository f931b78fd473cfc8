import json

import numpy as np
import pytest
import requests
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException

from tests.api.window.bodies import MOST
from tests.api.window.infer import MODEL, check_refusal, question
from tests.conftest import ROOT, running

CLASSES = ["Ball", "InnerRace", "Normal", "OuterRace"]


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    with running(tmp_path_factory.mktemp("service")) as url:
        yield url


@pytest.fixture(scope="module")
def triton(url):
    with InferenceServerClient(url.removeprefix("http://")) as triton:
        yield triton


@pytest.fixture(scope="module")
def records() -> np.ndarray:
    example = json.loads((ROOT / "assets" / "example.json").read_text())
    return np.array([item["record"] for item in example], dtype=np.float32)


@pytest.fixture(scope="module")
def expected(url, records) -> list[dict]:
    items = [{"record": record} for record in records.tolist()]
    return requests.post(f"{url}/batch_predict/", json=items, timeout=10).json()["Analysis"]


def as_input(records: np.ndarray, datatype: str, binary: bool) -> InferInput:
    return InferInput("records", records.shape, datatype).set_data_from_numpy(records, binary_data=binary)


def check_answer(answer, expected: list[dict]) -> None:
    """The same labels, and the same probabilities to 1e-6, as /batch_predict/ gave."""
    probabilities = answer.as_numpy("probabilities")
    assert probabilities.dtype == np.float32
    assert probabilities == pytest.approx(
        np.array([list(item["Probabilities"].values()) for item in expected]), abs=1e-6
    )
    labels = [str(label, "utf-8") if isinstance(label, bytes) else label for label in answer.as_numpy("label")]
    assert labels == [item["Prediction"] for item in expected]


def test_triton_asks_for_health_and_metadata(triton):
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready("bearing")
    assert triton.is_model_ready("bearing", "1")
    assert not triton.is_model_ready("other")
    assert not triton.is_model_ready("bearing", "2")
    assert "binary_tensor_data" in triton.get_server_metadata()["extensions"]
    assert triton.get_model_metadata("bearing") == triton.get_model_metadata("bearing", "1")
    assert triton.get_model_metadata("bearing") == {
        "name": "bearing",
        "versions": ["1"],
        "platform": "onnxruntime_onnx",
        "inputs": [{"name": "records", "datatype": "FP32", "shape": [-1, 2048]}],
        "outputs": [
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, 4]},
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
        ],
        "parameters": {"classes": ",".join(CLASSES)},
    }


def test_kserve_reads_its_words_in_the_answers(url):
    """KServe's client reads `live` and `ready` out of the answers; Triton's the status alone."""
    assert requests.get(f"{url}/v2/health/live", timeout=5).json() == {"live": True}
    assert requests.get(f"{url}/v2/health/ready", timeout=5).json() == {"ready": True}
    assert requests.get(f"{url}{MODEL}/ready", timeout=5).json() == {"name": "bearing", "ready": True}


@pytest.mark.parametrize("binary_outputs", [("probabilities", "label"), ("probabilities",), ("label",), (), None])
@pytest.mark.parametrize("binary", [True, False])
def test_triton_gets_the_answers_of_batch_predict(triton, records, expected, binary, binary_outputs):
    outputs = None  # for which Triton's client asks for all outputs as binary tensors
    if binary_outputs is not None:
        names = ["label", "probabilities"]
        outputs = [InferRequestedOutput(name, binary_data=name in binary_outputs) for name in names]
    answer = triton.infer("bearing", [as_input(records, "FP32", binary)], "1", outputs=outputs, request_id="question 7")
    check_answer(answer, expected)
    assert answer.get_response()["id"] == "question 7"
    assert (answer.get_response()["model_name"], answer.get_response()["model_version"]) == ("bearing", "1")
    for name in ("probabilities", "label"):
        is_binary = outputs is None or name in binary_outputs
        assert ("data" in answer.get_output(name)) is not is_binary


def test_only_the_outputs_that_were_asked_for_come(triton, records):
    answer = triton.infer("bearing", [as_input(records, "FP32", True)], outputs=[InferRequestedOutput("label")])
    assert [output["name"] for output in answer.get_response()["outputs"]] == ["label"]


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize(("datatype", "dtype"), [("FP64", "f8"), ("INT16", "i2"), ("INT32", "i4")])
def test_other_datatypes_are_converted(url, triton, noise, datatype, dtype, binary):
    records = (1000 * noise.standard_normal((3, 2048))).astype(dtype)
    items = [{"record": record} for record in records.tolist()]
    expected = requests.post(f"{url}/batch_predict/", json=items, timeout=10).json()["Analysis"]
    check_answer(triton.infer("bearing", [as_input(records, datatype, binary)]), expected)


@pytest.mark.parametrize("binary", [True, False])
def test_one_record_may_come_without_a_batch(triton, records, expected, binary):
    check_answer(triton.infer("bearing", [as_input(records[0], "FP32", binary)]), expected[:1])


def test_many_records_get_the_answers_of_each(triton, records, expected):
    check_answer(triton.infer("bearing", [as_input(np.tile(records, (100, 1)), "FP32", True)]), expected * 100)


def test_json_may_be_nested_or_flat(url, records, expected):
    answers = [
        requests.post(f"{url}{MODEL}/infer", json=question(records.tolist(), 4), timeout=10),
        requests.post(f"{url}{MODEL}/infer", json=question(records.ravel().tolist(), 4), timeout=10),
    ]
    assert answers[0].json() == answers[1].json()
    assert answers[0].headers["content-type"] == "application/json"
    probabilities, label = answers[0].json()["outputs"]
    assert probabilities["data"] == pytest.approx(
        [value for item in expected for value in item["Probabilities"].values()], abs=1e-6
    )
    assert (probabilities["shape"], label["shape"]) == ([4, 4], [4])
    assert label["data"] == [item["Prediction"] for item in expected]
    assert "id" not in answers[0].json()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda records: records[:, :2047], "2047"),
        (lambda records: records[:0], f"1 to {MOST}"),
        (lambda records: np.zeros_like(records), "this is a constant"),
        (lambda records: np.where(records == records[2, 5], np.nan, records), r"2\.record\.5: "),
        (lambda records: records[:, :, None], "Shape should be"),
    ],
)
def test_triton_reads_in_words_what_is_wrong_with_its_records(triton, records, change, words):
    with pytest.raises(InferenceServerException, match=words) as refused:
        triton.infer("bearing", [as_input(change(records), "FP32", True)])
    assert refused.value.status() == "400"


@pytest.mark.parametrize(
    "ask",
    [
        lambda triton, _: triton.get_model_metadata("other"),
        lambda triton, _: triton.get_model_metadata("bearing", "2"),
        lambda triton, tensor: triton.infer("other", [tensor]),
        lambda triton, tensor: triton.infer("bearing", [tensor], "2"),
        lambda triton, _: triton.get_model_config("bearing"),
        lambda triton, _: triton.load_model("bearing"),
    ],
)
def test_triton_reads_in_words_what_is_not_served(triton, records, ask):
    with pytest.raises(InferenceServerException, match="the only model is 'bearing'") as refused:
        ask(triton, as_input(records, "FP32", True))
    assert refused.value.status() == "404"


def test_what_triton_offers_and_this_service_does_not_is_refused_in_words(triton, records):
    tensor = as_input(records, "FP32", True)
    with pytest.raises(InferenceServerException, match="classification"):
        triton.infer("bearing", [tensor], outputs=[InferRequestedOutput("probabilities", class_count=2)])
    with pytest.raises(InferenceServerException, match="Content-Encoding") as refused:
        triton.infer("bearing", [tensor], request_compression_algorithm="gzip")
    assert refused.value.status() == "415"
    with pytest.raises(InferenceServerException, match="FP32"):
        triton.infer("bearing", [as_input(records.astype(np.float16), "FP16", True)])


def test_json_of_more_numbers_than_memory_should_hold_is_refused_before_it_is_parsed(url):
    answer = requests.post(f"{url}{MODEL}/infer", data=b"[" + b"0," * (15 << 20) + b"0]", timeout=30)
    check_refusal(answer, 413)
    assert "fewer records at once, or binary ones" in answer.json()["error"]


def test_a_request_beyond_the_limit_is_refused_before_it_is_read(url):
    check_refusal(requests.post(f"{url}{MODEL}/infer", data=b" " * (66 << 20), timeout=30), 413)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v2"), ("GET", f"{MODEL}/infer"), ("DELETE", MODEL), ("GET", "/v2/what/ever\x00")]
)
def test_what_the_protocol_does_not_know_is_refused_in_its_form(url, method, path):
    check_refusal(requests.request(method, url + path, timeout=5), 404)


def test_a_service_that_stops_says_so_in_the_form_of_the_protocol(client):
    client.app.state.ready = False
    try:
        for path in ("/v2/health/ready", f"{MODEL}/ready"):
            answer = client.get(path)
            assert (answer.status_code, answer.json(), answer.headers["retry-after"]) == (
                503,
                {"error": "stopping"},
                "5",
            )
        assert client.get("/v2/health/live").status_code == 200
    finally:
        client.app.state.ready = True
