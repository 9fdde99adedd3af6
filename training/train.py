"""Train the lumen network.

    python -m training.train --data ../shared/data/vessels --hold-out 0 --out fold0.pt

Holds out one block of the cross-validation (and always the test block), writes the averaged weights.
"""

from __future__ import annotations

import argparse
import copy
import math
import multiprocessing as mp
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from training.data import WIDE_WINDOW, WINDOW, Floats, Source, block_of, random_view, read_all, source_of
from training.model import LumenNet
from training.phantoms import read
from training.unlabelled import read_unlabelled

TEST_BLOCK = 4
WARM_UP = 60
"""Steps over which the rate rises."""
KEEP = 0.995
"""Share of the average that stays at each step."""


def overlap_loss(probability: Tensor, target: Tensor) -> Tensor:
    """1 - Dice, half over each view that holds the class (so that small vessels count), half over all."""
    axes = (1, 2)
    both, total = (probability * target).sum(axes), (probability + target).sum(axes)
    held = target.sum(axes) > 1
    whole = 1 - (2 * both.sum() + 1) / (total.sum() + 1)
    if not held.any():
        return whole
    each = 1 - (2 * both[held] + 1) / (total[held] + 1)
    return 0.5 * whole + 0.5 * each.mean()


def loss_of(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy and Dice of (n, 4, h, w) logits against (n, h, w, 3) vessel, nerve and core depth."""
    vessel, nerve = target[..., 0], target[..., 1] * (1 - target[..., 0])
    core = ((target[..., 2] - 0.4) / 0.2).clamp(0, 1)
    classes = torch.stack([1 - vessel - nerve, vessel, nerve], dim=1)
    log_p = torch.log_softmax(logits[:, :3], dim=1)
    entropy = -(classes * log_p).sum(1).mean()
    p = log_p.exp()
    core_entropy = F.binary_cross_entropy_with_logits(logits[:, 3], core)
    core_p = torch.sigmoid(logits[:, 3])
    return (
        entropy
        + core_entropy
        + overlap_loss(p[:, 1], vessel)
        + 0.5 * overlap_loss(p[:, 2], nerve)
        + 0.7 * overlap_loss(core_p, core)
    )


Batch = tuple[Floats, Floats]


def batches(source: Source, options: argparse.Namespace) -> Iterator[Batch]:
    """Endless (n, 1, rows, cols) views and (n, rows / 2, cols / 2, 3) targets, the same for the same seed.

    Every other batch has wide windows, fewer of them, so that either takes about as long.
    """
    rng = np.random.default_rng(options.seed)
    few = max(round(options.batch * (WINDOW / WIDE_WINDOW) ** 2), 1)
    while True:
        for window, count in ((WINDOW, options.batch), (WIDE_WINDOW, few)):
            views = [random_view(rng, source, window) for _ in range(count)]
            yield np.stack([view for view, _ in views])[:, None], np.stack([target for _, target in views])


def produce(queue: mp.Queue[Batch], source: Source, options: argparse.Namespace) -> None:
    """Fill the queue for ever, in a process of its own beside the training."""
    cv2.setNumThreads(1)
    for batch in batches(source, options):
        queue.put(batch)


def train(source: Source, options: argparse.Namespace) -> tuple[LumenNet, int]:
    """The averaged network (exponential moving average of weights and statistics) and the steps made.

    The rate falls over `steps`, or over `minutes` of wall time where the machine is shared.
    """
    context = mp.get_context("fork")
    queue: mp.Queue[Batch] = context.Queue(maxsize=12)
    maker = context.Process(target=produce, args=(queue, source, options), daemon=True)
    maker.start()
    torch.manual_seed(options.seed)
    net = LumenNet()
    if options.start:
        net.load_state_dict(torch.load(options.start, weights_only=True))
    net = net.to(memory_format=torch.channels_last)
    mean = copy.deepcopy(net)
    optimiser = torch.optim.AdamW(net.parameters(), lr=options.rate, weight_decay=0.02, betas=(0.9, 0.99))
    started, shown, step, done = time.monotonic(), 0.0, 0, 0.0
    while done < 1:
        rate = options.rate * min((step + 1) / WARM_UP, max(0.5 * (1 + math.cos(math.pi * done)), 0.01))
        for group in optimiser.param_groups:
            group["lr"] = rate
        views, wanted = queue.get(timeout=300)  # raises where the maker has died
        images = torch.from_numpy(views).contiguous(memory_format=torch.channels_last)
        targets = torch.from_numpy(wanted)
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(images)
        loss = loss_of(logits.float(), targets)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 3.0)
        optimiser.step()
        keep = min(KEEP, (step + 1) / (step + 10))
        with torch.no_grad():
            for slow, fast in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
                if slow.dtype.is_floating_point:
                    slow.lerp_(fast, 1 - keep)
                else:
                    slow.copy_(fast)
        shown = 0.98 * shown + 0.02 * float(loss.detach()) if step else float(loss.detach())
        step += 1
        passed = time.monotonic() - started
        done = passed / (60 * options.minutes) if options.minutes else step / options.steps
        if step % 50 == 0:
            print(f"step {step}: loss {shown:.3f}, {passed:.0f} s, {100 * done:.0f} %", flush=True)
        if step % 200 == 0:
            torch.save(mean.state_dict(), options.out.with_suffix(".part.pt"))
    maker.terminate()
    return mean.eval(), step


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder with images/ and masks/")
    parser.add_argument("--phantoms", type=Path, help="what `python -m training.phantoms` wrote")
    parser.add_argument("--unlabelled", type=Path, help="folder of pictures without masks")
    parser.add_argument(
        "--teachers", type=Path, nargs="+", default=[], help="weights that give their targets"
    )
    parser.add_argument("--width-mm", type=float, default=40.0, help="width of the unlabelled pictures")
    parser.add_argument("--hold-out", type=int, default=-1, help="block 0 to 3 left out; -1 leaves out none")
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--minutes", type=float, default=0.0, help="train so long instead of so many steps")
    parser.add_argument("--batch", type=int, default=6)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--synthetic", type=float, default=0.25, help="share of phantom views")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--start", type=Path, help="weights to begin with")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    away = {TEST_BLOCK, options.hold_out}
    samples = [sample for sample in read_all(options.data) if block_of(int(sample.name)) not in away]
    phantoms = read(options.phantoms) if options.phantoms else []
    unlabelled = (
        read_unlabelled(options.unlabelled, options.teachers, options.width_mm) if options.unlabelled else []
    )
    print(f"{len(samples)} images, {len(unlabelled)} unlabelled, {len(phantoms)} phantom frames", flush=True)
    net, steps = train(source_of(samples, phantoms, unlabelled, options.synthetic), options)
    torch.save(net.state_dict(), options.out)
    print(f"{steps} steps of {options.batch} views")


if __name__ == "__main__":
    main()
