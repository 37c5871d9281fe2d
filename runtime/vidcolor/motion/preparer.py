"""Frames prepared for a model: one by one, or ahead of their steps on other threads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

from vidcolor.ahead import map_ahead
from vidcolor.errors import ArgumentError
from vidcolor.inference import contract
from vidcolor.motion.frame_inputs import FrameInputs, prepare_inputs
from vidcolor.motion.optical_flow import Luma8, to_uint8
from vidcolor.motion.track import Tracks
from vidcolor.planes import Plane

_FutureTracks = Future[Tracks | None]
"""The tracks of a frame that another thread may still be computing."""


@dataclass(frozen=True)
class Preparer:
    """Prepares frames for one model. Threads may share it."""

    required_flows: frozenset[str]
    """The contract's flow inputs that the model has."""
    multiple: int
    """The model's size multiple, in pixels."""

    def previous(self, luma8: Luma8 | None) -> Luma8 | None:
        """Luma codes [h, w] if the next frame needs the flow to them, else None."""
        needed = self.required_flows & {contract.FLOW_PREVIOUS, contract.FLOW_TRACK}
        return luma8 if needed else None

    def prepare(
        self,
        luma: Plane,
        *,
        size: tuple[int, int],
        previous: Luma8 | None,
        keys: tuple[Luma8, ...],
        luma8: Luma8 | None = None,
        reuse: FrameInputs | None = None,
    ) -> FrameInputs:
        """The inputs of one frame.

        Args:
            luma: [h, w] float32 in [0, 1].
            size: Height and width that it must have.
            previous: Luma codes [h, w] of the frame before; None if there is none.
            keys: Luma codes [H/2, W/2] of each key, as in `prepare_inputs`.
            luma8: Luma codes [h, w] of this frame, if they are known already.
            reuse: Inputs already computed for this frame in another pass; flow to shared keys is
                copied from them.

        Returns:
            The inputs, without tracks.

        Raises:
            ArgumentError: `luma` has another shape or type.
        """
        if luma.ndim == 2 and luma.shape != size:
            height, width = size
            raise ArgumentError(
                f"luma is {luma.shape[1]}x{luma.shape[0]} pixels, "
                f"its state is of frames of {width}x{height}"
            )
        try:
            return prepare_inputs(
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

    def ahead(
        self,
        lumas: Iterable[Plane],
        *,
        size: tuple[int, int],
        previous: Luma8 | None,
        keys: tuple[Luma8, ...],
        tracks: Tracks | None,
        workers: int,
    ) -> Iterator[FrameInputs]:
        """The inputs of frames that follow each other, computed by other threads.

        Args:
            lumas: Of each frame, as in `prepare`; read `workers` frames ahead, in the caller's
                thread.
            size: Height and width that they must have.
            previous: Luma codes [h, w] of the frame before the first; None if there is none.
            keys: Luma codes [H/2, W/2] of each key, as in `prepare_inputs`.
            tracks: Of the frame before the first; None if there is none.
            workers: How many threads prepare.

        Yields:
            The inputs of each frame, in order, with tracks.

        Raises:
            ArgumentError: A luma has another shape or type; raised at its place.
        """

        def prepared(turn: _Turn) -> FrameInputs:
            """Only the tracks wait for those of the frame before, which another thread has."""
            try:
                inputs = self.prepare(
                    turn.luma, size=size, previous=turn.previous, keys=keys, luma8=turn.luma8
                ).with_tracks(turn.previous_tracks.result())
            except BaseException as error:
                turn.tracks.set_exception(error)  # or the next frame's thread would wait for ever
                raise
            turn.tracks.set_result(inputs.tracks)
            return inputs

        return map_ahead(prepared, self._turns(lumas, previous, tracks), workers)

    def _turns(
        self, lumas: Iterable[Plane], previous: Luma8 | None, tracks: Tracks | None
    ) -> Iterator[_Turn]:
        """What each frame is prepared from. A frame's tracks are computed from the last ones."""
        previous_tracks = _FutureTracks()
        previous_tracks.set_result(tracks)
        for luma in lumas:
            luma8 = to_uint8(luma) if self.required_flows else None
            turn = _Turn(luma, luma8, previous, previous_tracks, _FutureTracks())
            yield turn
            previous, previous_tracks = self.previous(luma8), turn.tracks


@dataclass(frozen=True, eq=False)
class _Turn:
    """What one of the frames that follow each other is prepared from."""

    luma: Plane
    luma8: Luma8 | None
    previous: Luma8 | None
    previous_tracks: _FutureTracks
    tracks: _FutureTracks
    """Where the frame's own tracks go."""
