"""`fit` in processes of its own: killed at any time, and two that train one model."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.context import ForkServerContext
from pathlib import Path

import numpy as np
import pytest
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from tests.support.footage import SIZE
from tests.support.forked import fork_server
from tests.support.waiting import DEADLINE
from tests.training.small_fit import losses, run_command, run_command_apart, run_fit, small_fit
from training.checkpoint import CONFIG, CheckpointError, load_generator, read_config
from training.options import FitOptions, ObjectiveOptions
from training.state import TRAINING


@pytest.fixture(scope="module")
def processes() -> Iterator[ForkServerContext]:
    """Starts processes that have imported PyTorch and what trains."""
    with fork_server("tests.training.small_fit") as context:
        yield context


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> FitOptions:
    return small_fit(tmp_path_factory.mktemp("fit"))


def test_killed_at_any_time_the_best_weights_are_whole(options, processes, tmp_path):
    """Three times: kill -9 at a random moment of a run that saves after every update."""
    run = replace(
        options, out=tmp_path / "run", objective=ObjectiveOptions(alpha=0),
        steps=100_000, checkpoint_steps=1,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    step = 0
    for _ in range(3):
        resume = (run.out / "checkpoint" / TRAINING).exists()
        process = processes.Process(target=run_fit, args=(replace(run, resume=resume),))
        process.start()
        try:
            end = time.monotonic() + DEADLINE
            while not _checkpoint_after(run.out, step):
                assert process.is_alive()
                assert time.monotonic() < end
                time.sleep(0.02)
            time.sleep(rng.uniform(0.0, 0.5))
        finally:
            process.kill()
            process.join()
        assert process.exitcode == -signal.SIGKILL
        network, config = load_generator(run.out / "best")
        assert all(tensor.isfinite().all() for tensor in network.state_dict().values())
        assert config.metrics["whole_psnr"] > 0
        assert load_generator(run.out / "checkpoint")[1].step > step
        step = load_generator(run.out / "checkpoint")[1].step


def _checkpoint_after(out: Path, step: int) -> bool:
    try:
        return read_config(out / "checkpoint").step > step and (out / "best" / CONFIG).exists()
    except CheckpointError:
        return False


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_stop_of_all_its_processes_is_no_crash(name, options, processes, tmp_path):
    """As a service manager stops a service, and a terminal that is closed what runs in it."""
    words = [
        *("fit", str(options.videos[0]), "-o", str(tmp_path / "run")),
        *("--arguments", "width=0.03125", "--discriminator-width", "0.03125", "--alpha", "0"),
        *("--size", str(SIZE), "--crop", str(SIZE), "--cache", str(options.clips.cache)),
        *("--batch", "2", "--steps", "100000", "--checkpoint-steps", "1", "--workers", "2"),
        *("--accelerator", "cpu", "--threads", "1"),
    ]
    said = tmp_path / "said.txt"
    process = processes.Process(target=run_command_apart, args=(words, said))
    process.start()
    try:
        end = time.monotonic() + DEADLINE
        while not _checkpoint_after(tmp_path / "run", 0):
            assert process.is_alive()
            assert time.monotonic() < end
            time.sleep(0.02)
        os.killpg(process.pid, signal.Signals[name])
        process.join(DEADLINE)
    finally:
        process.kill()
        process.join()
    assert process.exitcode == 128 + signal.Signals[name]
    told = said.read_text()
    assert "Traceback" not in told
    assert told.endswith(
        "python -m training: interrupted; the same command with --resume goes on from "
        f"{tmp_path / 'run' / 'checkpoint'}\n"
    )
    with pytest.raises(ProcessLookupError):  # its workers have ended with it
        os.killpg(process.pid, 0)


def test_two_processes_train_one_model(options, processes, tmp_path):
    """As torchrun starts them, with gloo: both see their half of the batch, and agree on the
    gradients."""
    words = [
        *("fit", str(options.videos[0]), "-o", str(tmp_path / "run")),
        *("--arguments", "width=0.03125", "--discriminator-width", "0.03125"),
        *("--size", str(SIZE), "--crop", str(SIZE), "--cache", str(options.clips.cache)),
        *("--batch", "4", "--steps", "2", "--log-every", "1", "--accelerator", "cpu"),
        *("--threads", "1", "--checkpoint-steps", "9"),
    ]
    torchrun = elastic_launch(
        LaunchConfig(
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=2,
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            start_method=processes.get_start_method(),
            max_restarts=0,
        ),
        run_command,
    )
    with ThreadPoolExecutor(1) as other:  # in the main thread it would replace signal handlers
        other.submit(torchrun, words).result(DEADLINE)
    figures = losses(tmp_path / "run")
    assert [line["step"] for line in figures if "l1" in line] == [1, 2]
    assert json.loads((tmp_path / "run" / "checkpoint" / "config.json").read_text())["step"] == 2
