"""One optimiser step, and everything that it changes."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from dataengine.config import TrainConfig
from dataengine.errors import TrainingDivergedError
from dataengine.learn.batch import Batch
from dataengine.learn.detector import Detector
from dataengine.learn.device import Session

LAST_SHARE = 0.01
"""Learning rate of the last step as a share of the peak."""
SNAPSHOT_SHARE = 0.7
"""Share of the steps after which a snapshot of the averaged weights is kept. The learning rate is then still
some 30% of its peak, so that the finished model differs where the labels leave it free to; our choice."""
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


class Trainer:
    """A detector, its optimiser and its averaged weights.

    Args:
        detector: Moved to the session's device and trained in place.
        train: Optimiser settings.
        session: Device and precision.
    """

    def __init__(self, detector: Detector, train: TrainConfig, session: Session) -> None:
        self.detector = detector.to(session.device).to(memory_format=torch.channels_last)
        self.train = train
        self.session = session
        self.step = 0
        """Steps finished."""
        self.optimiser = torch.optim.AdamW(
            _parameter_groups(detector, train.weight_decay), fused=_fused(session)
        )
        self.average = {name: value.clone() for name, value in self._floats().items()}
        self.snapshot: dict[str, Tensor] = {}
        """What ``weights`` returned at ``SNAPSHOT_SHARE`` of the steps; empty until then."""

    def run_step(self, batch: Batch) -> dict[str, float]:
        """Learn from one batch.

        Returns:
            ``loss``, its terms, ``learning_rate`` and ``gradient_norm`` (before clipping).

        Raises:
            TrainingDivergedError: The loss or the gradient is not finite; the weights are left as they were.
        """
        self.detector.train()
        rate = learning_rate(self.step, self.train)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        with self.session.autocast(self.detector.bf16):
            terms = self.detector.losses(batch.to(self.session.device))
        loss = torch.stack([term.float() for term in terms.values()]).sum()
        values = {"loss": float(loss.detach())} | {name: float(term.detach()) for name, term in terms.items()}
        if not math.isfinite(values["loss"]):
            raise TrainingDivergedError(self.step, values)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = float(nn.utils.clip_grad_norm_(self.detector.parameters(), self.train.clip_norm))
        values |= {"learning_rate": rate, "gradient_norm": norm}
        if not math.isfinite(norm):
            raise TrainingDivergedError(self.step, values)
        self.optimiser.step()
        self.step += 1
        self._update_average()
        if self.step == math.ceil(SNAPSHOT_SHARE * self.train.steps):
            self.snapshot = {name: value.clone() for name, value in self.weights().items()}
        return values

    def weights(self) -> dict[str, Tensor]:
        """What the finished model keeps: averaged weights, and counters as they are."""
        return {**self.detector.state_dict(), **self.average}

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, by name; ``load_state`` takes it back."""
        state = {f"model/{name}": value for name, value in self.detector.state_dict().items()}
        state |= {f"average/{name}": value for name, value in self.average.items()}
        state |= {f"snapshot/{name}": value for name, value in self.snapshot.items()}
        for name, parameter in self.detector.named_parameters():
            moments = self.optimiser.state.get(parameter, {})
            state |= {f"{moment}/{name}": moments[moment] for moment in _MOMENTS if moment in moments}
        return state

    def load_state(self, state: Mapping[str, Tensor], step: int) -> None:
        """Continue after ``step`` finished steps from what ``state`` returned then."""
        self.step = step
        self.detector.load_state_dict(_under("model", state))
        self.average = {
            name: value.to(self.session.device) for name, value in _under("average", state).items()
        }
        self.snapshot = _under("snapshot", state)
        moments = {moment: _under(moment, state) for moment in _MOMENTS}
        for name, parameter in self.detector.named_parameters():
            if name in moments["step"]:
                self.optimiser.state[parameter] = {
                    # The counter stays where AdamW keeps it: beside the moments if fused, else on the CPU.
                    moment: _like(values[name], parameter, self.session.device, counter=moment == "step")
                    for moment, values in moments.items()
                }

    def _update_average(self) -> None:
        # A short memory at first, or the random initial weights would weigh in for 1 / (1 - decay) steps.
        decay = min(self.train.ema_decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, value in self._floats().items():
                self.average[name].lerp_(value, 1 - decay)

    def _floats(self) -> dict[str, Tensor]:
        return {
            name: value for name, value in self.detector.state_dict().items() if value.is_floating_point()
        }


def learning_rate(step: int, train: TrainConfig) -> float:
    """Rate of a step: a line up to the peak, then half a cosine down to ``LAST_SHARE`` of it."""
    warmup = train.warmup_share * train.steps
    if step < warmup:
        return train.learning_rate * (step + 1) / (warmup + 1)
    progress = (step - warmup) / max(train.steps - warmup, 1)
    share = LAST_SHARE + (1 - LAST_SHARE) * 0.5 * (1 + math.cos(math.pi * progress))
    return train.learning_rate * share


def _parameter_groups(detector: Detector, weight_decay: float) -> list[dict[str, object]]:
    """Weight decay for matrices and filters; none for biases and normalisation (He 2019, section 3.1)."""
    parameters = list(detector.parameters())
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _fused(session: Session) -> bool:
    return session.device.type in {"cpu", "cuda"}


def _under(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(f"{prefix}/"): value
        for name, value in state.items()
        if name.startswith(f"{prefix}/")
    }


def _like(value: Tensor, parameter: Tensor, device: torch.device, *, counter: bool) -> Tensor:
    if counter:
        return value.to(device) if device.type == "cuda" else value
    # The memory layout decides the order of sums in some kernels, so it is part of the bits.
    return torch.empty_like(parameter).copy_(value)
