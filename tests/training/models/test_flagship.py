from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from training.models.encoder import Features
from training.models.flagship import Flagship, believe, nearest_key
from training.models.mixer import BEYOND, Candidates, beyond
from training.models.warp import warp
from vidcolor.contract import FLOW_KEY, FLOW_PREVIOUS, FLOW_TRACK

HEIGHT, WIDTH = 48, 64


def planes(seed: int, channels: int = 1) -> Tensor:
    torch.manual_seed(seed)
    coarse = torch.rand(1, channels, HEIGHT // 8, WIDTH // 8)
    return torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bicubic").clamp(0, 1)


def still(keys: int = 1) -> dict[str, Tensor]:
    return {
        FLOW_PREVIOUS: torch.zeros(1, 2, HEIGHT, WIDTH),
        FLOW_KEY: torch.zeros(1, keys, 2, HEIGHT, WIDTH),
        FLOW_TRACK: torch.zeros(1, keys, 2, HEIGHT, WIDTH),
    }


@pytest.fixture(scope="module")
def flagship() -> Flagship:
    torch.manual_seed(0)
    return Flagship(width=8, match_width=16).eval()


def test_warp_fetches_from_where_the_flow_points():
    moved = planes(0)
    flow = torch.zeros(1, 2, HEIGHT, WIDTH)
    flow[:, 0], flow[:, 1] = 3, -2
    there = warp(moved, flow)
    assert torch.allclose(there[..., 4:-4, 4:-4], moved[..., 2:-6, 7:-1], atol=1e-5)


@pytest.mark.parametrize("channels", [2, 16])
def test_an_exported_warp_is_the_same(channels):
    """Planes of many channels are fetched in another way there."""

    class Warp(nn.Module):
        def forward(self, planes: Tensor, flow: Tensor) -> Tensor:
            return warp(planes, flow)

    torch.manual_seed(0)
    given = torch.rand(2, channels, HEIGHT, WIDTH), 20 * torch.randn(2, 2, HEIGHT, WIDTH)
    program = torch.export.export(Warp(), given)
    assert ("grid_sampler" in str(program.graph)) == (channels == 2)
    assert torch.allclose(program.module()(*given), warp(*given), atol=1e-4)


def test_before_training_it_follows_the_previous_frame(flagship):
    """The head starts at 'previous': most of the weight, and nothing added."""
    luma, chroma = planes(1), planes(2, 2) - 0.5
    memory, state = flagship.remember(luma, chroma)
    step = flagship.propagate(luma, state, memory, still())
    assert (step.chroma - chroma).abs().mean() < 0.25 * chroma.abs().mean()
    assert torch.equal(step.state["luma"], torch.nn.functional.avg_pool2d(luma, 2))
    assert torch.equal(step.state["chroma"], step.chroma)


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
    luma = planes(4) * 0.2
    luma[..., WIDTH // 2 :] += 0.7
    chroma = torch.zeros(1, 2, HEIGHT, WIDTH)
    chroma[:, 0, :, : WIDTH // 2], chroma[:, 1, :, WIDTH // 2 :] = 0.3, -0.3
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
    model = recalling(flagship)
    luma = planes(4) * 0.2
    luma[..., WIDTH // 2 :] += 0.7
    key = torch.zeros(1, 2, HEIGHT, WIDTH)
    chroma = key.clone()
    chroma[:, 0, :, : WIDTH // 2], chroma[:, 1, :, WIDTH // 2 :] = 0.3, -0.3
    memory, _ = model.remember(luma, key)
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
    sure = torch.ones(1, 1, HEIGHT // 2, WIDTH // 2)
    means = []
    for doubtful in (1.0, 0.25, 0.0):
        sure[..., WIDTH // 4 :] = doubtful
        state = model._leave(luma, chroma, sure, look, eighth)
        fetched = model.propagate(luma, state, memory, still()).fetched[:, 1]
        means.append(fetched[:, 0].mean().item())
    assert means == pytest.approx([0.0, 0.3 * (1 - 0.25) / 1.25, 0.3], abs=0.01)


def test_without_a_past_nothing_is_recalled(flagship):
    luma, chroma = planes(1), planes(2, 2) - 0.5
    memory, state = flagship.remember(luma, chroma)
    none = {name: torch.zeros_like(tensor) for name, tensor in state.items()}
    assert not flagship.propagate(luma, none, memory, still()).fetched[:, 1].any()


def test_what_comes_into_the_picture_is_told():
    """A pan by three pixels to the right: columns from the right edge on were outside before."""
    flow = torch.zeros(1, 2, 6, 20)
    flow[:, 0] = 3.0
    outside = beyond(flow)[0, 0]
    assert torch.equal(outside, outside[:1].expand_as(outside))
    assert outside[0, -4:].tolist() == pytest.approx([0.0, 1 / BEYOND, 2 / BEYOND, 3 / BEYOND])
    assert not outside[:, :-4].any()
    assert (beyond(-flow)[0, 0, 0] > 0).tolist() == [True] * 3 + [False] * 17
    down = beyond(flow.flip(1) * 100)[0, 0]
    assert torch.equal(down, torch.ones(6, 20))


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


def test_detail_of_the_previous_frame_is_kept_or_not(flagship):
    """A checkerboard of single pixels is gone at half size, where the mixer works."""
    model = deepcopy(flagship)
    with torch.no_grad():
        model.mixer.leave.bias[0] = 50.0
        model.mixer.leave.bias[model.mixer.DETAIL] = 50.0
    luma, chroma = planes(1), torch.zeros(1, 2, HEIGHT, WIDTH)
    chroma[..., ::2, ::2], chroma[..., 1::2, 1::2] = 0.2, 0.2
    memory, state = model.remember(luma, chroma)
    step = model.propagate(luma, state, memory, still())
    assert torch.allclose(step.chroma, chroma, atol=1e-5)
    with torch.no_grad():
        model.mixer.leave.bias[model.mixer.DETAIL] = -50.0
    step = model.propagate(luma, state, memory, still())
    assert torch.allclose(step.chroma, torch.full_like(chroma, 0.1), atol=1e-5)


@pytest.fixture
def offered(flagship) -> Iterator[list[Candidates]]:
    """What the mixer was offered, frame by frame."""
    seen: list[Candidates] = []
    hook = flagship.mixer.register_forward_hook(lambda _, args, __: seen.append(args[2]))
    yield seen
    hook.remove()


@pytest.mark.parametrize(
    ("of", "agrees"),
    [
        (FLOW_PREVIOUS, [False, True, True]),
        (FLOW_KEY, [True, False, True]),
        (FLOW_TRACK, [True, True, False]),
    ],
)
def test_agreement_tells_where_flow_leads_to_something_else(flagship, offered, of, agrees):
    """Of what flow fetches, features of another place agree less with the frame's than its own."""
    luma, chroma = planes(1), planes(2, 2) - 0.5
    memory, state = flagship.remember(luma, chroma)
    flows = still()
    flows[of] += 24.0
    flagship.propagate(luma, state, memory, flows)
    likeness = offered[0].agreement[0].detach().flatten(1).mean(1)
    assert (likeness > 0.9999).tolist() == agrees  # features of an untrained network differ little
    apart = of != FLOW_PREVIOUS  # flow to the key leads elsewhere than its track, or not
    assert offered[0].meeting.mean() == pytest.approx(0 if apart else 1, abs=1e-6)


def test_the_key_is_fetched_along_its_track_whatever_was_painted(flagship, offered):
    luma, chroma = planes(1), planes(2, 2) - 0.5
    memory, state = flagship.remember(luma, chroma)
    flows = still()
    flows[FLOW_TRACK][:, :, 0] = 4.0
    painted = {**state, "chroma": torch.rand_like(chroma) - 0.5}
    flagship.propagate(luma, painted, memory, flows)
    there = torch.nn.functional.avg_pool2d(torch.cat([chroma, luma], 1), 2)[..., 2:]
    assert torch.allclose(offered[0].tracked[..., : there.shape[-1]], there, atol=1e-5)
    assert torch.allclose(offered[0].track[:, 0], torch.tensor(2.0))


def test_a_candidate_that_is_doubted_weighs_less(flagship):
    model = deepcopy(flagship)
    luma, chroma = planes(1), planes(2, 2) - 0.5
    memory, state = model.remember(luma, chroma)
    painted = {**state, "chroma": planes(3, 2) - 0.5}  # only `previous` shows it
    apart = []
    for doubt in (0.0, 4.0, 20.0):
        with torch.no_grad():
            model.mixer.leave.bias[model.mixer.CANDIDATES] = doubt
        step = model.propagate(luma, painted, memory, still())
        assert step.doubts.shape[1] == step.candidates.shape[1] == model.mixer.CANDIDATES
        apart.append((step.chroma - chroma).abs().mean())
    assert apart[0] > apart[1] > apart[2]


@pytest.mark.parametrize(("follows", "of"), [(0.0, 1.0), (1.0, 0.6)])
def test_chroma_follows_light_as_far_as_the_mixer_says(flagship, follows, of):
    """A lamp is turned down: R'G'B', and with it luma and chroma, are 0.6 of what they were."""
    model = deepcopy(flagship)
    with torch.no_grad():
        model.mixer.leave.bias[-model.mixer.CANDIDATES :] = follows
    luma, chroma = 0.5 + planes(1) / 2, planes(2, 2) - 0.5
    memory, state = model.remember(luma, chroma)
    step = model.propagate(0.6 * luma, state, memory, still())
    count = model.mixer.CANDIDATES
    weights = torch.ones(count) / (count - 1 + torch.e**3)
    weights[0] *= torch.e**3
    offered = (weights.view(1, count, 1, 1, 1) * step.candidates).sum(1)
    painted = torch.nn.functional.avg_pool2d(step.chroma, 2)
    factor = (painted * offered).sum() / offered.square().sum()
    assert factor.item() == pytest.approx(of, abs=0.05)


def test_everything_learns(flagship):
    model = Flagship(width=8, match_width=16)
    with torch.no_grad():
        model.mixer.leave.weight.normal_(std=0.1)  # zero at first, so that nothing below it learns
    luma, chroma = planes(1), planes(2, 2) - 0.5
    memory, state = model.remember(luma, chroma)
    _, _, state, *_ = model.propagate(planes(6), state, memory, still())
    step = model.propagate(planes(5), state, memory, still())
    (step.chroma.square().sum() + step.confidence.sum() + step.doubts.sum()).backward()
    assert not [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]
