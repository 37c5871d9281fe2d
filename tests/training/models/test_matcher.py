from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from tests.training.models.stills import HEIGHT, WIDTH, halves, planes, still
from training.models.attended import SPREAD_SCALE, Attended
from training.models.encoder import Features
from training.models.flagship import Flagship
from training.models.matcher import (
    NEAR,
    PENALTY_START,
    VALUES,
    attend,
    distance_penalties,
    embed,
    of_one,
)
from training.models.trunk import DEEP, EIGHTH, SIXTEENTH, TrunkFeatures
from training.models.warp import toward
from vidcolor.inference.contract import FLOW_TRACK

COLOURS = (0.3, 0.0), (0.0, -0.3)


class Tones(nn.Module):
    """An encoder whose features at 1/8 are how dark and bright a place is; its trunk is blind."""

    def forward(self, luma: Tensor) -> tuple[Features, TrunkFeatures]:
        tone = torch.nn.functional.avg_pool2d(luma, 8)
        eighth = torch.cat([tone, 1 - tone, tone.new_zeros(1, 18, *tone.shape[2:])], 1)
        height, width = luma.shape[2:]
        half, quarter = (luma.new_zeros(1, c, height // n, width // n) for c, n in ((4, 2), (8, 4)))
        blind = [
            luma.new_zeros(1, channels, height // size, width // size)
            for channels, size in ((EIGHTH, 8), (SIXTEENTH, 16), (DEEP, 16))
        ]
        return Features(half, quarter, eighth), TrunkFeatures(*blind)


def by_tone(flagship: Flagship, attention: str, penalty: float) -> Flagship:
    """The same, one of whose attentions compares places by tone, with one penalty everywhere."""
    model = deepcopy(flagship)
    matcher = getattr(model, attention)
    model.encoder = Tones()
    with torch.no_grad():
        for each in model.matchers:
            each.match.bias.zero_()
            each.match.weight.zero_()
            each.match.weight[range(2), range(2)] = 1.0
        matcher.trunk_share.fill_(-50.0)
        matcher.penalty.bias.fill_(penalty)
    return model


def test_matching_finds_what_moved_too_far_for_flow(flagship):
    """The two halves of the picture change places; tones bring their colours along."""
    model = by_tone(flagship, "matcher", PENALTY_START)
    luma, chroma = halves(*COLOURS)
    memory, state = model.remember(luma, chroma)
    moved = luma.roll(WIDTH // 2, -1)
    fetched = model.propagate(moved, state, memory, still()).fetched[:, 0]
    inner = slice(8, WIDTH // 2 - 8)  # at the border places are mixed by the way up
    assert fetched[:, 1, :, inner].mean() < -0.25
    assert fetched[:, 0, :, inner].abs().mean() < 0.05


@pytest.mark.parametrize("batch", [1, 2])
def test_alone_it_finds_what_it_finds_among_the_rest(flagship, batch):
    """`attend_to`, which `fit-matcher` trains, is attention where no place is preferred."""
    model = deepcopy(flagship)
    with torch.no_grad():
        for matcher in model.matchers:
            matcher.penalty.weight.zero_()
            matcher.penalty.bias.fill_(-50.0)
    luma, chroma = (torch.cat([planes(n, c) for n in range(batch)]) for c in (1, 2))
    here = torch.cat([planes(9 + n) for n in range(batch)])
    flows = {name: flow.expand(batch, *flow.shape[1:]) for name, flow in still().items()}
    with torch.no_grad():
        memory, state = model.remember(luma, chroma - 0.5)
        fetched = model.propagate(here, state, memory, flows).fetched
        alone = model.attend_to(here, luma, chroma - 0.5)
    assert alone.shape == (batch, 2, 2, HEIGHT, WIDTH)
    torch.testing.assert_close(alone, fetched[:, :2], atol=1e-5, rtol=0)


def twins() -> tuple[Tensor, Tensor]:
    """Luma that repeats itself, and chroma that tells the two halves apart."""
    luma = planes(4)[..., : WIDTH // 2].repeat(1, 1, 1, 2)
    chroma = torch.zeros(1, 2, HEIGHT, WIDTH)
    chroma[:, 0, :, : WIDTH // 2], chroma[:, 0, :, WIDTH // 2 :] = 0.3, -0.3
    return luma, chroma


@pytest.mark.parametrize(("penalty", "taken"), [(-20.0, [0, 0]), (2.0, [0.3, -0.3])])
def test_what_looks_the_same_is_told_apart_by_where_it_was(flagship, penalty, taken):
    model, (luma, chroma) = by_tone(flagship, "matcher", penalty), twins()
    memory, state = model.remember(luma, chroma)
    fetched = model.propagate(luma, state, memory, still()).fetched[:, 0]
    halves = [fetched[:, 0, :, 4 : WIDTH // 2 - 4], fetched[:, 0, :, WIDTH // 2 + 4 : -4]]
    assert [half.mean().item() for half in halves] == pytest.approx(taken, abs=0.01)


def test_where_it_was_is_what_its_track_says(flagship):
    """The camera turned by half a picture: the track leads to the other twin."""
    model, (luma, chroma) = by_tone(flagship, "matcher", 2.0), twins()
    memory, state = model.remember(luma, chroma)
    flows = still()
    flows[FLOW_TRACK][:, :, 0, :, : WIDTH // 2] = WIDTH / 2
    fetched = model.propagate(luma, state, memory, flows).fetched[:, 0]
    assert fetched[:, 0, :, : WIDTH // 2].mean().item() == pytest.approx(-0.3, abs=0.01)


def test_attention_is_what_it_says_it_is(flagship):
    """A softmax over all places of all keys of similarity less penalty times distance squared."""
    model = deepcopy(flagship)
    matcher = model.matcher
    torch.manual_seed(1)
    nn.init.normal_(matcher.penalty.weight, std=4.0)
    nn.init.constant_(matcher.penalty.bias, -11.0)
    luma, keys = planes(1), [(planes(n), planes(n + 10, 2) - 0.5) for n in (2, 3)]
    remembered = [model.remember(*key).memory for key in keys]
    memory = torch.cat([one["attention"][0] for one in remembered])
    rows, columns = HEIGHT // 8, WIDTH // 8
    tracks = 6 / 8 * torch.randn(2, 2, rows, columns)
    ends = torch.stack([toward(tracks), toward(torch.zeros(2, 2, rows, columns))])
    state = model.remember(*keys[0]).state["attention"]
    with torch.no_grad():
        features, trunk = model.encoder(luma)
        small = torch.nn.functional.avg_pool2d(luma, 2)
        embedding = embed(model.matchers, features.eighth, trunk.deep)
        evidence = [torch.randn(1, planes, rows, columns) for planes in (4, 3, 3)]
        penalties = distance_penalties(model.matchers, features.eighth, evidence)
        found = attend(
            model.matchers, embedding, penalties, (memory, state), ends, model.confidence_gate
        )
        fetched = Attended.of(model.matchers, small, (rows, columns), *found)
        penalties, here = penalties[0].flatten(), of_one(embedding, 0).flatten(2)
        there = []
        for key, _ in keys:
            features, trunk = model.encoder(key)
            there.append(of_one(embed(model.matchers, features.eighth, trunk.deep), 0).flatten(2))
    assert penalties.max() > 2 * penalties.min()
    grid = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).float()
    logits = []
    for n in range(2):
        target = grid + tracks[n].flatten(1).T.flip(1)
        away = (target.unsqueeze(1) - grid.unsqueeze(0)).square().sum(2) * penalties[:, None]
        logits.append(here[0].T @ there[n][0] * matcher.temperature.exp() - away)
    share = torch.cat(logits, 1).softmax(1)
    assert memory.shape[1] == here.shape[1] + NEAR + VALUES
    values = torch.cat([memory[n, -VALUES:-1].flatten(1) for n in range(2)], 1)
    expected = (share @ values.T).T.unflatten(1, (rows, columns))
    spread = expected[5:] - expected[:2].square().sum(0, keepdim=True)
    expected = torch.cat([expected[2:3], SPREAD_SCALE * spread])
    expected = torch.nn.functional.interpolate(
        expected[None], scale_factor=4.0, mode="bilinear", align_corners=False
    )
    told = torch.cat([fetched.colors[:1, :1], fetched.sure[:1, 1:]], 1)
    assert torch.allclose(told, expected, atol=1e-5)
    assert told[:, 1].max() > 1e-2


def test_what_was_painted_before_is_recalled_where_it_looks_alike(flagship):
    """A picture's halves, dark and bright, change places: the state's colours go with the tones."""
    model, (luma, chroma) = by_tone(flagship, "recall", -20.0), halves(*COLOURS)
    memory, _ = model.remember(luma, torch.zeros_like(chroma))
    state = model.remember(luma, chroma).state
    recalled = model.propagate(luma.roll(WIDTH // 2, -1), state, memory, still()).fetched[:, 1]
    inner = slice(8, WIDTH // 2 - 8)
    assert recalled[:, 1, :, inner].mean() < -0.25
    assert recalled[:, 0, :, inner].abs().mean() < 0.05


def test_of_what_looks_the_same_the_surer_is_recalled(flagship):
    """Twins in two colours, one of which was doubtful: the other half's has the greater say."""
    model, (luma, chroma) = by_tone(flagship, "recall", -20.0), twins()
    memory, _ = model.remember(luma, chroma)
    features, trunk = model.encoder(luma)
    sure = torch.ones(1, 1, HEIGHT // 2, WIDTH // 2)
    means = []
    for doubtful in (1.0, 0.25, 0.0):
        sure[..., WIDTH // 4 :] = doubtful
        state = model._next_state(
            luma,
            chroma,
            confidence=sure,
            descriptor=torch.zeros(1, 4, HEIGHT // 4, WIDTH // 4),
            embedding=of_one(embed(model.matchers, features.eighth, trunk.deep), 1),
            chained=torch.cat([luma, chroma], 1),
            visibility=sure,
        )
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
    model, (luma, chroma) = by_tone(flagship, "matcher", 2.0), twins()
    wide = [torch.nn.functional.pad(p, (0, 3072, 0, 0), mode="replicate") for p in (luma, chroma)]
    memory, state = model.remember(*wide)
    flows = {name: torch.zeros(*flow.shape[:-1], WIDTH + 3072) for name, flow in still().items()}
    exact = model.propagate(wide[0], state, memory, flows).fetched[:, 0]
    with torch.autocast("cpu", torch.bfloat16):
        memory, state = model.remember(*wide)
        half = model.propagate(wide[0], state, memory, flows).fetched[:, 0]
    assert (exact - half).abs().max() < 0.02
