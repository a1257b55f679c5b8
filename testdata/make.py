#!/usr/bin/env python3
"""Makes the pictures of this folder again, from those that scikit-image carries.

    pip install scikit-image==0.26.0 pillow
    python3 testdata/make.py

The files in git are the reference: another version of the encoders gives slightly other bytes, and the stored points
of the tests move with them.
"""

from pathlib import Path

from PIL import Image, ImageDraw
from skimage import data

FOLDER = Path(__file__).parent
ORIENTATION = 0x0112  # the EXIF tag


def save(image, name, **options):
    image.save(FOLDER / name, **options)
    print(f"{name}: {image.width}x{image.height}, {(FOLDER / name).stat().st_size} bytes")


def small(image, width, height):
    return image.resize((width, height), Image.Resampling.LANCZOS)


def faces():
    astronaut = Image.fromarray(data.astronaut())
    save(astronaut, "astronaut.jpg", quality=90)
    save(small(astronaut.convert("L"), 256, 256), "astronaut_grey.png", optimize=True)
    save(small(astronaut, 256, 256), "astronaut.webp", quality=85)
    save(small(astronaut, 64, 64), "astronaut_64.bmp")

    upright = small(astronaut.crop((80, 0, 400, 400)), 192, 240)
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # "turn me clockwise by a quarter"
    save(upright.transpose(Image.Transpose.ROTATE_90), "astronaut_exif6.jpg", quality=90, exif=exif)

    pair = Image.new("RGB", (480, 320), (90, 110, 130))
    pair.paste(small(astronaut.crop((80, 0, 400, 400)), 256, 320), (0, 0))
    mirrored = astronaut.transpose(Image.Transpose.FLIP_LEFT_RIGHT).crop((112, 0, 432, 400))
    pair.paste(small(mirrored, 160, 200), (290, 100))
    save(pair, "two_faces.jpg", quality=90)


def others():
    save(small(Image.fromarray(data.chelsea()), 300, 200), "cat.jpg", quality=85)
    save(small(Image.fromarray(data.coffee()), 300, 200), "coffee.jpg", quality=85)

    shapes = Image.new("RGB", (160, 120), (200, 190, 170))
    draw = ImageDraw.Draw(shapes)
    for i in range(8):
        draw.rectangle((i * 20, 80, i * 20 + 9, 119), fill=(40 + 20 * i, 60, 90))
    draw.ellipse((10, 10, 60, 60), fill=(60, 120, 80), outline=(0, 0, 0))
    draw.ellipse((85, 15, 145, 45), fill=(170, 60, 50))
    draw.line((0, 75, 159, 65), fill=(20, 20, 20), width=3)
    save(shapes, "shapes.png", optimize=True)
    save(Image.new("L", (64, 48), 128), "blank.png", optimize=True)


if __name__ == "__main__":
    faces()
    others()
