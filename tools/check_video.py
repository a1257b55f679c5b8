#!/usr/bin/env python3
"""Compares our frames of videos with OpenCV's: their number, times and grey values.

    pip install opencv-python-headless numpy
    cargo build --release -p lineament-data --features h264 --example video_grey
    python3 tools/check_video.py target/release/examples/video_grey clip.mp4 ...

Exit code 1 when a video has another number of frames, a time that is off by more than a millisecond, or a frame whose
grey values differ by more than 2 in the mean. Decoders agree bit for bit; what differs is the way to grey. OpenCV's is
darker by about 1, while ours is within 0.3 of the stream's own brightness.
"""

import subprocess
import sys

import cv2
import numpy

MOST_MS = 1.0
MOST_GREY = 2.0


def ours(program, video):
    with subprocess.Popen([program, video], stdout=subprocess.PIPE) as process:
        while line := process.stdout.readline():
            _, secs, width, height = line.split()
            width, height = int(width), int(height)
            grey = numpy.frombuffer(process.stdout.read(width * height), numpy.uint8)
            yield float(secs) * 1000, grey.reshape(height, width)
    if process.returncode:
        raise SystemExit(f"{video}: {program} failed")


def theirs(video):
    capture = cv2.VideoCapture(video)
    while (read := capture.read())[0]:
        yield capture.get(cv2.CAP_PROP_POS_MSEC), cv2.cvtColor(read[1], cv2.COLOR_BGR2GRAY)


def compare(program, video):
    a, b = ours(program, video), theirs(video)
    frames = extra = 0
    worst_ms = worst_grey = sum_grey = 0.0
    while True:
        mine, other = next(a, None), next(b, None)
        if mine is None or other is None:
            extra += sum(1 for _ in a) + (mine is not None) - sum(1 for _ in b) - (other is not None)
            break
        frames += 1
        worst_ms = max(worst_ms, abs(mine[0] - other[0]))
        if mine[1].shape != other[1].shape:
            raise SystemExit(f"{video}: {mine[1].shape} and not {other[1].shape}")
        grey = cv2.absdiff(mine[1], other[1]).mean()
        sum_grey += grey
        worst_grey = max(worst_grey, grey)
    fine = extra == 0 and worst_ms <= MOST_MS and worst_grey <= MOST_GREY
    print(
        f"{video}: {frames} frames ({extra:+d}), times within {worst_ms:.3f} ms, "
        f"grey differs by {sum_grey / max(frames, 1):.3f}, at most {worst_grey:.3f}{'' if fine else '  <-- differs'}"
    )
    return fine


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    results = [compare(sys.argv[1], video) for video in sys.argv[2:]]
    raise SystemExit(0 if all(results) else 1)
