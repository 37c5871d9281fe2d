"""Frames prepared for a model: one by one, or ahead of their steps on other threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, replace

import numpy as np

from vidcolor.ahead import map_ahead
from vidcolor.cores import one_opencv_thread
from vidcolor.errors import ArgumentError
from vidcolor.inference import contract
from vidcolor.inference.runner import Tensors
from vidcolor.motion.exposure import Exposure, brightening, exposed
from vidcolor.motion.frame_inputs import FrameInputs, prepare_inputs
from vidcolor.motion.optical_flow import Flow, Luma8, to_uint8
from vidcolor.motion.track import Tracks
from vidcolor.planes import Plane

_FutureTracks = tuple[Future[Flow], ...]
"""The track of each key in a frame that another thread may still be computing."""


@dataclass(frozen=True)
class Preparer:
    """Prepares frames for one model. Threads may share it."""

    required_flows: frozenset[str]
    """The contract's flow inputs that the model has."""
    multiple: int
    """The model's size multiple, in pixels."""
    features: Callable[[Plane], Tensors]
    """`Session.features`."""

    def previous(self, luma8: Luma8 | None) -> Luma8 | None:
        """Luma codes [h, w] if the next frame needs the flow to them, else None."""
        needed = self.required_flows & contract.FLOWS_WITH_PREVIOUS
        return luma8 if needed else None

    def prepare(
        self,
        luma: Plane,
        *,
        size: tuple[int, int],
        previous: Luma8 | None,
        keys: tuple[Luma8, ...],
        luma8: Luma8 | None = None,
        exposure: Exposure | None = None,
        reuse: FrameInputs | None = None,
    ) -> FrameInputs:
        """The inputs of one frame.

        Args:
            luma: [h, w] float32 in [0, 1].
            size: Height and width that it must have.
            previous: Luma codes [h, w] of the frame before; None if there is none.
            keys: Luma codes [H/2, W/2] of each key, as in `prepare_inputs`.
            luma8: Luma codes [h, w] of this frame, if they are known already.
            exposure: Of the frame before, if it is known. Else the frame is taken for steady film,
                and its features have to be computed anew if it is not.
            reuse: Inputs already computed for this frame in another pass; features and flow to
                shared keys are taken from them.

        Returns:
            The inputs, without tracks.

        Raises:
            ArgumentError: `luma` has another shape or type, or is not in [0, 1].
            BundleError: The model's features graph failed.
        """
        if isinstance(luma, np.ndarray) and luma.ndim == 2 and luma.shape != size:
            height, width = size
            raise ArgumentError(
                f"luma is {luma.shape[1]}x{luma.shape[0]} pixels, "
                f"its state is of frames of {width}x{height}"
            )
        if reuse is not None and not reuse.are_of(luma):
            reuse = None  # a source may give another frame today than it did then
        try:
            inputs = prepare_inputs(
                luma,
                luma8,
                required_flows=self.required_flows,
                multiple=self.multiple,
                previous=previous,
                keys=keys,
                reuse=reuse,
            )
        except ValueError as error:
            raise ArgumentError(str(error)) from None
        gain = 1.0 if exposure is None else exposure.after(inputs.brightening).gain
        if reuse is not None and reuse.gain == gain:
            return replace(inputs, features=reuse.features, gain=gain)
        return replace(inputs, features=self.features(exposed(inputs.luma, gain)), gain=gain)

    def ahead(
        self,
        lumas: Iterable[Plane],
        *,
        size: tuple[int, int],
        previous: Luma8 | None,
        keys: tuple[Luma8, ...],
        tracks: Tracks | None,
        exposure: Exposure,
        workers: int,
    ) -> Iterator[FrameInputs]:
        """The inputs of frames that follow each other, computed by other threads.

        A frame's flows are computed beside those of the next frames. Its tracks go on from those of
        the frame before, key by key: while one thread follows a key, the thread of the frame
        before may follow the next key. OpenCV uses one thread in each of them.

        Args:
            lumas: Of each frame, as in `prepare`; read `workers` frames ahead, in the caller's
                thread.
            size: Height and width that they must have.
            previous: Luma codes [h, w] of the frame before the first; None if there is none.
            keys: Luma codes [H/2, W/2] of each key, as in `prepare_inputs`.
            tracks: Of the frame before the first; None if there is none.
            exposure: Of the frame before the first.
            workers: How many threads prepare.

        Yields:
            The inputs of each frame, in order, with tracks.

        Raises:
            ArgumentError: A luma has another shape or type; raised at its place.
        """

        def prepared(turn: _Turn) -> FrameInputs:
            try:
                with one_opencv_thread():
                    inputs = self.prepare(
                        turn.luma,
                        size=size,
                        previous=turn.previous,
                        keys=keys,
                        luma8=turn.luma8,
                        exposure=turn.exposure,
                    )
                    return _with_tracks(inputs, turn)
            except BaseException as error:
                for track in turn.tracks:
                    if not track.done():
                        track.set_exception(error)  # or who waits for it would wait for ever
                raise

        turns = self._turns(lumas, previous, tracks, len(keys), exposure)
        return map_ahead(prepared, turns, workers)

    def _turns(
        self,
        lumas: Iterable[Plane],
        previous: Luma8 | None,
        tracks: Tracks | None,
        keys: int,
        exposure: Exposure,
    ) -> Iterator[_Turn]:
        """What each frame is prepared from. A frame's tracks are computed from the last ones."""
        previous_tracks = None if tracks is None else tuple(map(_done, tracks))
        for luma in lumas:
            luma8 = to_uint8(luma) if self.required_flows else None
            own = tuple(Future[Flow]() for _ in range(keys))
            yield _Turn(luma, luma8, previous, previous_tracks, own, exposure)
            exposure = exposure.after(brightening(previous, luma8))
            previous, previous_tracks = self.previous(luma8), own


@dataclass(frozen=True, eq=False)
class _Turn:
    """What one of the frames that follow each other is prepared from."""

    luma: Plane
    luma8: Luma8 | None
    previous: Luma8 | None
    previous_tracks: _FutureTracks | None
    tracks: _FutureTracks
    """Where the frame's own tracks go."""
    exposure: Exposure
    """Of the frame before."""


def _with_tracks(inputs: FrameInputs, turn: _Turn) -> FrameInputs:
    """The inputs with their tracks, each of which is told as soon as it is known."""
    if not inputs.needs_tracks:
        return inputs
    if turn.previous_tracks is None:
        for own, direct in zip(turn.tracks, inputs.direct, strict=True):
            own.set_result(direct)
        return inputs.with_tracks(None)
    followed = inputs.follow(track.result() for track in turn.previous_tracks)
    for own, track in zip(turn.tracks, followed, strict=True):
        own.set_result(track)
    tracks, before = (
        tuple(track.result() for track in of) for of in (turn.tracks, turn.previous_tracks)
    )
    return inputs.with_known_tracks(tracks, before)


def _done(track: Flow) -> Future[Flow]:
    future = Future[Flow]()
    future.set_result(track)
    return future
