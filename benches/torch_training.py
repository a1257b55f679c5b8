#!/usr/bin/env python3
"""Training speed of a network in PyTorch on the CPU: prints `samples_per_s X`.

    pip install torch          # the CPU build is enough
    python3 benches/torch_basic.py --threads 2 [--tuned] [--network basic] [--steps 6] [--batch 120]

Random data, channels-last, RMSE loss, Adam: forward, backward and update, data preparation not counted. `--tuned`
starts itself again with glibc told to keep freed memory instead of returning it to the system; page faults cost an
untuned run up to half of its time. `training_speed.sh` compares this with our own trainer.
"""

import argparse
import os
import statistics
import sys
import time

# Blocks up to 4 GiB come from the heap, and the heap's free end is kept.
TUNED = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
}


def basic():
    """The paper's basic network: 96 x 96 x 1 -> 68 points."""
    from torch import nn

    layers = []
    channels = 1
    for filters, kernel in ((32, 3), (32, 2), (64, 2)):
        layers += [nn.Conv2d(channels, filters, kernel), nn.MaxPool2d(2), nn.ReLU()]
        channels = filters
    layers += [nn.Flatten(), nn.Linear(11 * 11 * 64, 1000), nn.ReLU(), nn.Linear(1000, 500), nn.ReLU()]
    layers += [nn.Linear(500, 136)]
    return nn.Sequential(*layers)


# name: (network, input [C, H, W], outputs)
NETWORKS = {"basic": (basic, (1, 96, 96), 136)}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--network", choices=NETWORKS, default="basic")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=120)
    parser.add_argument("--steps", type=int, default=6, help="steps that are timed")
    parser.add_argument("--warm-up", type=int, default=2, help="steps before the clock starts")
    parser.add_argument("--tuned", action="store_true", help="raise glibc's thresholds for returning memory")
    return parser.parse_args()


def main():
    args = arguments()
    if args.tuned and any(os.environ.get(key) != value for key, value in TUNED.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | TUNED)
    import torch

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    make, shape, outputs = NETWORKS[args.network]
    network = make().to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(network.parameters(), lr=1e-3)
    x = torch.randn(args.batch, *shape).contiguous(memory_format=torch.channels_last)
    target = torch.randn(args.batch, outputs)

    seconds = []
    for _ in range(args.warm_up + args.steps):
        start = time.perf_counter()
        adam.zero_grad(set_to_none=True)
        (network(x) - target).square().mean().sqrt().backward()
        adam.step()
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds[args.warm_up :])
    print(f"samples_per_s {args.batch / median:.1f}")


if __name__ == "__main__":
    main()
