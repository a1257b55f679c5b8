#!/usr/bin/env python3
"""Training speed of a network of ours in PyTorch on the CPU: prints `samples_per_s X`.

    pip install torch          # the CPU build is enough
    lineament train --network-json lite > lite.json
    python3 benches/torch_training.py lite.json --threads 2 [--tuned] [--steps 6] [--batch 120]

Random data, the faster of the two memory layouts, a mean squared error, Adam: forward, backward and update, without
data preparation. `--tuned` starts itself again and tells glibc to keep freed memory instead of returning it to the
system; page faults cost an untuned run up to half of its time. `training_speed.sh` compares this
with our own trainer.
"""

import argparse
import copy
import json
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "runs/gpu"))

# Blocks up to 4 GiB come from the heap, and the heap's free end is kept.
TUNED = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("network", help="what `lineament train --network-json` wrote")
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
    from networks import Listed

    torch.set_num_threads(args.threads)
    torch.manual_seed(1)
    listed = json.loads(Path(args.network).read_text())
    untrained, (h, w, c) = Listed(listed), listed["input"]
    x = torch.randn(args.batch, c, h, w)

    def speed(layout):
        network, crops = copy.deepcopy(untrained).to(memory_format=layout), x.contiguous(memory_format=layout)
        adam = torch.optim.Adam(network.parameters(), lr=1e-3)
        seconds = []
        for _ in range(args.warm_up + args.steps):
            start = time.perf_counter()
            adam.zero_grad(set_to_none=True)
            sum((output - 1).square().mean() for output in network(crops).values()).backward()
            adam.step()
            seconds.append(time.perf_counter() - start)
        return args.batch / statistics.median(seconds[args.warm_up :])

    print(f"samples_per_s {max(map(speed, (torch.channels_last, torch.contiguous_format))):.1f}")


if __name__ == "__main__":
    main()
