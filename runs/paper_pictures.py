#!/usr/bin/env python3
"""Pictures for the report of the paper's experiment, made of testdata/astronaut.jpg, a face that may be shown: as it
is, with little light, with glasses drawn on it, turned, and with the mouth pulled wide and pulled open. The last two are
warped, not acted: nobody whose photo we may print made such a face for us.

    pip install pillow numpy
    python3 runs/paper_pictures.py testdata/astronaut.jpg out/pictures
"""
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

# All in pixels of that photo. Centres of the eyes and the radius of a lens.
EYES = [(204, 103), (248, 104)]
LENS = 17
# The mouth's corners, the middle of the line between teeth and lower lip, the chin, and where the neck ends.
CORNERS = [(203, 141), (244, 142)]
LIP, CHIN, NECK = 151, 179, 206
# How far the corners go apart and the chin goes down.
WIDER, LOWER = 8, 15
INSIDE = (58, 22, 24)


def with_glasses(photo):
    photo = photo.copy()
    draw = ImageDraw.Draw(photo)
    dark, line = (25, 20, 20), 4
    for x, y in EYES:
        draw.ellipse([x - LENS, y - LENS, x + LENS, y + LENS], outline=dark, width=line)
    (left, y), (right, _) = EYES
    draw.line([left + LENS, y, right - LENS, y], fill=dark, width=line)
    draw.line([left - LENS, y, left - 2 * LENS, y - LENS / 3], fill=dark, width=line)
    draw.line([right + LENS, y, right + 2 * LENS, y - LENS / 3], fill=dark, width=line)
    return photo


def sampled(pixels, x, y):
    """The picture's pixels at places between them."""
    height, width = pixels.shape[:2]
    x, y = x.clip(0, width - 1.001), y.clip(0, height - 1.001)
    left, top = x.astype(int), y.astype(int)
    fx, fy = (x - left)[..., None], (y - top)[..., None]
    above = pixels[top, left] * (1 - fx) + pixels[top, left + 1] * fx
    below = pixels[top + 1, left] * (1 - fx) + pixels[top + 1, left + 1] * fx
    return above * (1 - fy) + below * fy


def grid(photo):
    pixels = np.asarray(photo, np.float64)
    y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]].astype(np.float64)
    return pixels, x, y


def smooth(start, end, values):
    """From 0 at the start to 1 at the end, without a corner."""
    t = ((values - start) / (end - start)).clip(0, 1)
    return t * t * (3 - 2 * t)


def mouth_wide(photo):
    pixels, x, y = grid(photo)
    moved = np.zeros_like(x)
    for (at_x, at_y), way in zip(CORNERS, (-1, 1)):
        moved += way * WIDER * np.exp(-(((x - way * WIDER - at_x) / 15) ** 2 + ((y - at_y) / 17) ** 2))
    return Image.fromarray(sampled(pixels, x - moved, y).round().astype(np.uint8))


def mouth_open(photo):
    pixels, x, y = grid(photo)
    (left, corner), (right, _) = CORNERS
    across = (x[0] - (left + right) / 2) / ((right - left) / 2)
    lip = LIP - (LIP - corner) * (across**2).clip(0, 1)
    opening = LOWER * np.sqrt((1 - across**2).clip(0, 1))
    jaw = LOWER * np.exp(-((across / 1.9) ** 2))
    source = y.copy()
    for column, (start, gap, chin) in enumerate(zip(lip, opening, jaw)):
        rows = np.linspace(start, NECK, 2 * NECK)
        down = gap + (chin - gap) * smooth(start, CHIN - 6, rows)
        down *= 1 - smooth(CHIN - 2, NECK, rows)
        below = slice(int(np.ceil(start)), NECK)
        source[below, column] = np.interp(y[below, column], rows + down, rows)
    opened = Image.fromarray(sampled(pixels, x, source).round().astype(np.uint8))
    # What opens below the teeth is dark; its edge is as soft as the photo.
    inside = (y > lip) & (y < lip + opening)
    mask = Image.fromarray((255 * inside).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.8))
    return Image.composite(Image.new("RGB", photo.size, INSIDE), opened, mask)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    photo, out = Image.open(sys.argv[1]).convert("RGB"), Path(sys.argv[2])
    if photo.size != (512, 512):
        sys.exit(f"{sys.argv[1]}: not testdata/astronaut.jpg, whose face the pictures are drawn around")
    pictures = {
        "as it is": photo,
        "dark": ImageEnhance.Brightness(photo).enhance(0.15),
        "glasses, drawn": with_glasses(photo),
        "turned": photo.rotate(12, Image.Resampling.BICUBIC),
        "mouth wide, warped": mouth_wide(photo),
        "mouth open, warped": mouth_open(photo),
    }
    for group, picture in pictures.items():
        (out / group).mkdir(parents=True, exist_ok=True)
        picture.save(out / group / (Path(sys.argv[1]).stem + ".png"))


if __name__ == "__main__":
    main()
