"""The review page plays the film, forwards and backwards, with its sound."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import pytest

from tests.runtime.commands.review.film import FIRST, FRAMES, open_page, report, settle, shown_frame
from vidcolor.cli import main

if TYPE_CHECKING:
    from playwright.sync_api import Page


def test_it_plays_to_the_end_and_again(page: Page) -> None:
    page.evaluate("seek(65)")
    settle(page)
    page.keyboard.press(" ")
    page.wait_for_function("film.ended")
    page.wait_for_function(
        f"document.getElementById('frame').textContent === '{FIRST + FRAMES - 1}'"
    )
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("!film.paused && film.currentTime < 2")
    page.get_by_role("button", name="Stop").click()
    assert page.evaluate("film.paused")


def test_j_k_l_play_backwards_and_forwards(page: Page) -> None:
    page.keyboard.press("l")
    page.wait_for_function("current > 3 && !film.paused")
    page.keyboard.press("k")
    page.wait_for_function("film.paused")
    settle(page)
    stopped = page.evaluate("current")
    assert shown_frame(page) == pytest.approx(stopped, abs=1.5)
    page.keyboard.press("End")
    settle(page)
    page.keyboard.press("j")
    assert page.locator("#speed").inner_text() == "◀ 1×"
    page.wait_for_function("current < 70 && current > 0")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.locator("#speed").inner_text() == "◀ 4×"
    page.wait_for_function("current === 0 && speed === 0")
    settle(page)
    assert shown_frame(page) == pytest.approx(0, abs=1.5)
    page.keyboard.press("l")
    page.keyboard.press("l")
    assert page.evaluate("[film.playbackRate, speed]") == [2, 2]
    page.keyboard.press("l")
    page.wait_for_function("film.ended && speed === 0")


def test_backwards_it_ends_at_the_first_frame_also_while_another_is_sought(page: Page) -> None:
    """As on a busy machine, where one search takes longer than the rest of the film."""
    page.keyboard.press("End")
    settle(page)
    page.evaluate("Object.defineProperty(film, 'seeking', { get: () => true, configurable: true })")
    for _ in range(4):
        page.keyboard.press("j")
    page.wait_for_function("speed === 0")
    assert page.evaluate("current") == 0
    page.evaluate("delete film.seeking; film.dispatchEvent(new Event('seeked'))")
    settle(page)
    assert shown_frame(page) == pytest.approx(0, abs=1.5)


def test_the_films_sound_is_heard_and_muted(page: Page, coloured: Path, tmp_path: Path) -> None:
    film = tmp_path / "out.mkv"
    with av.open(coloured) as source, av.open(film, "w") as target:
        video = target.add_stream_from_template(source.streams.video[0])
        audio = target.add_stream("pcm_s16le", rate=48000, layout="mono")
        tone = (8000 * np.sin(np.arange(3 * 48000) * 0.05)).astype(np.int16)
        sound = av.AudioFrame.from_ndarray(tone[None], "s16", "mono")
        sound.sample_rate, sound.pts = 48000, 0
        target.mux(audio.encode(sound))
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = video
                target.mux(packet)
    report().write(film)
    assert main(["review", str(film), "-o", str(tmp_path / "a.html"), "--quiet"]) == 0
    assert main(["review", str(film), "-o", str(tmp_path / "b.html"), "--quiet", "--no-audio"]) == 0
    open_page(page, tmp_path / "a.html")
    page.keyboard.press("l")
    page.wait_for_function("film.webkitAudioDecodedByteCount > 0 && current > 5")
    assert page.evaluate("film.muted") is False
    page.keyboard.press("m")
    assert page.evaluate("film.muted") is True
    open_page(page, tmp_path / "b.html")
    assert not page.locator("#sound").is_visible()
