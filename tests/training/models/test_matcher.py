from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from tests.training.models.stills import HEIGHT, WIDTH, halves, planes, still
from training.models.encoder import Features
from training.models.flagship import Flagship, believe, nearest_key
from vidcolor.inference.contract import FLOW_TRACK

COLOURS = (0.3, 0.0), (0.0, -0.3)


class Tones(nn.Module):
    """An encoder whose features at 1/8 are how dark and how bright a place is."""

    def forward(self, luma: Tensor) -> Features:
        tone = torch.nn.functional.avg_pool2d(luma, 8)
        eighth = torch.cat([tone, 1 - tone, tone.new_zeros(1, 18, *tone.shape[2:])], 1)
        height, width = luma.shape[2:]
        half, quarter = (luma.new_zeros(1, c, height // n, width // n) for c, n in ((4, 2), (8, 4)))
        return Features(half, quarter, eighth)


def test_matching_finds_what_moved_too_far_for_flow(flagship):
    """The two halves of the picture change places; likeness of luma brings their colours along."""
    model = deepcopy(flagship)
    model.encoder, model.matcher.match = Tones(), nn.Identity()
    luma, chroma = halves(*COLOURS)
    memory, state = model.remember(luma, chroma)
    moved = luma.roll(WIDTH // 2, -1)
    fetched = model.propagate(moved, state, memory, still()).fetched[:, 0]
    inner = slice(8, WIDTH // 2 - 8)  # at the border places are mixed by the way up
    assert fetched[:, 1, :, inner].mean() < -0.25
    assert fetched[:, 0, :, inner].abs().mean() < 0.05


def believing(flagship: Flagship, lean: float) -> Flagship:
    """The same with one lean everywhere."""
    model = deepcopy(flagship)
    model.encoder, model.matcher.match = Tones(), nn.Identity()
    with torch.no_grad():
        model.matcher.lean.bias.fill_(lean)
    return model


def twins() -> tuple[Tensor, Tensor]:
    """Luma that repeats itself, and chroma that tells the two halves apart."""
    luma = planes(4)[..., : WIDTH // 2].repeat(1, 1, 1, 2)
    chroma = torch.zeros(1, 2, HEIGHT, WIDTH)
    chroma[:, 0, :, : WIDTH // 2], chroma[:, 0, :, WIDTH // 2 :] = 0.3, -0.3
    return luma, chroma


@pytest.mark.parametrize(("lean", "taken"), [(-20.0, [0, 0]), (2.0, [0.3, -0.3])])
def test_what_looks_the_same_is_told_apart_by_where_it_was(flagship, lean, taken):
    model, (luma, chroma) = believing(flagship, lean), twins()
    memory, state = model.remember(luma, chroma)
    fetched = model.propagate(luma, state, memory, still()).fetched[:, 0]
    halves = [fetched[:, 0, :, 4 : WIDTH // 2 - 4], fetched[:, 0, :, WIDTH // 2 + 4 : -4]]
    assert [half.mean().item() for half in halves] == pytest.approx(taken, abs=0.01)


def test_where_it_was_is_what_its_track_says(flagship):
    """The camera turned by half a picture: the track leads to the other twin."""
    model, (luma, chroma) = believing(flagship, 2.0), twins()
    memory, state = model.remember(luma, chroma)
    flows = still()
    flows[FLOW_TRACK][:, :, 0, :, : WIDTH // 2] = WIDTH / 2
    fetched = model.propagate(luma, state, memory, flows).fetched[:, 0]
    assert fetched[:, 0, :, : WIDTH // 2].mean().item() == pytest.approx(-0.3, abs=0.01)


def test_attention_is_what_it_says_it_is(flagship):
    """A softmax over all places of all keys of likeness less the lean times distance squared."""
    model = deepcopy(flagship)
    matcher = model.matcher
    torch.manual_seed(1)
    nn.init.normal_(matcher.lean.weight, std=4.0)
    luma, keys = planes(1), [(planes(n), planes(n + 10, 2) - 0.5) for n in (2, 3)]
    remembered = [model.remember(*key).memory for key in keys]
    memory = {name: torch.cat([one[name] for one in remembered], 1) for name in remembered[0]}
    tracks = 6 * torch.randn(1, 2, 2, HEIGHT // 8, WIDTH // 8).repeat_interleave(8, 3)
    tracks = tracks.repeat_interleave(8, 4)
    with torch.no_grad():
        eighth = model.encoder(luma).eighth
        small = torch.nn.functional.avg_pool2d(luma, 2)
        look = torch.zeros(1, 4, HEIGHT // 4, WIDTH // 4)
        tracked, meeting = nearest_key(small, look, memory, tracks), torch.ones_like(small)
        belief = believe(small, tracked.planes[:, 2:3], tracked.agrees, meeting)
        fetched = matcher(small, eighth, memory, tracks, belief)
        lean = matcher.lean_to(eighth, belief).flatten()
        here = matcher.likeness(eighth).flatten(2)
        there = [matcher.likeness(model.encoder(key).eighth).flatten(2) for key, _ in keys]
    assert lean.max() > 2 * lean.min()
    rows, columns = HEIGHT // 8, WIDTH // 8
    grid = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).float()
    logits = []
    for n in range(2):
        led = grid + tracks[0, n, :, ::8, ::8].flatten(1).T.flip(1) / 8
        away = (led.unsqueeze(1) - grid.unsqueeze(0)).square().sum(2)
        logits.append(here[0].T @ there[n][0] * matcher.temperature.exp() - lean[:, None] * away)
    share = torch.cat(logits, 1).softmax(1)
    tints = torch.cat([memory["tint"][0, n].flatten(1) for n in range(2)], 1)
    expected = (share @ tints.T).T.unflatten(1, (rows, columns))
    spread = expected[5:] - expected[:2].square().sum(0, keepdim=True)
    expected = torch.cat([expected[2:3], spread])
    expected = torch.nn.functional.interpolate(
        expected[None], scale_factor=4.0, mode="bilinear", align_corners=False
    )
    assert torch.allclose(fetched[:, [2, 4]], expected, atol=1e-5)
    assert fetched[:, 4].max() > 1e-3


def recalling(flagship: Flagship) -> Flagship:
    """The same, which compares places of the frame before by tone alone, wherever they are."""
    model = deepcopy(flagship)
    model.encoder, model.recall.match = Tones(), nn.Identity()
    with torch.no_grad():
        model.recall.lean.bias.fill_(-20.0)
    return model


def test_what_was_painted_before_is_recalled_by_likeness(flagship):
    """A picture's halves, dark and bright, change places: the state's colours go with the tones."""
    model, (luma, chroma) = recalling(flagship), halves(*COLOURS)
    memory, _ = model.remember(luma, torch.zeros_like(chroma))
    state = model.remember(luma, chroma).state
    recalled = model.propagate(luma.roll(WIDTH // 2, -1), state, memory, still()).fetched[:, 1]
    inner = slice(8, WIDTH // 2 - 8)
    assert recalled[:, 1, :, inner].mean() < -0.25
    assert recalled[:, 0, :, inner].abs().mean() < 0.05


def test_of_what_looks_the_same_the_surer_is_recalled(flagship):
    """Twins in two colours, one of which was doubtful: the other half's has the greater say."""
    model, (luma, chroma) = recalling(flagship), twins()
    memory, _ = model.remember(luma, chroma)
    eighth, look = model.encoder(luma).eighth, torch.zeros(1, 4, HEIGHT // 4, WIDTH // 4)
    sure, chained = torch.ones(1, 1, HEIGHT // 2, WIDTH // 2), torch.cat([chroma, luma], 1)
    means = []
    for doubtful in (1.0, 0.25, 0.0):
        sure[..., WIDTH // 4 :] = doubtful
        state = model._leave(luma, chroma, sure, look, eighth, chained, sure)
        fetched = model.propagate(luma, state, memory, still()).fetched[:, 1]
        means.append(fetched[:, 0].mean().item())
    assert means == pytest.approx([0.0, 0.3 * (1 - 0.25) / 1.25, 0.3], abs=0.01)


def test_without_a_past_nothing_is_recalled(flagship):
    luma, chroma = planes(1), planes(2, 2) - 0.5
    memory, state = flagship.remember(luma, chroma)
    none = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
    assert not flagship.propagate(luma, none, memory, still()).fetched[:, 1].any()


def test_half_precision_does_not_move_the_track(flagship):
    """Squares of far places' distances need more digits than bfloat16 has."""
    model, (luma, chroma) = believing(flagship, 2.0), twins()
    wide = [torch.nn.functional.pad(p, (0, 3072, 0, 0), mode="replicate") for p in (luma, chroma)]
    memory, state = model.remember(*wide)
    flows = {name: torch.zeros(*flow.shape[:-1], WIDTH + 3072) for name, flow in still().items()}
    exact = model.propagate(wide[0], state, memory, flows).fetched[:, 0]
    with torch.autocast("cpu", torch.bfloat16):
        memory, state = model.remember(*wide)
        half = model.propagate(wide[0], state, memory, flows).fetched[:, 0]
    assert (exact - half).abs().max() < 0.02
