"""A network of ours in PyTorch, from the list of layers that `lineament train --network-json` writes, and the larger
network whose pseudo-labels it learns from."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from common import common


class Listed(nn.Module):
    """Runs a list of layers; `[n, 1, h, w]` to a dictionary of outputs."""

    def __init__(self, network):
        super().__init__()
        self.layers, self.outputs = network["layers"], network["outputs"]
        h, w, c = network["input"]
        shapes = [(c, h, w)]
        self.parts = nn.ModuleList()
        for layer in self.layers:
            part, shape = self.part(layer, shapes[layer["input"]])
            self.parts.append(part)
            shapes.append(shape)
        self.shapes = shapes
        self.last_use = {}
        for i, layer in enumerate(self.layers):
            for value in (layer["input"], layer.get("second", 0)):
                self.last_use[value] = i
        for value in self.outputs.values():
            self.last_use[value] = len(self.layers)

    def part(self, layer, shape):
        op, (c, h, w) = layer["op"], shape
        if op in ("conv", "depthwise"):
            k, s, p = layer["kernel"], layer["stride"], layer["padding"]
            out = layer.get("filters", c)
            part = nn.Conv2d(c, out, k, s, p, groups=c if op == "depthwise" else 1)
            fan = k * k if op == "depthwise" else None
            limit = (6 / (k * k * (c + out) if fan is None else 2 * fan)) ** 0.5  # Glorot, as Params::init
            nn.init.uniform_(part.weight, -limit, limit)
            nn.init.zeros_(part.bias)
            return part, (out, (h + 2 * p - k) // s + 1, (w + 2 * p - k) // s + 1)
        if op == "batch_norm":
            return nn.BatchNorm2d(c), shape
        if op == "prelu":
            return nn.PReLU(c), shape
        if op in ("relu", "hard_swish"):
            return nn.ReLU() if op == "relu" else nn.Hardswish(), shape
        if op == "max_pool":
            return nn.MaxPool2d(2), (c, h // 2, w // 2)
        if op == "position_bias":
            return PositionBias(shape), shape
        if op == "dense":
            return nn.Linear(c * h * w, layer["units"]), (layer["units"], 1, 1)
        if op in ("global_pool", "weighted_pool"):
            return nn.Identity(), (c, 1, 1)
        assert op == "add", op
        return nn.Identity(), shape

    def forward(self, x):
        values = {0: x}
        for i, (layer, part) in enumerate(zip(self.layers, self.parts)):
            x = values[layer["input"]]
            op = layer["op"]
            if op == "add":
                y = x + values[layer["second"]]
            elif op == "global_pool":
                y = x.mean((2, 3), keepdim=True)
            elif op == "weighted_pool":
                weight = values[layer["second"]].float().sigmoid()
                y = (weight * x.float()).sum((2, 3), keepdim=True) / weight.sum((2, 3), keepdim=True)
            elif op == "position_bias":
                y = part(x.float())
            elif op == "dense":
                y = part(x.permute(0, 2, 3, 1).flatten(1))[:, :, None, None]
            else:
                y = part(x)
            values[i + 1] = y
            for value in (layer["input"], layer.get("second", 0)):
                if self.last_use[value] == i:
                    values.pop(value, None)
        return {name: values[value].float().flatten(1) for name, value in self.outputs.items()}

    def begin(self, mean_points):
        """As the trainer starts: small heads, votes where their cells lie, the mean shape, one expected error."""
        heads = {name: self.head(value) for name, value in self.outputs.items()}
        for part in self.parts:
            if isinstance(part, PositionBias):
                part.begin()
        for name, head in heads.items():
            head.weight.data *= common.initial["head_scale"]
            if name == "points":
                head.bias.data.copy_(mean_points.flatten())
            elif name == "log_errors":
                head.bias.data.fill_(math.log(common.initial["expected_error"]))

    def head(self, value):
        """As Architecture::head: the convolution or dense layer whose bias shifts an output."""
        i = value - 1
        while self.layers[i]["op"] not in ("conv", "dense"):
            i = self.layers[i]["input"] - 1
        return self.parts[i]

    def rows(self, state):
        """The rows of a checkpoint (lineament_train::params::Layout) from a state dictionary."""
        values, statistics = [], []
        for i, layer in enumerate(self.layers):
            get = lambda key: state[f"parts.{i}.{key}"].float().cpu()
            if layer["op"] in ("conv", "depthwise"):
                values += [get("weight").permute(2, 3, 1, 0), get("bias")]
            elif layer["op"] == "batch_norm":
                values += [get("weight"), get("bias")]
                statistics += [get("running_mean"), get("running_var")]
            elif layer["op"] == "prelu":
                values.append(get("weight"))
            elif layer["op"] == "dense":
                values += [get("weight").T, get("bias")]
            elif layer["op"] == "position_bias":
                values.append(get("bias").permute(1, 2, 0))
        join = lambda parts: torch.cat([p.reshape(-1) for p in parts]).contiguous()
        return join(values), join(statistics)


class PositionBias(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(shape))

    def begin(self):
        """An untrained cell votes for its own position."""
        c, h, w = self.bias.shape
        x = (2 * torch.arange(w) + 1) / w - 1
        y = (2 * torch.arange(h) + 1) / h - 1
        self.bias.data[0::2] = x[None, None, :].expand(c // 2, h, w)
        self.bias.data[1::2] = y[None, :, None].expand(c // 2, h, w)

    def forward(self, x):
        return x + self.bias


def block(c_in, c_out, stride=1):
    return nn.Sequential(
        nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False), nn.BatchNorm2d(c_out), nn.SiLU(),
        nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False), nn.BatchNorm2d(c_out),
    )  # fmt: skip


class Residual(nn.Module):
    """A residual block of two convolutions; while training, both may be left out for a whole sample."""

    def __init__(self, c, drop):
        super().__init__()
        self.body, self.drop = block(c, c), drop
        nn.init.zeros_(self.body[-1].weight)

    def forward(self, x):
        y = self.body(x)
        if self.training and self.drop:
            y = y * (torch.rand(len(x), 1, 1, 1, device=x.device) > self.drop) / (1 - self.drop)
        return F.silu(x + y)


class Teacher(nn.Module):
    """Full convolutions to a 1/16 map, joined with the 1/8 map above it, each of whose cells votes on every point.
    For inputs of 160 pixels. About 11 M weights, 1.6 G multiply-adds."""

    SIDE = 160

    def __init__(self, width=1.0, drop=0.1):
        super().__init__()
        c = [int(width * n) for n in (32, 64, 96, 192, 320)]
        down = lambda a, b: nn.Sequential(*block(a, b, 2), nn.SiLU())
        self.to4 = nn.Sequential(nn.Conv2d(1, c[0], 5, 2, 2), nn.BatchNorm2d(c[0]), nn.SiLU(), down(c[0], c[1]), Residual(c[1], 0))
        self.to8 = nn.Sequential(down(c[1], c[3]), *[Residual(c[3], drop) for _ in range(2)])
        self.to16 = nn.Sequential(down(c[3], c[4]), *[Residual(c[4], drop) for _ in range(4)])
        self.across = nn.Conv2d(c[4], c[3], 1)
        self.joined = nn.Sequential(Residual(c[3], drop), Residual(c[3], drop), nn.Dropout2d(0.05))
        self.votes, self.weights = nn.Conv2d(c[3], 136, 1), nn.Conv2d(c[3], 136, 1)
        self.errors = nn.Conv2d(c[4], 68, 1)
        self.score = nn.Conv2d(c[4], 1, 1)
        self.place = PositionBias((136, 20, 20))

    def begin(self, mean_points):
        self.place.begin()
        for head in (self.votes, self.weights, self.errors, self.score):
            head.weight.data *= common.initial["head_scale"]
        self.votes.bias.data.copy_(mean_points.flatten())
        self.errors.bias.data.fill_(math.log(common.initial["expected_error"]))

    def forward(self, x):
        fine = self.to8(self.to4(x))
        coarse = self.to16(fine)
        joined = self.joined(fine + F.interpolate(self.across(coarse), scale_factor=2.0))
        weight = self.weights(joined).float().sigmoid()
        points = (weight * self.place(self.votes(joined).float())).sum((2, 3)) / weight.sum((2, 3))
        mean = lambda head: head(coarse).float().mean((2, 3))
        return {"points": points, "log_errors": mean(self.errors), "score": mean(self.score)}
