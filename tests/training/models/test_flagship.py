from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import pytest
import torch

from tests.training.models.stills import HEIGHT, WIDTH, planes, still
from training.models.evidence import CANDIDATES, Candidates
from training.models.fetch import OUTSIDE, TRACK_SCALE
from training.models.flagship import Flagship
from vidcolor.inference.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK


def test_before_training_it_follows_the_previous_frame(flagship):
    """The head starts at 'previous': most of the weight, and nothing added."""
    luma, chroma = planes(1), planes(2, 2) - 0.5
    memory, state = flagship.remember(luma, chroma)
    step = flagship.propagate(luma, state, memory, still())
    assert (step.chroma - chroma).abs().mean() < 0.25 * chroma.abs().mean()
    assert torch.equal(step.state["luma"], torch.nn.functional.avg_pool2d(luma, 2))
    assert torch.equal(step.state["painted"][:, :2], step.chroma)


def test_of_several_keys_the_one_that_agrees_in_luma_is_taken(flagship):
    luma, right, wrong = planes(1), planes(2, 2) - 0.5, planes(3, 2) - 0.5
    first, _ = flagship.remember(1 - luma, wrong)
    second, state = flagship.remember(luma, right)
    both = {name: torch.cat([first[name], second[name]], 1) for name in first}
    swapped = {name: torch.cat([second[name], first[name]], 1) for name in first}
    steps = [flagship.propagate(luma, state, memory, still(2)) for memory in (both, swapped)]
    alone = flagship.propagate(luma, state, second, still(1))
    assert torch.allclose(steps[0].chroma, steps[1].chroma, atol=1e-5)
    assert (steps[0].chroma - alone.chroma).abs().mean() < 0.1 * right.abs().mean()


def test_detail_of_the_previous_frame_is_kept_or_not(flagship):
    """A checkerboard of single pixels is gone at half size, where the mixer works."""
    model = deepcopy(flagship)
    with torch.no_grad():
        model.mixer.head.bias[0] = 50.0
        model.mixer.head.bias[model.mixer.DETAIL] = 50.0
    luma, chroma = planes(1), torch.zeros(1, 2, HEIGHT, WIDTH)
    chroma[..., ::2, ::2], chroma[..., 1::2, 1::2] = 0.2, 0.2
    memory, state = model.remember(luma, chroma)
    step = model.propagate(luma, state, memory, still())
    assert torch.allclose(step.chroma, chroma, atol=1e-5)
    with torch.no_grad():
        model.mixer.head.bias[model.mixer.DETAIL] = -50.0
    step = model.propagate(luma, state, memory, still())
    assert torch.allclose(step.chroma, torch.full_like(chroma, 0.1), atol=1e-5)


@pytest.fixture
def offered(flagship) -> Iterator[list[Candidates]]:
    """What the mixer was offered, frame by frame."""
    seen: list[Candidates] = []
    hook = flagship.mixer.register_forward_hook(lambda _, args, __: seen.append(args[2]))
    yield seen
    hook.remove()


def repainted(state: dict[str, torch.Tensor], chroma: torch.Tensor) -> dict[str, torch.Tensor]:
    """The state, had the frame before been painted so; its chain is as it was."""
    return {**state, "painted": torch.cat([chroma, state["painted"][:, 2:]], 1)}


PREVIOUS, TRACKED, CHAINED = 0, 3, 5
"""Places among the candidates."""


def colors_of(offered: Candidates, candidate: int) -> torch.Tensor:
    """Luma and chroma [B, 3, h/2, w/2] of one."""
    return offered.colors[:, 3 * candidate : 3 * candidate + 3]


@pytest.mark.parametrize(
    ("of", "similar"),
    [
        (FLOW_PREVIOUS, [False, True, True]),
        (FLOW_KEY, [True, False, True]),
        (FLOW_TRACK, [True, True, False]),
    ],
)
def test_similarity_tells_where_flow_leads_to_something_else(flagship, offered, of, similar):
    """Features where flow leads to another place are less similar to the frame's than its own."""
    luma, chroma = planes(1), planes(2, 2) - 0.5
    memory, state = flagship.remember(luma, chroma)
    flows = still()
    flows[of] += 24.0
    flagship.propagate(luma, state, memory, flows)
    # Features of an untrained network differ little.
    for planes_of in (offered[0].similarity, offered[0].place_similarity):
        assert (planes_of[0].detach().flatten(1).mean(1) > 0.9999).tolist() == similar
    # Flow to the key leads elsewhere than its track, or not.
    agreement = 1 if of == FLOW_PREVIOUS else 0
    assert offered[0].flow_agreement.mean() == pytest.approx(agreement, abs=1e-6)


def test_the_key_is_fetched_along_its_track_whatever_was_painted(flagship, offered):
    luma, chroma = planes(1), planes(2, 2) - 0.5
    memory, state = flagship.remember(luma, chroma)
    flows = still()
    flows[FLOW_TRACK][:, :, 0] = 4.0
    painted = repainted(state, torch.rand_like(chroma) - 0.5)
    flagship.propagate(luma, painted, memory, flows)
    there = torch.nn.functional.avg_pool2d(torch.cat([luma, chroma], 1), 2)[..., 2:]
    tracked = colors_of(offered[0], TRACKED)
    assert torch.allclose(tracked[..., : there.shape[-1]], there, atol=1e-5)
    assert torch.allclose(offered[0].track[:, 0], torch.tensor(4.0 * TRACK_SCALE))


def test_the_chain_has_the_key_s_colours_whatever_was_painted(flagship, offered):
    """Two frames, each moved by two pixels: luma and chroma of the key, four pixels on."""
    luma, chroma = planes(1), planes(2, 2) - 0.5
    memory, state = flagship.remember(luma, chroma)
    flows = still()
    flows[FLOW_PREVIOUS][:, 0] = 2.0
    for _ in range(2):
        painted = repainted(state, torch.rand_like(chroma) - 0.5)
        state = flagship.propagate(luma, painted, memory, flows).state
    key = torch.nn.functional.avg_pool2d(torch.cat([luma, chroma], 1), 2)
    for moved, chained in enumerate((colors_of(one, CHAINED) for one in offered), 1):
        assert torch.allclose(chained[..., :-moved], key[..., moved:], atol=1e-5)
    painted = offered[1].chroma
    assert not torch.allclose(painted[:, PREVIOUS], painted[:, CHAINED], atol=0.1)


def test_what_has_once_come_into_the_picture_is_not_visible_since_the_key(flagship, offered):
    """A pan over the width of `OUTSIDE`, and back; then nothing moves any more."""
    memory, state = flagship.remember(planes(1), planes(2, 2) - 0.5)
    for by in (OUTSIDE, -OUTSIDE, 0):
        flows = still()
        flows[FLOW_PREVIOUS][:, 0] = 2 * by
        state = flagship.propagate(planes(1), state, memory, flows).state
    there, back, after = (one.visibility[0, 0, 0] for one in offered)
    side = int(OUTSIDE)
    assert (there[-side:] < 1).all()
    assert (there[:-side] == 1).all()
    assert (back[:side] < 1).all()
    assert (back[side:] == 1).all()
    assert torch.equal(after, back)
    none = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
    flagship.propagate(planes(1), none, memory, still())
    assert not offered[-1].visibility.any()


def test_fine_detail_is_told(flagship, offered):
    luma, chroma = planes(1), torch.zeros(1, 2, HEIGHT, WIDTH)
    chroma[:, 0, ::2, : WIDTH // 2 : 2] = 0.4
    memory, state = flagship.remember(luma, chroma)
    flagship.propagate(luma, state, memory, still())
    told = offered[0].fine[0, :, :, : WIDTH // 4 - 2]
    assert torch.allclose(told[0], torch.tensor(0.3 + 3 * 0.1), atol=1e-5)
    assert not told[1].any()


def test_a_candidate_with_a_large_predicted_error_weighs_less(flagship):
    model = deepcopy(flagship)
    luma, chroma = planes(1), planes(2, 2) - 0.5
    memory, state = model.remember(luma, chroma)
    painted = repainted(state, planes(3, 2) - 0.5)  # only `previous` shows it
    distances = []
    for log_error in (0.0, 4.0, 20.0):
        with torch.no_grad():
            model.mixer.head.bias[CANDIDATES] = log_error
        step = model.propagate(luma, painted, memory, still())
        assert step.log_errors.shape[1] == step.candidates.shape[1] == CANDIDATES
        distances.append((step.chroma - chroma).abs().mean())
    assert distances[0] > distances[1] > distances[2]


@pytest.mark.parametrize(("follows", "of"), [(0.0, 1.0), (1.0, 0.6)])
def test_chroma_follows_light_as_far_as_the_mixer_says(flagship, follows, of):
    """A lamp is turned down: R'G'B', and with it luma and chroma, are 0.6 of what they were."""
    model = deepcopy(flagship)
    with torch.no_grad():
        model.mixer.head.bias[-CANDIDATES - 1 : -1] = follows
    luma, chroma = 0.5 + planes(1) / 2, planes(2, 2) - 0.5
    memory, state = model.remember(luma, chroma)
    step = model.propagate(0.6 * luma, state, memory, still())
    weights = torch.ones(CANDIDATES) / (CANDIDATES - 1 + torch.e**3)
    weights[0] *= torch.e**3
    offered = (weights.view(1, CANDIDATES, 1, 1, 1) * step.candidates).sum(1)
    painted = torch.nn.functional.avg_pool2d(step.chroma, 2)
    factor = (painted * offered).sum() / offered.square().sum()
    assert factor.item() == pytest.approx(of, abs=0.05)


@pytest.mark.parametrize(("logit", "share"), [(-50.0, 0.0), (50.0, 1.0)])
def test_the_guess_is_taken_as_far_as_the_mixer_says(flagship, logit, share):
    model = deepcopy(flagship)
    with torch.no_grad():
        model.mixer.guess.bias[:] = torch.tensor([0.8, -0.4, 0.0, 0.0])  # a place's mean, no slope
        model.mixer.head.bias[-1] = logit
        model.mixer.head.bias[model.mixer.DETAIL] = -50.0
    luma, chroma = planes(1), planes(2, 2) - 0.5
    memory, state = model.remember(luma, chroma)
    step = model.propagate(luma, state, memory, still())
    guess = torch.tensor([0.2, -0.1]).view(1, 2, 1, 1).expand_as(chroma)
    assert torch.allclose(step.fetched[:, 2], guess, atol=1e-6)
    if share:
        assert torch.allclose(step.chroma, guess, atol=1e-5)
    else:
        assert (step.chroma - chroma).abs().mean() < 0.25 * chroma.abs().mean()


def test_attention_in_parts_gives_the_same(flagship):
    whole, parts = deepcopy(flagship), deepcopy(flagship)
    parts.compute_in_parts(4)
    luma, chroma = planes(1), planes(2, 2) - 0.5
    painted = []
    for model in (whole, parts):
        memory, state = model.remember(luma, chroma)
        memory = {name: torch.cat([kept, 0.5 * kept], 1) for name, kept in memory.items()}
        painted.append(model.propagate(planes(5), state, memory, still(2)))
    for name in ("chroma", "confidence", "fetched"):
        assert torch.allclose(*(getattr(one, name) for one in painted), atol=1e-6)


def test_everything_learns(flagship):
    model = Flagship(width=8, match_width=16)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            # Zero at first, so that nothing below them learns.
            if not parameter.any() and name.endswith("weight"):
                parameter.normal_(std=0.1)
    luma, chroma = planes(1), planes(2, 2) - 0.5
    memory, state = model.remember(luma, chroma)
    _, _, state, *_ = model.propagate(planes(6), state, memory, still())
    step = model.propagate(planes(5), state, memory, still())
    (step.chroma.square().sum() + step.confidence.sum() + step.log_errors.sum()).backward()
    assert not [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
