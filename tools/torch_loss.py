#!/usr/bin/env python3
"""The landmark loss of one batch in PyTorch, written down for the trainer's test.

    pip install torch pillow numpy          # the CPU build is enough
    lineament train --network-json lite > lite.json
    python3 tools/torch_loss.py lite.json [OUTPUT]

It runs `loss_of` of runs/gpu/learn.py, which trains in PyTorch, so that the test holds the two implementations together. The
batch has faces that people labelled, pseudo-labelled faces, crops without a face, and logarithms of expected errors beyond
both ends of their range. Numbers are rounded to f32, the loss is computed in f64.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "runs/gpu"))

import torch
from common import common
from learn import loss_of

OUTPUT = "crates/lineament-train/tests/fixtures/torch_loss.json"
SEED = 7
OWN, PSEUDO_LABELLED, EMPTY = 3, 2, 2


def flat(tensor):
    """Nine significant digits: enough to give every f32 back."""
    return [float(f"{v:.9g}") for v in tensor.detach().flatten().tolist()]


def main():
    common.read(sys.argv[1])
    generator = torch.Generator().manual_seed(SEED)
    faces = OWN + PSEUDO_LABELLED
    batch = faces + EMPTY

    def random(*shape, mean=0.0, spread=1.0):
        return (mean + spread * torch.randn(*shape, generator=generator)).float().double()

    points = random(faces, 68, 2, spread=0.4)
    offsets = random(batch, 68, 2, spread=0.05)
    placed = random(batch, 68, 2, spread=0.4)
    placed[:faces] = (points + offsets[:faces]).float().double()
    least, most = common.loss["log_error_range"]
    log_errors = random(batch, 68, mean=-3.0, spread=0.8)
    # Beyond the range, in samples that people labelled: half of them with a distance that leads back.
    log_errors[0, :8], log_errors[1, :8] = least - 1, most + 1
    placed[0, :4], placed[1, :4] = points[0, :4], points[1, :4] + 8.0
    outputs = {"points": placed.flatten(1), "log_errors": log_errors, "score": random(batch, 1, spread=2.0)}
    for output in outputs.values():
        output.requires_grad_()
    loss, distance = loss_of(outputs, points, OWN)
    loss.backward()
    text = {
        "made_by": f"tools/torch_loss.py, torch {torch.__version__.split('+')[0]}, seed {SEED}",
        "own": OWN,
        "pseudo_labelled": PSEUDO_LABELLED,
        "empty": EMPTY,
        "truth": flat(points),
        "outputs": {name: flat(output) for name, output in outputs.items()},
        "gradients": {name: flat(output.grad) for name, output in outputs.items()},
        "loss": float(f"{loss.item():.9g}"),
        "distance": float(f"{faces / batch * distance.item():.9g}"),
    }
    path = Path(sys.argv[2] if len(sys.argv) > 2 else OUTPUT)
    path.write_text(json.dumps(text, separators=(",", ":")).replace(',"', ',\n"') + "\n")
    print(f"{path}: loss {loss.item():.6f}, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
