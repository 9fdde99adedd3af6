"""The network: a small residual U-Net of one grey image to four maps at half its resolution."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  (the name everybody knows it by)
from torch import Tensor, nn

WIDTHS = (16, 32, 64, 96, 96, 96)
"""Channels from half resolution down to a sixty-fourth; multiples of 16 fit the vector units."""

CHANNELS = 4
"""Background, vessel, nerve (softmax together) and core (sigmoid)."""

STRIDE = 64
"""Rows and columns of the input are multiples of it."""


def convolution(inputs: int, outputs: int) -> nn.Sequential:
    """3 x 3 convolution, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Block(nn.Module):
    """Two convolutions with a way around them."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs)
        self.second = nn.Sequential(
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs)
        )
        self.around = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(n, inputs, h, w) to (n, outputs, h, w)."""
        return F.relu(self.second(self.first(x)) + self.around(x))


class LumenNet(nn.Module):
    """(n, 1, rows, cols) grey levels in 0..1 to (n, 4, rows / 2, cols / 2) logits."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS, dropout: float = 0.1) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, widths[0], 5, stride=2, padding=2, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        )
        self.down = nn.ModuleList(
            Block(before, width) for before, width in zip((widths[0], *widths[:-1]), widths, strict=True)
        )
        upward = range(len(widths) - 1, 0, -1)
        self.narrow = nn.ModuleList(nn.Conv2d(widths[i], widths[i - 1], 1) for i in upward)
        self.up = nn.ModuleList(convolution(widths[i - 1], widths[i - 1]) for i in upward)
        self.dropout = nn.Dropout2d(dropout)
        self.head = nn.Conv2d(widths[0], CHANNELS, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of background, vessel, nerve and core."""
        x = self.stem(x)
        skips: list[Tensor] = []
        for level, block in enumerate(self.down):
            if level:
                x = F.max_pool2d(x, 2)
            x = block(x)
            skips.append(x)
        x = self.dropout(skips.pop())
        for narrow, block in zip(self.narrow, self.up, strict=True):
            # added, not concatenated: a third less work for the same result
            x = block(F.interpolate(narrow(x), scale_factor=2.0, mode="nearest") + skips.pop())
        logits: Tensor = self.head(x)
        return logits


class Probabilities(nn.Module):
    """What is shipped: the same network with softmax and sigmoid in the graph."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        """(n, 4, rows / 2, cols / 2): background, vessel, nerve, core, each 0..1."""
        logits = self.net(x)
        return torch.cat([torch.softmax(logits[:, :3], dim=1), torch.sigmoid(logits[:, 3:])], dim=1)
