#!/usr/bin/env python3
"""One training step of a small network in PyTorch, written down for the trainer's test.

    pip install torch          # the CPU build is enough
    python3 tools/torch_step.py [OUTPUT]

The network uses every kind of layer that `lineament-train` knows. Starting values are rounded to f32, the step itself
is computed in f64: the numbers are the true ones, and an f32 trainer differs from them by its own rounding only.

Layouts: activations [N, H, W, C]; convolution [k, k, I, O]; depthwise [k, k, C]; dense [inputs, units] with the inputs
in the order height, width, channel. Everything is stored flat, in the order of `LAYERS`.

Two things to know when comparing:
- A bias right before batch normalisation has a gradient of exactly 0 in theory. Rounding noise takes its place, and
  Adam's first step is the gradient's sign times the learning rate: compare `*_after` only where the gradient is
  clearly not 0 (the file's are below 1e-15 in those places).
- PyTorch's running variance is the unbiased one (divided by n - 1); normalising itself divides by n.
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

OUTPUT = "crates/lineament-train/tests/fixtures/torch_step.json"
SEED = 7
BATCH, SIDE, CHANNELS = 4, 12, 8
LEARNING_RATE, BETAS, EPSILON = 1e-3, (0.9, 0.999), 1e-8
BN_EPSILON, BN_MOMENTUM = 1e-5, 0.1
LAYERS = ["conv", "bn", "prelu", "dw", "bn", "hswish", "conv", "bn", "relu", "add", "maxpool", "dense", "globalpool", "dense"]


def parameters(generator):
    """The learned numbers of each layer, in this project's layouts; f32 values held as f64."""

    def random(*shape, mean=0.0, spread=1.0):
        values = mean + spread * torch.randn(*shape, generator=generator)
        return values.float().double().requires_grad_()

    def weights(*shape, inputs):
        return {"weight": random(*shape, spread=inputs**-0.5), "bias": random(shape[-1], spread=0.1)}

    def batch_norm():
        return {"weight": random(CHANNELS, mean=1.0, spread=0.2), "bias": random(CHANNELS, spread=0.2)}

    c = CHANNELS
    dense_inputs = (SIDE // 4) ** 2 * c
    layers = [{} for _ in LAYERS]
    layers[0] = weights(3, 3, 1, c, inputs=9)
    layers[2] = {"weight": random(c, mean=0.25, spread=0.1)}
    layers[3] = weights(3, 3, c, inputs=9)
    layers[6] = weights(1, 1, c, c, inputs=c)
    layers[11] = weights(dense_inputs, 6, inputs=dense_inputs)
    layers[13] = weights(c, 2, inputs=c)
    for i in (1, 4, 7):
        layers[i] = batch_norm() | {"mean": torch.zeros(c).double(), "var": torch.ones(c).double()}
    return layers


def forward(layers, x):
    """[N, H, W, C] -> two outputs [N, 6] and [N, 2]; running statistics are updated in place."""

    def conv(layer, x, **options):
        return F.conv2d(x, layer["weight"].permute(3, 2, 0, 1), layer["bias"], **options)

    def depthwise(layer, x, **options):
        weight = layer["weight"].permute(2, 0, 1).unsqueeze(1)  # [k, k, C] -> [C, 1, k, k]
        return F.conv2d(x, weight, layer["bias"], groups=CHANNELS, **options)

    def batch_norm(layer, x):
        args = (layer["mean"], layer["var"], layer["weight"], layer["bias"])
        return F.batch_norm(x, *args, training=True, momentum=BN_MOMENTUM, eps=BN_EPSILON)

    def dense(layer, x):
        return x @ layer["weight"] + layer["bias"]

    x = x.permute(0, 3, 1, 2)  # [N, 12, 12, 1] -> [N, 1, 12, 12]
    x = F.prelu(batch_norm(layers[1], conv(layers[0], x, padding=1)), layers[2]["weight"])  # [N, 8, 12, 12]
    x = F.hardswish(batch_norm(layers[4], depthwise(layers[3], x, stride=2, padding=1)))  # [N, 8, 6, 6]
    x = x + F.relu(batch_norm(layers[7], conv(layers[6], x)))
    pooled = F.max_pool2d(x, 2)  # [N, 8, 3, 3]
    points = dense(layers[11], pooled.permute(0, 2, 3, 1).flatten(1))  # [N, 72] -> [N, 6]
    extra = dense(layers[13], x.mean((2, 3)))  # [N, 8] -> [N, 2]
    return points, extra


def flat(tensor):
    """Nine significant digits: enough to give every f32 back."""
    return [float(f"{v:.9g}") for v in tensor.detach().flatten().tolist()]


def main():
    generator = torch.Generator().manual_seed(SEED)
    layers = parameters(generator)
    x = torch.randn(BATCH, SIDE, SIDE, 1, generator=generator).double()
    target = torch.randn(BATCH, 6, generator=generator).double()
    learned = [layer[key] for layer in layers for key in ("weight", "bias") if key in layer]
    before = [{key: flat(value) for key, value in layer.items()} for layer in layers]

    adam = torch.optim.Adam(learned, lr=LEARNING_RATE, betas=BETAS, eps=EPSILON)
    points, extra = forward(layers, x)
    points.retain_grad(), extra.retain_grad()
    loss = (points - target).square().mean().sqrt() + extra.square().mean()
    loss.backward()
    adam.step()

    report = []
    for op, layer, old in zip(LAYERS, layers, before):
        entry = {"op": op}
        for key in ("weight", "bias"):
            if key in layer:
                entry |= {key: old[key], f"{key}_grad": flat(layer[key].grad), f"{key}_after": flat(layer[key])}
        for key in ("mean", "var"):
            if key in layer:
                entry |= {f"running_{key}": old[key], f"running_{key}_after": flat(layer[key])}
        report.append(entry)
    text = {
        "made_by": f"tools/torch_step.py, torch {torch.__version__.split('+')[0]}, seed {SEED}",
        "input_shape": list(x.shape),
        "input": flat(x),
        "target": flat(target),
        "loss": float(f"{loss.item():.9g}"),
        "outputs": {"points": flat(points), "extra": flat(extra)},
        "output_grads": {"points": flat(points.grad), "extra": flat(extra.grad)},
        "learning_rate": LEARNING_RATE,
        "betas": BETAS,
        "epsilon": EPSILON,
        "bn_epsilon": BN_EPSILON,
        "bn_momentum": BN_MOMENTUM,
        "layers": report,
    }
    path = Path(sys.argv[1] if len(sys.argv) > 1 else OUTPUT)
    path.write_text(json.dumps(text, separators=(",", ":")).replace('{"op"', '\n{"op"') + "\n")
    print(f"{path}: loss {loss.item():.6f}, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
