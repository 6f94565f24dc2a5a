"""The loop: steps, epochs, and what is told of each."""

import math

import numpy as np
import torch
from torch.nn import functional

from explorer.transfer.standalone.batches import Images, crop_and_flip
from explorer.transfer.standalone.net import Net
from explorer.transfer.standalone.regularise import add_dropout, as_tested, survival_rates
from explorer.transfer.standalone.settings import RECIPE, SEED

COLUMNS = ("epoch", "iteration", "train_loss", "train_error_pct", "test_loss", "test_error_pct", "lr")


class Loop:
    """Trains the net to the end of the recipe."""

    def __init__(self, net: Net, train: Images, test: Images, flip: bool) -> None:
        self.net, self.train, self.test, self.flip = net, train, test, flip
        self.device, self.count = train.labels.device, len(train.labels)
        self.size = min(RECIPE["batch_size"], self.count)
        self.steps = self.count // self.size  # the last, smaller batch of an epoch is left out
        self.total = RECIPE["iterations"] or RECIPE["epochs"] * self.steps
        self.clock, self.lr = {"iteration": 0}, 0.0
        self.rates = survival_rates(len(net.blocks))
        self.optimizer = make_optimizer(net, self.device)
        if RECIPE["dropout"]:
            add_dropout(net, self.clock)

    def run(self) -> list[dict[str, float]]:
        """One row of `COLUMNS` per epoch; epoch 0 is the untrained net."""
        rows = [self.row(0, [], 0.0)]
        for epoch in range(-(-self.total // self.steps)):
            rows.append(self.epoch(epoch))
            print(", ".join(f"{name} {rows[-1][name]:.5g}" for name in COLUMNS), flush=True)
        return rows

    def epoch(self, epoch: int) -> dict[str, float]:
        """The order of the images and their crops follow from the seed and the epoch alone."""
        self.net.train()
        generator = torch.Generator().manual_seed(SEED * 1_000_003 + epoch)
        order = torch.randperm(self.count, generator=generator).to(self.device)
        draws = torch.rand(self.count, 3, generator=generator).to(self.device) if RECIPE["augment"] else None
        losses, wrong = [], torch.zeros((), device=self.device)
        for number in range(min(self.steps, self.total - epoch * self.steps)):
            part = slice(number * self.size, (number + 1) * self.size)
            loss, mistakes = self.step(order[part], None if draws is None else draws[part])
            losses.append(loss)
            wrong += mistakes
        return self.row(epoch + 1, losses, float(wrong))

    def step(self, index: torch.Tensor, draws: torch.Tensor | None) -> tuple[torch.Tensor, torch.Tensor]:
        """Train on one batch; its loss, and how many of its images were classified wrongly."""
        iteration = self.clock["iteration"]
        self.lr = self.optimizer.param_groups[0]["lr"] = lr_at(iteration, self.total)
        images, labels = self.train.normalised(index), self.train.labels[index]
        if draws is not None:
            images = crop_and_flip(images, draws, self.flip)
        alive = None
        if RECIPE["survival"] < 1:
            alive = np.random.default_rng((SEED, iteration)).random(len(self.rates)) < self.rates
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bf16(), cache_enabled=False):
            logits = self.net(images, alive)
            loss = functional.cross_entropy(logits, labels)
        loss.backward()
        self.optimizer.step()
        self.clock["iteration"] += 1
        return loss.detach(), (logits.detach().argmax(1) != labels).sum()

    def row(self, epoch: int, losses: list[torch.Tensor], wrong: float) -> dict[str, float]:
        """Training errors are over the batches as they were trained, test errors over the whole split."""
        trained = len(losses) * self.size
        mean = float(torch.stack(losses).float().cpu().numpy().mean(dtype=np.float64)) if losses else math.nan
        error = 100 * wrong / trained if trained else math.nan
        test_loss, test_error = evaluate(self.net, self.test, self.device)
        numbers = (epoch, self.clock["iteration"], mean, error, test_loss, test_error, self.lr)
        return dict(zip(COLUMNS, numbers, strict=True))


def make_optimizer(net: Net, device: torch.device) -> torch.optim.SGD:
    optimizer = torch.optim.SGD(
        net.parameters(),
        lr=RECIPE["lr"],
        momentum=RECIPE["momentum"],
        weight_decay=RECIPE["weight_decay"],
        fused=device.type in ("cpu", "cuda"),
    )
    if RECIPE["survival"] < 1:  # a skipped block has no gradient, and fused steps want a momentum for all
        for parameter in net.parameters():
            optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
    return optimizer


def lr_at(iteration: int, total: int) -> float:
    warmup, lr = RECIPE["warmup"] * total, RECIPE["lr"]
    if iteration < warmup:
        return float(lr * (iteration + 1) / (math.floor(warmup) + 1))
    if RECIPE["schedule"] == "step":
        return float(lr * 0.1 ** sum(iteration >= drop * total for drop in RECIPE["drops"]))
    progress = (iteration - warmup) / max(total - warmup, 1)
    return float(lr * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0))))


def evaluate(net: Net, images: Images, device: torch.device) -> tuple[float, float]:
    """Mean cross-entropy, and error in per cent."""
    wrong, loss = torch.zeros((), device=device), torch.zeros((), device=device, dtype=torch.float64)
    net = as_tested(net).eval()
    with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bf16()):
        for start in range(0, len(images.labels), 500):
            part = slice(start, start + 500)
            logits, labels = net(images.normalised(part)).float(), images.labels[part]
            wrong += (logits.argmax(1) != labels).sum()
            loss += functional.cross_entropy(logits, labels, reduction="sum").double()
    return float(loss) / len(images.labels), 100 * int(wrong) / len(images.labels)


def bf16() -> bool:
    return bool(RECIPE["precision"] == "bf16")
