"""Training of generators, with or without a discriminator: `python -m training fit`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from training.build import Arguments, build_generator, start_from
from training.checkpoint import Config
from training.checks import check_fit, check_run
from training.data.rollout import Rollout
from training.data.rollouts import Rollouts
from training.loop import launch, load_footage, train
from training.models.base import Generator
from training.models.discriminator import Discriminator
from training.objective import Objective
from training.optimisers import check_rates, descend, make_optimiser
from training.options import FitOptions
from training.rollout import RolloutOutput, Unroll
from training.run_log import RunLog, Validated, check_out
from training.state import TrainState
from training.validation import Validation, WholeClips
from vidcolor.errors import ArgumentError


def fit(options: FitOptions, *, started: float | None = None) -> None:
    """Train a generator until the steps or the minutes are over.

    Args:
        options: See `FitOptions`.
        started: When the program began, by `time.monotonic`; now if None.

    Raises:
        ArgumentError: An option or the videos cannot be used.
        CheckpointError: The run to resume, or the checkpoint to start from, cannot be used.
    """
    check_run(options)
    torch.manual_seed(options.seed)
    generator, arguments = build_generator(options)
    check_fit(options, size_multiple=generator.size_multiple)
    check_rates(generator, options)
    check_out(options)
    if options.initial is None and not options.resume:
        generator.load_pretrained()
    fabric = launch(options, devices=options.devices)
    if options.batch % fabric.world_size or options.batch < 2 * fabric.world_size:
        raise ArgumentError(
            f"batch is {options.batch}, a multiple of the {fabric.world_size} processes that gives "
            "each of them two examples or more is needed, for batch norm"
        )
    split = load_footage(fabric, options)
    flows, crop = generator.flows, options.rollout.crop
    rollouts = Rollouts(
        split.train,
        options=options.rollout,
        seed=options.seed,
        flows=flows,
        flow_folder=options.clips.cache,
    )
    training = GeneratorTraining(
        generator,
        arguments,
        options,
        fabric,
        validation=Validation(split.validation, crop=crop, flows=flows),
        whole=WholeClips(
            split.validation,
            count=options.validate_clips,
            frames=options.validate_frames,
            size_multiple=generator.size_multiple,
            flows=flows,
        ),
    )
    train(training, rollouts, options, fabric, started=started)


class GeneratorTraining:
    """A generator and its discriminator; the latter is there where alpha is above 0."""

    headline = "l1"
    criterion = "whole_psnr"

    def __init__(
        self,
        generator: Generator,
        arguments: Arguments,
        options: FitOptions,
        fabric: Fabric,
        *,
        validation: Validation,
        whole: WholeClips,
    ) -> None:
        self._options, self._fabric = options, fabric
        self._validation, self._whole = validation, whole
        self._objective = Objective(options.objective)
        self.config = Config(name="", model=options.model, arguments=arguments)
        if options.initial is not None:
            start_from(options.initial, generator, options)
        # Channels last is the faster layout in bfloat16.
        self._generator = generator.to(memory_format=torch.channels_last)
        self.state = TrainState({"generator": generator}, {})
        self._unroll = self._set_up(
            Unroll(generator, own_output=options.rollout.own_output), "generator_adam"
        )
        self._average: AveragedModel | None = None
        if options.average is not None:
            self._average = AveragedModel(
                generator, multi_avg_fn=get_ema_multi_avg_fn(options.average), use_buffers=True
            )
            self.state.networks["average"] = self._average
        if options.compile:
            generator.paint = torch.compile(generator.paint, dynamic=False)  # type: ignore[method-assign]
        self._discriminator: nn.Module | None = None
        if options.objective.alpha:
            discriminator = Discriminator(width=options.discriminator_width)
            self._discriminator = self._set_up(discriminator, "discriminator_adam")
            self.state.networks["discriminator"] = discriminator

    @property
    def exported(self) -> Generator:
        """The generator, or its moving average."""
        return self._generator if self._average is None else cast("Generator", self._average.module)

    def update(self, step: int, batch: Rollout) -> dict[str, Tensor]:
        """Update the generator, and the discriminator when it is its turn.

        Args:
            step: Updates done before.
            batch: The examples, on the right device.

        Returns:
            Losses by name.
        """
        output: RolloutOutput = self._unroll(batch, self.state.carried)
        if self._options.rollout.stream is not None:
            self.state.carried = output.state
        loss = self._loss(batch, output)
        self._descend(loss, self._unroll, "generator_adam", clip=self._options.clip_gradients)
        if self._average is not None:
            self._average.update_parameters(self._generator)
        losses = {"generator": loss, "l1": (output.prediction - output.target).abs().mean()}
        if self._discriminator is not None and (step + 1) % self._options.discriminator_every == 0:
            losses["discriminator"] = self._update_discriminator(self._discriminator, output)
        return {name: value.detach() for name, value in losses.items()}

    def validate(self, log: RunLog, step: int) -> Validated:
        """Measure the generator that is exported on held-out clips, and write a sheet."""
        network = self.exported
        metrics = self._validation.measure(network, batch=self._options.batch)
        network.calibrate(1.0 - metrics["transfer_accuracy"])
        metrics |= self._whole.measure(network)
        return Validated(metrics, self._validation.sheet(network, log.sheet_path(step)))

    def _set_up(self, module: nn.Module, optimiser_name: str) -> nn.Module:
        """Fabric's wrapper of a module, whose optimiser is kept under this name."""
        wrapped, optimiser = self._fabric.setup(module, make_optimiser(module, self._options))
        self.state.optimisers[optimiser_name] = optimiser
        return cast("nn.Module", wrapped)

    def _loss(self, batch: Rollout, output: RolloutOutput) -> Tensor:
        logits = None
        if self._discriminator is not None:
            # Unwrapped and frozen: its gradients are of no use here, and would be sent around.
            discriminator = self.state.networks["discriminator"]
            with _frozen(discriminator), self._fabric.autocast():
                previous = output.previous.flatten(0, 1)
                logits = discriminator(output.prediction.flatten(0, 1), previous).float()
        loss = self._objective.generator(output.prediction, output.target, logits)
        return loss + self._objective.chroma(
            output.chroma,
            batch.chroma[:, 1:],
            confidence=output.confidence,
            fetched=output.fetched,
            candidates=output.candidates,
            log_errors=output.log_errors,
        )

    def _update_discriminator(self, discriminator: nn.Module, output: RolloutOutput) -> Tensor:
        # True and predicted frames in batches of their own, so that batch norm does not mix them.
        previous = output.previous.flatten(0, 1).detach()
        true_logits = discriminator(output.target.flatten(0, 1).detach(), previous)
        predicted_logits = discriminator(output.prediction.flatten(0, 1).detach(), previous)
        loss = self._objective.discriminator(true_logits, predicted_logits)
        self._descend(loss, discriminator, "discriminator_adam")
        return loss

    def _descend(
        self, loss: Tensor, module: nn.Module, optimiser_name: str, *, clip: float | None = None
    ) -> None:
        optimiser = self.state.optimisers[optimiser_name]
        descend(loss, module=module, optimiser=optimiser, fabric=self._fabric, clip=clip)


@contextmanager
def _frozen(module: nn.Module) -> Iterator[None]:
    """Gather no gradients of the module's parameters meanwhile."""
    module.requires_grad_(False)
    try:
        yield
    finally:
        module.requires_grad_(True)
