from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from export.parity import TOLERANCES, ParityError, check_parity
from export.precision import to_float16
from tests.export.courier import Courier
from vidcolor.inference.contract import graph_path


@pytest.fixture
def bundle(courier_graphs, tmp_path) -> Path:
    for name, model in courier_graphs.items():
        onnx.save(model, graph_path(tmp_path, name, "float32"))
        onnx.save(to_float16(model), graph_path(tmp_path, name, "float16"))
    return tmp_path


def spoil(path: Path, initializer: str, change) -> None:
    model = onnx.load(path)
    (tensor,) = (t for t in model.graph.initializer if t.name == initializer)
    values = numpy_helper.to_array(tensor)
    tensor.CopyFrom(numpy_helper.from_array(change(values).astype(values.dtype), tensor.name))
    onnx.save(model, path)


def test_the_graphs_colour_as_the_generator_does(courier, bundle):
    parities = check_parity(courier, bundle)
    assert [parity.precision for parity in parities] == ["float32", "float16"]
    for parity in parities:
        assert 0 < parity.chroma <= TOLERANCES[parity.precision].chroma
        assert 0 < parity.confidence <= TOLERANCES[parity.precision].confidence
    assert parities[0].chroma <= parities[1].chroma


def test_altered_weights_are_found(courier, bundle):
    path = graph_path(bundle, "propagate", "float32")
    spoil(path, "generator.mix.3.weight", lambda values: values * 1.02)
    with pytest.raises(ParityError, match=r"of the float32 graph is .* in frame 1 of 56x48"):
        check_parity(courier, bundle)


def test_no_number_is_no_parity(courier, bundle):
    path = graph_path(bundle, "propagate", "float16")
    spoil(path, "generator.mix.3.bias", lambda values: values * np.nan)
    with pytest.raises(ParityError, match=r"the float16 graph fails in frame 1: .* no numbers"):
        check_parity(courier, bundle)


def test_a_second_key_is_compared_too(courier, bundle):
    class OneKey(Courier):
        """Sees only the first of its keys."""

        def propagate(self, luma, state, memory, flows):
            first = {name: tensor[:, :1] for name, tensor in memory.items()}
            flows = flows | {"flow.key": flows["flow.key"][:, :1]}
            return super().propagate(luma, state, first, flows)

    forgetful = OneKey()
    forgetful.load_state_dict(courier.state_dict())
    with pytest.raises(ParityError, match=r"chroma of the float32 graph .* with 2 key"):
        check_parity(forgetful, bundle)


def test_a_state_that_is_lost_is_found(courier, bundle):
    class Forgetful(Courier):
        """Carries the features of the key instead of the last frame's."""

        def propagate(self, luma, state, memory, flows):
            painted = super().propagate(luma, state, memory, flows)
            return painted._replace(state=painted.state | {"feature": state["feature"]})

    forgetful = Forgetful()
    forgetful.load_state_dict(courier.state_dict())
    with pytest.raises(ParityError, match="in frame 2 of"):
        check_parity(forgetful, bundle)
