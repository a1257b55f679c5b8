#!/usr/bin/env python3
"""Pictures for the report of the paper's experiment, made of one photo of a face that may be shown: as it is, with
little light, with glasses drawn on it, and turned.

    pip install pillow
    python3 runs/paper_pictures.py testdata/astronaut.jpg out/pictures
"""
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance

# Centres of the eyes in testdata/astronaut.jpg, in shares of its width and height, and the radius of a lens.
EYES = [(0.399, 0.202), (0.484, 0.204)]
LENS = 0.034


def with_glasses(photo):
    photo = photo.copy()
    draw = ImageDraw.Draw(photo)
    width, height = photo.size
    radius, line = LENS * width, max(2, width // 110)
    eyes = [(x * width, y * height) for x, y in EYES]
    for x, y in eyes:
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], outline=(25, 20, 20), width=line)
    (left, y), (right, _) = eyes
    draw.line([left + radius, y, right - radius, y], fill=(25, 20, 20), width=line)
    draw.line([left - radius, y, left - 2 * radius, y - radius / 3], fill=(25, 20, 20), width=line)
    draw.line([right + radius, y, right + 2 * radius, y - radius / 3], fill=(25, 20, 20), width=line)
    return photo


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    photo, out = Image.open(sys.argv[1]).convert("RGB"), Path(sys.argv[2])
    pictures = {
        "as it is": photo,
        "dark": ImageEnhance.Brightness(photo).enhance(0.15),
        "glasses": with_glasses(photo),
        "turned": photo.rotate(12, Image.Resampling.BICUBIC),
    }
    for group, picture in pictures.items():
        (out / group).mkdir(parents=True, exist_ok=True)
        picture.save(out / group / (Path(sys.argv[1]).stem + ".png"))


if __name__ == "__main__":
    main()
