"""Runs of a graph that are recorded once on the device, and replayed from then on.

It takes the CPU longer to launch the hundreds of small operators of a graph than the device to
compute them. CUDA can record the launches of one run and repeat them in a single one (a CUDA
graph). A replay reads and writes the very addresses that were recorded. So inputs are copied to
these addresses before it, and what comes out is copied from there: a state that somebody keeps is
a value that no later replay writes on. Tensors are copied on the device.

Onnxruntime keeps a recording for the thread that made it, and while a thread records no other may
use the device: all of this happens within `Runner.in_turn`.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

from vidcolor.errors import BundleError, ProviderError
from vidcolor.inference import contract
from vidcolor.inference.agreement import CheckedRun
from vidcolor.inference.fallback import Fallback
from vidcolor.inference.io_binding import Shapes, StagingBuffer
from vidcolor.inference.providers import onnxruntime
from vidcolor.inference.runner import Outputs, Planes, Run, Runner, Tensors
from vidcolor.inference.running import was_ended

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, OrtValue

_RUN_OPTION = "gpu_graph_id", "1"
"""One recording of each session: it is for one size and number of keys."""

_CHECKED = 2
"""Runs that are compared with plain ones: the one that is recorded, and the first replay."""


class Recording:
    """The runs of one graph for one size, all on the same addresses."""

    def __init__(self, graph: InferenceSession, runner: Runner) -> None:
        """graph: opened to be recorded, on a device. runner: whose memory it uses."""
        self._graph, self._runner = graph, runner
        self._binding: Any = None
        self._inputs: dict[str, OrtValue] = {}
        self._outputs: dict[str, OrtValue] = {}
        self._memory: dict[str, OrtValue] = {}
        """What the keys' memory was copied from last: it stays the same from frame to frame."""

    def run(self, planes: Planes, feeds: Tensors, shapes: Shapes) -> Outputs:
        """As `Runner.run`; the first run is the one that is recorded."""

        def run(options: Any) -> Outputs:
            if self._binding is None:
                self._bind(planes, feeds, shapes)
            for name, tensor in feeds.items():
                if self._memory.get(name) is not tensor:
                    _copy_to(self._inputs[name], tensor)
                if name.startswith(contract.MEMORY):
                    self._memory[name] = tensor
            self._planes.fill(planes)  # last: a copy from the host waits for those on the device
            options.add_run_config_entry(*_RUN_OPTION)
            self._graph.run_with_iobinding(self._binding, options)
            kept = {name: self._copy(tensor) for name, tensor in self._outputs.items()}
            fetched = self._planes.fetch()  # a copy to the host waits for them, too
            return {name: plane.copy() for name, plane in fetched.items()}, kept

        return self._runner.in_turn(run)

    def _bind(self, planes: Planes, feeds: Tensors, shapes: Shapes) -> None:
        """Allocate what is written on from now on, and bind it."""
        binding = self._graph.io_binding()
        for name, tensor in feeds.items():
            self._inputs[name] = self._like(tensor)
            binding.bind_ortvalue_input(name, self._inputs[name])
        self._planes = StagingBuffer(
            binding,
            self._runner.memory,
            self._runner.device_id,
            inputs=planes,
            output_shapes=shapes,
        )
        for name in (tensor.name for tensor in self._graph.get_outputs()):
            if name not in shapes:
                before = contract.STATE + name[len(contract.NEXT) :]
                self._outputs[name] = self._like(feeds[before])
                binding.bind_ortvalue_output(name, self._outputs[name])
        self._binding = binding

    def _like(self, tensor: OrtValue) -> OrtValue:
        """Room for a tensor of the same shape and type."""
        return onnxruntime().OrtValue.ortvalue_from_shape_and_type(
            tensor.shape(), tensor.element_type(), self._runner.memory, self._runner.device_id
        )

    def _copy(self, tensor: OrtValue) -> OrtValue:
        copy = self._like(tensor)
        _copy_to(copy, tensor)
        return copy


def _copy_to(place: OrtValue, tensor: OrtValue) -> None:
    """Copy a tensor on its device."""
    try:
        place.update_inplace(tensor)
    except TypeError:  # it takes arrays of the host alone
        raise ProviderError(
            "the installed onnxruntime copies nothing on the device; install a newer one"
        ) from None


class RecordedRun:
    """Runs a graph by a recording where that works, and plainly where it does not."""

    def __init__(
        self,
        record: Callable[[], InferenceSession],
        plain: Callable[[], Run],
        right: Run,
        runner: Runner,
        fallback: Fallback,
    ) -> None:
        """What to run, and by what means.

        Args:
            record: Opens the graph to be recorded.
            plain: Opens it to be run as it is.
            right: Runs it in a way that is known, which is slower.
            runner: Whose memory both use.
            fallback: Of all the sizes of the graph.
        """
        self._record, self._plain, self._right = record, plain, right
        self._runner, self._fallback = runner, fallback
        self._lock = Lock()
        self._recorded: CheckedRun | None = None
        self._plainly: Run | None = None

    def __call__(self, planes: Planes, feeds: Tensors, shapes: Shapes) -> Outputs:
        """As `Run`."""
        with self._lock:
            if not self._fallback.is_taken:
                try:
                    return self._replay(planes, feeds, shapes)
                except (BundleError, ProviderError) as error:
                    self._recorded = None
                    if was_ended(error):
                        raise
                    self._fallback.take(error)
                except BaseException:
                    self._recorded = None  # it may have been under way
                    raise
            if self._plainly is None:
                self._plainly = self._plain()
        return self._plainly(planes, feeds, shapes)

    def _replay(self, planes: Planes, feeds: Tensors, shapes: Shapes) -> Outputs:
        if self._recorded is None:
            self._recorded = CheckedRun(
                Recording(self._runner.in_turn(lambda _: self._record()), self._runner).run,
                self._right,
                self._runner,
                times=_CHECKED,
                fault="a replay does not compute what the graph computes",
            )
        return self._recorded(planes, feeds, shapes)
