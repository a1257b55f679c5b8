"""Augmentation of crops, a batch at a time: the same faults as lineament_data::augment."""

import math
import random

import torch
import torch.nn.functional as F

from common import common
from faces import REACH, base_grid


def cut(patches, points, side, jitter, generator, shape=0.0, mirror=True):
    """Crops `[n, 1, side, side]`, 0 to 255, and their points in the new crops.

    `jitter`: 0 for crops as the points give them, 1 for those of training (lineament_data::Jitter's defaults).
    `shape`: standard deviation of a change of the faces' proportions and slant.
    """
    n, device = len(patches), patches.device
    normal = lambda *size: torch.randn(*size, device=device, generator=generator).clamp(-3, 3)
    uniform = lambda *size: torch.rand(*size, device=device, generator=generator)
    close = uniform(n) < 0.5
    reach = torch.where(close, 0.3, 1.0) * jitter
    shift = reach[:, None] * 0.1 * normal(n, 2)  # 0.05 sides; a side is 2
    scale = (reach * 0.1 * normal(n)).exp()
    small = close | (uniform(n) < 0.7)
    turn = torch.where(small, reach * 8 * normal(n), jitter * 45 * (2 * uniform(n) - 1)) * (math.pi / 180)
    c, s = turn.cos() * scale, turn.sin() * scale
    matrix = torch.stack([c, -s, s, c], -1).view(n, 2, 2)
    if shape:
        stretch = (shape * normal(n)).exp()
        slant = shape * normal(n)
        zero = torch.zeros_like(slant)
        matrix = torch.stack([stretch, slant, zero, 1 / stretch], -1).view(n, 2, 2) @ matrix
    grid = base_grid(side, device).view(1, -1, 2) @ matrix.transpose(1, 2) + shift[:, None]
    crops = F.grid_sample(
        patches[:, None].float(), (grid / REACH).view(n, side, side, 2), padding_mode="border", align_corners=False
    )
    if points is not None:
        points = (points - shift[:, None]) @ torch.linalg.inv(matrix).transpose(1, 2)
    if mirror:
        flip = uniform(n) < 0.5
        crops = torch.where(flip[:, None, None, None], crops.flip(3), crops)
        if points is not None:
            points = torch.where(flip[:, None, None], mirrored(points), points)
    return crops, points


def mirrored(points):
    """The points of the crop mirrored left to right."""
    mirror = torch.as_tensor(common.topology["mirror"], device=points.device)
    return points[:, mirror] * torch.tensor([-1.0, 1.0], device=points.device)


def normalised(crops):
    """As Normalisation::Standardise of the library."""
    deviation, mean = torch.std_mean(crops, dim=(1, 2, 3), keepdim=True, correction=0)
    return (crops - mean) / deviation.clamp(min=1.0)


def augmented(x, generator):
    """Light, occluding objects, tone, blur, size, darkness and noise; `[n, 1, side, side]`, 0 to 255."""
    n, side, device = len(x), x.shape[-1], x.device
    # Some faults are applied to a part of the batch: which part must not tell what kind of sample it is.
    order = torch.randperm(n, device=device, generator=generator)
    x = x[order]
    px = side / 112  # strengths are made for crops of 112 pixels
    uniform = lambda *size: torch.rand(*size, device=device, generator=generator)
    happens = lambda share: (uniform(n) < share).float().view(n, 1, 1, 1)
    between = lambda low, high: (low + (high - low) * uniform(n)).view(n, 1, 1, 1)
    grid = base_grid(side, device)
    gx, gy = grid[None, None, ..., 0], grid[None, None, ..., 1]

    angle = between(0, 2 * math.pi)
    x = x * (1 + happens(0.3) * between(0.1, 0.7) * (gx * angle.cos() + gy * angle.sin()))
    covered = happens(0.3)
    for _ in range(3):
        here = covered * happens(0.67)
        w, h = between(0.08, 0.4), between(0.08, 0.4)
        dx, dy = (gx - between(-1, 1)) / w, (gy - between(-1, 1)) / h
        inside = torch.where(happens(0.5) > 0, (dx * dx + dy * dy < 1).float(), ((dx.abs() < 1) & (dy.abs() < 1)).float())
        kind = between(0, 3)
        noise = torch.rand(x.shape, device=device, generator=generator) * 255
        fill = torch.where(kind < 1, between(0, 255), torch.where(kind < 2, noise, x.roll(1, 0)))
        x = torch.lerp(x, fill, here * inside)
    tone = happens(0.7)
    gamma = (0.35 * torch.randn(n, 1, 1, 1, device=device, generator=generator) * tone).exp()
    x = (x.clamp(0, 255) / 255 + 1e-6) ** gamma * 255
    mean = x.mean((1, 2, 3), keepdim=True)
    x = mean + tone * between(-50, 50) + (1 + tone * between(-0.5, 0.5)) * (x - mean)
    x = x.clamp(0, 255)
    third = n // 3
    focus, motion = happens(0.6) * between(0.3, 2) * px, happens(0.45) * between(3, 9) * px
    out = blurred(x[-third:], focus[-third:], motion[-third:], between(0, math.pi)[-third:])
    x = torch.cat([x[:-third], out])
    eighth = max(1, n // 8)
    for first in (0, eighth):
        small = F.interpolate(x[first : first + eighth], size=max(4, round(side / random.uniform(1.2, 4))), mode="area")
        big = F.interpolate(small, size=side, mode="bilinear", align_corners=False)
        x = torch.cat([x[:first], big, x[first + eighth :]])
    dark = happens(0.15)
    light = 1 + dark * (between(0.12, 0.6) - 1)
    noise = torch.randn(x.shape, device=device, generator=generator)
    x = x * light + dark * between(0.5, 3) * noise
    x = torch.where(dark > 0, x.round().clamp(0, 255), x)
    x = x + happens(0.3) * 15 * between(0, 1) ** 2 * torch.randn(x.shape, device=device, generator=generator)
    return x.clamp(0, 255)[order.argsort()]


def blurred(x, focus, motion, angle):
    """Blurred by `focus` and by a motion of `motion` pixels: one kernel for each picture."""
    n, radius = len(x), 7
    line = torch.arange(-radius, radius + 1, device=x.device, dtype=torch.float32)
    ky, kx = torch.meshgrid(line, line, indexing="ij")
    along = kx * angle.cos() + ky * angle.sin()
    across = kx * angle.sin() - ky * angle.cos()
    var = focus.clamp(min=0.15) ** 2
    # A line of that length has the variance length squared over 12.
    kernel = torch.exp(-across**2 / (2 * var) - along**2 / (2 * (var + motion**2 / 12)))
    kernel = kernel / kernel.sum((2, 3), keepdim=True)
    padded = F.pad(x, [radius] * 4, mode="replicate")
    return F.conv2d(padded.transpose(0, 1), kernel, groups=n).transpose(0, 1)
