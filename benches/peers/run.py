#!/usr/bin/env python3
"""Compares Lineament with its peers: the same frames and files, one core, interleaved. Prints medians and ratios.

    python3 -m venv venv && venv/bin/pip install -r benches/peers/requirements.txt
    venv/bin/python benches/peers/run.py                          # all of it: about five minutes
    venv/bin/python benches/peers/run.py --only lite --peers tflite,onnxruntime --rounds 20
    venv/bin/python benches/peers/run.py --video talk.mp4 --write

Each system is a process of its own (`peer.py`, `rust/`), limited to one core and one thread. In each round every system
runs a batch, in an order that changes. A round's figure is the median of the batch's CPU times; for a video it is the
mean, which includes the searches for faces. The table shows medians and quartiles over the rounds, and of the ratios round
by round. Other programs hardly change CPU time, but they do change what is in the caches: measure on a calm machine, and
compare ratios, not milliseconds.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FRAME = (480, 640)
FILM_FRAMES = 150
NETWORKS = {"basic": (96, 96), "lite": (112, 112), "detector": (256, 320)}
NETWORK_PEERS = ["onnxruntime", "tflite", "tflite-f16", "tflite-int8", "onnxruntime-int8", "opencv", "rten", "tract"]
FRAME_PEERS = {
    "detect": ["ours-grey", "mediapipe", "dlib", "opencv-haar"],
    "track": ["ours-grey", "mediapipe", "mediapipe-attention", "dlib"],
}
WORKS = [*NETWORKS, *FRAME_PEERS, "load"]
# Milliseconds that a batch should take: long enough for the clock, short enough to interleave.
BATCH_MS = 60
# A video's batch includes several searches for faces, which come five times per second.
FILM_BATCH = 36
COLD_STARTS = 5


class Peer:
    """A process that answers lines."""

    def __init__(self, command):
        threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RTEN_NUM_THREADS")}
        self.log = tempfile.TemporaryFile()
        begin = time.perf_counter()
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            env=os.environ | threads | {"GLOG_minloglevel": "2", "TF_CPP_MIN_LOG_LEVEL": "2"},
        )
        self.command = command
        assert self.read() == "ready"
        self.ready_ms = 1e3 * (time.perf_counter() - begin)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            tail = self.log.read().decode(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(map(str, self.command))} ended:\n{tail}")
        return json.loads(line)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.read()

    def run(self, times):
        """CPU milliseconds of each run."""
        return [cpu for _, cpu in self.ask(f"run {times}")]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()
        self.log.close()


def quartiles(values):
    if len(values) < 2:
        return [values[0]] * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def ratios(ours, theirs):
    return quartiles([a / b for a, b in zip(ours, theirs)])


class Bench:
    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.results = {}

    def wanted(self, peers):
        return [peer for peer in peers if not self.args.peers or peer in self.args.peers]

    def command(self, system, *rest):
        rust = system.split("-")[0] in ("ours", "rten", "tract")
        return [self.args.rust_peer, system, *rest] if rust else [sys.executable, HERE / "peer.py", system, *rest]

    def start(self, commands):
        """Peers by name; one that cannot start is left out, with its reason."""
        peers = {}
        for name, command in commands.items():
            try:
                peers[name] = Peer(command)
            except RuntimeError as error:
                if name == "ours":
                    raise
                print(f"{name} is left out: {error}", file=sys.stderr)
        return peers

    def rounds(self, peers, batch, figure):
        """A figure of each peer for each round, interleaved."""
        figures = {name: [] for name in peers}
        for turn in range(self.args.rounds + 1):
            order = list(peers)
            random.Random(turn).shuffle(order)
            for name in order:
                times = peers[name].run(batch[name])
                if turn:  # the first round warms up
                    figures[name].append(figure(times))
        return figures

    def table(self, work, figures, extra=None):
        rows = []
        for name, values in figures.items():
            row = {"system": name, "ms": quartiles(values), "rounds": len(values)}
            if name != "ours":
                row["ours_over_it"] = ratios(figures["ours"], values)
            rows.append(row | (extra or {}).get(name, {}))
        self.results[work] = rows
        print(markdown(work, rows), flush=True)

    def network(self, work):
        import numpy as np

        height, width = NETWORKS[work]
        model = self.folder / f"{work}.onnx"
        if work == "basic":
            subprocess.run([self.args.rust_peer, "ours", "basic", model], check=True)
        else:
            widen(ROOT / "models" / work / f"{work}.onnx", model)
        pixels = self.folder / f"{work}.f32"
        np.random.RandomState(68).standard_normal((height, width)).astype(np.float32).tofile(pixels)
        commands = {}
        for name in ["ours", *self.wanted(NETWORK_PEERS)]:
            system, _, kind = name.partition("-")
            file = model
            if system == "tflite":
                import tflite_file

                file = self.folder / f"{work}-{kind or 'f32'}.tflite"
                tflite_file.convert(model, file, height, width, "f16" if kind == "f16" else "f32")
                if kind == "int8":
                    samples = [sample.reshape(1, height, width, 1) for sample in noise(height, width)]
                    with contextlib.redirect_stdout(sys.stderr):
                        tflite_file.convert_int8(file, file, samples)
            elif kind == "int8":
                file = self.folder / f"{work}-int8.onnx"
                onnx_int8(model, file, [sample.reshape(1, 1, height, width) for sample in noise(height, width)])
            commands[name] = self.command(system, "network", file, pixels, height, width)
        for name, file in self.args.ours:
            if name.split("-")[0] == work:
                commands[f"ours {name}"] = self.command("ours", "network", file, pixels, height, width)
        peers = self.start(commands)
        batch, extra = {}, {}
        for name, peer in peers.items():
            peer.run(3)
            batch[name] = max(3, round(BATCH_MS / statistics.median(peer.run(5))))
            answer = peer.ask("answer")
            if name == "ours":
                expected = answer
            extra[name] = {"off": difference(expected, answer)}
        figures = self.rounds(peers, batch, statistics.median)
        self.table(work, figures, extra)
        for peer in peers.values():
            peer.close()

    def frames(self, work, film):
        commands = {name: self.command(name, work, film, *FRAME) for name in ["ours", *self.wanted(FRAME_PEERS[work])]}
        for name, files in self.args.pair:
            commands[f"ours {name}"] = self.command("ours", work, film, *FRAME, *files.split(","))
        peers = self.start(commands)
        figures = self.rounds(peers, dict.fromkeys(peers, FILM_BATCH), statistics.fmean)
        extra = {}
        for name, peer in peers.items():
            seen = peer.ask("answer")
            faces = seen["faces"] / seen["frames"]
            extra[name] = {"faces_per_frame": faces, "memory_mib": peer.ask("memory") / 1024}
            peer.close()
        self.table(work, figures, extra)

    def load(self, film):
        """From starting the process to the first frame's answer; files are in the page cache."""
        systems = ["ours", *self.wanted(["mediapipe", "dlib"])]
        commands = {name: self.command(name, "track", film, *FRAME) for name in systems}
        figures = {name: [] for name in commands}
        ready = {name: [] for name in commands}
        for turn in range(COLD_STARTS + 1):
            for name, peer in ((name, self.start({name: command}).get(name)) for name, command in commands.items()):
                if peer is None:
                    continue
                [[first, _]] = peer.ask("run 1")
                peer.close()
                if turn:
                    ready[name].append(peer.ready_ms)
                    figures[name].append(peer.ready_ms + first)
        figures = {name: values for name, values in figures.items() if values}
        self.table("load", figures, {name: {"ready_ms": quartiles(ready[name])} for name in figures})


def difference(expected, answer):
    """The largest difference of two answers over the largest number of the first; of names, only those both have."""
    worst = 0.0
    for name, values in expected.items():
        if len(answer.get(name, [])) != len(values):
            return None
        largest = max(map(abs, values)) or 1.0
        worst = max(worst, max(abs(a - b) for a, b in zip(values, answer[name])) / largest)
    return worst


def noise(height, width):
    """What int8 is calibrated on: only its time and its distance from f32 are looked at here."""
    import numpy as np

    rng = np.random.RandomState(1)
    return [rng.standard_normal((height, width)).astype(np.float32) for _ in range(4)]


def widen(model, to):
    """The same weights in 32 bits: not every engine reads 16."""
    import numpy as np
    import onnx

    file = onnx.load(model)
    casts = {node.input[0]: node for node in file.graph.node if node.op_type == "Cast"}
    for weights in file.graph.initializer:
        if cast := casts.get(weights.name):
            values = onnx.numpy_helper.to_array(weights).astype(np.float32)
            weights.CopyFrom(onnx.numpy_helper.from_array(values, cast.output[0]))
            file.graph.node.remove(cast)
    onnx.checker.check_model(file)
    onnx.save(file, to)


def onnx_int8(model, to, samples):
    """As ONNX Runtime quantises by itself: weights per channel, activations calibrated."""
    from onnxruntime import quantization

    class Reader(quantization.CalibrationDataReader):
        left = [{"image": sample} for sample in samples]

        def get_next(self):
            return self.left.pop() if self.left else None

    quantization.quantize_static(str(model), str(to), Reader(), per_channel=True)


def write_film(path, video):
    """RGB frames of 640x480 with one face: of a video, else a portrait that slides."""
    import cv2

    height, width = FRAME
    with open(path, "wb") as film:
        if video:
            source = cv2.VideoCapture(str(video))
            for _ in range(FILM_FRAMES):
                there, frame = source.read()
                if not there:
                    break
                factor = max(height / frame.shape[0], width / frame.shape[1])
                frame = cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
                top, left = (frame.shape[0] - height) // 2, (frame.shape[1] - width) // 2
                frame = frame[top : top + height, left : left + width]
                film.write(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).tobytes())
        else:
            photo = cv2.imread(str(ROOT / "testdata" / "astronaut.jpg"))
            for at in range(FILM_FRAMES):
                import numpy as np

                moved = np.float32([[1, 0, 0.76 * at], [0, 1, 0.2 * at]])
                frame = cv2.warpAffine(photo, moved, (width, height), borderMode=cv2.BORDER_REPLICATE)
                film.write(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB).tobytes())


TITLES = {
    "basic": "the paper's basic network, 96x96, ms",
    "lite": "`lite`, 112x112, ms",
    "detector": "`detector`, 320x256, ms",
    "detect": "faces of one 640x480 RGB frame, ms",
    "track": "video, 640x480 RGB, one face: ms per frame",
    "load": "from starting the process to the first frame's answer, ms, wall clock",
}


def markdown(work, rows):
    head = ["system", "median", "quartiles", "ours / it", "quartiles"]
    more = {"off": "largest difference", "faces_per_frame": "faces per frame", "memory_mib": "peak memory, MiB"}
    if work == "track":
        head.insert(3, "frames/s")
    head += [title for key, title in more.items() if key in rows[0]]
    lines = [f"\n### {TITLES[work]}\n", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows:
        lower, median, upper = row["ms"]
        cells = [row["system"], f"{median:.3g}", f"{lower:.3g} to {upper:.3g}"]
        if work == "track":
            cells.append(f"{1e3 / median:.0f}")
        if "ours_over_it" in row:
            lower, median, upper = row["ours_over_it"]
            cells += [f"**{median:.2f}**", f"{lower:.2f} to {upper:.2f}"]
        else:
            cells += ["", ""]
        shown = {"off": "{:.1e}", "faces_per_frame": "{:.2f}", "memory_mib": "{:.0f}"}
        for key in more:
            if key in row:
                cells.append("other outputs" if row[key] is None else shown[key].format(row[key]))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def cpu_name():
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def versions():
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ["mediapipe", "ai-edge-litert", "onnxruntime", "opencv-python-headless", "dlib-bin"]:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    lock = (HERE / "rust" / "Cargo.lock").read_text().split("[[package]]")
    for name in ["rten", "tract-onnx"]:
        for package in lock:
            if f'name = "{name}"\n' in package:
                found[name] = package.split('version = "')[1].split('"')[0]
    return found


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = lambda text: text.split(",")
    parser.add_argument("--only", type=names, default=WORKS, metavar="WORK,...", help=f"of {', '.join(WORKS)}")
    parser.add_argument("--peers", type=names, metavar="PEER,...", help="compare with these only")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--video", type=Path, help="a video of one face; without it the portrait in testdata slides")
    parser.add_argument(
        "--ours",
        type=lambda text: text.split("=", 1),
        action="append",
        default=[],
        metavar="NETWORK-NAME=FILE",
        help="another file of a network for our engine, such as lite-int8=lite.onnx",
    )
    parser.add_argument(
        "--pair",
        type=lambda text: text.split("=", 1),
        action="append",
        default=[],
        metavar="NAME=DETECTOR,LANDMARKS",
        help="other files of both networks for the whole path, such as int8=detector.int8.onnx,lite.int8.onnx",
    )
    parser.add_argument("--rust-peer", type=Path, metavar="FILE", help="built already: else cargo builds it")
    parser.add_argument("--write", action="store_true", help="into benches/peers/results.md and results.json")
    args = parser.parse_args()
    if unknown := [work for work in args.only if work not in WORKS]:
        parser.error(f"--only knows {', '.join(WORKS)}, not {', '.join(unknown)}")
    return args


def main():
    args = arguments()
    if not args.rust_peer:
        args.rust_peer = HERE / "rust" / "target" / "release" / "peer"
        build = ["cargo", "build", "--release", "--quiet", "--manifest-path", HERE / "rust" / "Cargo.toml"]
        if args.peers and not {"rten", "tract"} & set(args.peers):
            build.append("--no-default-features")
        subprocess.run(build, check=True)
    load_before = os.getloadavg()[0]
    if hasattr(os, "sched_setaffinity"):  # what is started inherits it
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        bench = Bench(args, folder)
        film = folder / "film.rgb"
        if not set(args.only) <= set(NETWORKS):
            write_film(film, args.video)
        for work in args.only:
            if work in NETWORKS:
                bench.network(work)
            elif work == "load":
                bench.load(film)
            else:
                bench.frames(work, film)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout
    about = {
        "date": datetime.date.today().isoformat(),
        "commit": commit.strip(),
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "load": [round(load_before, 1), round(os.getloadavg()[0], 1)],
        "rounds": args.rounds,
        "versions": versions(),
    }
    print("\n" + described(about))
    if args.write:
        write_results(about, bench.results)


def described(about):
    packages = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return (
        f"{about['date']}, commit {about['commit']}, {about['cpu']}, one core of {about['cores']}, one thread, "
        f"{about['rounds']} rounds, load average {about['load'][0]} before and {about['load'][1]} after. {packages}."
    )


def write_results(about, results):
    """Works that were not measured this time keep what they had."""
    store = HERE / "results.json"
    kept = json.loads(store.read_text()) if store.exists() else {}
    kept |= {work: {"about": about, "rows": rows} for work, rows in results.items()}
    store.write_text(json.dumps({work: kept[work] for work in WORKS if work in kept}, indent=1) + "\n")
    text = "# Compared with peers\n\nWritten by `benches/peers/run.py --write`; its head says how it measures. "
    text += "A ratio\nbelow 1 means that ours is faster. Milliseconds are this machine's: compare ratios.\n"
    for work in WORKS:
        if work in kept:
            about = "\n".join(textwrap.wrap(described(kept[work]["about"]), 100, break_on_hyphens=False))
            text += markdown(work, kept[work]["rows"]) + "\n\n" + about + "\n"
    (HERE / "results.md").write_text(text)


if __name__ == "__main__":
    main()
