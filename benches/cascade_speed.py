#!/usr/bin/env python3
"""Compares our cascade with OpenCV's: one thread, the same grey picture and numbers, interleaved; medians and ratio.

    pip install "opencv-python-headless<5" numpy
    cargo build --release -p lineament --features cascade --example cascade_time
    python3 benches/cascade_speed.py PHOTO [--size 864x480] [--cascades a.xml ...] [--rounds 10]

Without --cascades, frontal faces from the files in OpenCV's package.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import cv2

RUNS = 5


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo")
    parser.add_argument("--size", default="864x480")
    parser.add_argument("--cascades", nargs="+")
    parser.add_argument("--rounds", type=int, default=10)
    arguments = parser.parse_args()
    names = ["frontalface_default", "frontalface_alt", "frontalface_alt2"]
    cascades = arguments.cascades or [f"{cv2.data.haarcascades}haarcascade_{name}.xml" for name in names]
    target = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).resolve().parent.parent / "target"))

    cv2.setNumThreads(1)
    width, height = map(int, arguments.size.split("x"))
    picture = cv2.imread(arguments.photo, cv2.IMREAD_GRAYSCALE)
    # The middle of the photo, enlarged to fill the size.
    factor = max(width / picture.shape[1], height / picture.shape[0])
    picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    picture = picture[top:, left:][:height, :width].copy()
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/picture.pgm"
        cv2.imwrite(path, picture)
        for cascade in cascades:
            detector = cv2.CascadeClassifier(cascade)
            ours, theirs = [], []
            for _ in range(arguments.rounds):
                for _ in range(RUNS):
                    start = time.perf_counter()
                    boxes = detector.detectMultiScale(picture)
                    theirs.append(1e3 * (time.perf_counter() - start))
                command = [target / "release/examples/cascade_time", cascade, path, str(RUNS)]
                *times, found = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
                assert found == f"{len(boxes)} boxes", (found, boxes)
                ours += map(float, times)
            a, b = statistics.median(ours), statistics.median(theirs)
            print(f"{Path(cascade).stem}, {width}x{height}: ours {a:.1f} ms, OpenCV {b:.1f} ms, ratio {a / b:.2f}")


if __name__ == "__main__":
    main()
