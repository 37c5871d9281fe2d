from __future__ import annotations

from dataclasses import replace

import numpy as np

from evaluation.old_film import OldFilm

NEW = OldFilm(seed=1, gamma=1.0, blur=0.0, grain=0.0, flicker=0.0)
EDGE = np.repeat(np.array([[40] * 32 + [200] * 32], np.uint8), 48, axis=0)


def test_new_film_leaves_luma_alone():
    assert np.array_equal(NEW.degrade(EDGE, 0), EDGE)


def test_a_frame_wears_the_same_way_every_time_and_no_two_frames_do():
    film = replace(NEW, grain=0.03, flicker=0.05)
    assert np.array_equal(film.degrade(EDGE, 3), film.degrade(EDGE, 3))
    assert not np.array_equal(film.degrade(EDGE, 3), film.degrade(EDGE, 4))
    assert not np.array_equal(film.degrade(EDGE, 3), replace(film, seed=2).degrade(EDGE, 3))


def test_each_wear_is_what_it_says():
    grain = replace(NEW, grain=0.03).degrade(EDGE, 0).astype(float) - EDGE
    assert abs(grain.std() / 255 - 0.03) < 0.002
    assert abs(grain.mean()) < 0.5
    brighter = replace(NEW, gamma=0.5).degrade(EDGE, 0)
    assert np.array_equal(np.unique(brighter), np.rint(255 * (np.unique(EDGE) / 255) ** 0.5))
    soft = replace(NEW, blur=1.0).degrade(EDGE, 0)
    assert len(np.unique(soft)) > 4
    assert np.array_equal(soft[:, :20], EDGE[:, :20])
    flickering = replace(NEW, flicker=0.05)
    exposures = [flickering.degrade(EDGE, frame).mean() / EDGE.mean() for frame in range(200)]
    assert abs(np.std(exposures) - 0.05) < 0.01


def test_drawn_films_differ():
    rng = np.random.default_rng(0)
    films = [OldFilm.draw(rng) for _ in range(20)]
    assert len({film.gamma for film in films}) == 20
    assert {film.blur > 0 for film in films} == {True, False}
