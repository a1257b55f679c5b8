"""Checks that pandas and pyarrow read our Parquet tables, and writes what they make of one back for us to read.

    pip install pandas pyarrow
    lineament data convert faces.csv faces.parquet
    python tools/check_table.py faces.parquet faces.csv back.parquet
    lineament data convert back.parquet back.csv        # the same as faces.csv, byte for byte

The CSV is optional (`-`): with it every number and pixel is compared.
"""

import csv
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

SIDE = 96
ORIGIN = ["photo_width", "photo_height", "face_x", "face_y", "face_width", "face_height", "crop_x", "crop_y",
          "crop_side", "score", "expected_error", "roll", "yaw", "pitch"]


def main(table, text, back):
    file = pq.ParquetFile(table)
    metadata = {k.decode(): v.decode() for k, v in (file.metadata.metadata or {}).items()}
    assert metadata["lineament.version"] == "1" and metadata["lineament.side"] == str(SIDE), metadata
    names = metadata["lineament.columns"].split(",")
    assert len(names) == 2 * int(metadata["lineament.points"])
    groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert all(rows == 1000 for rows in groups[:-1]) and groups[-1] <= 1000, groups

    frame = pd.read_parquet(table)
    assert list(frame.columns) == ["photo", *ORIGIN, "points", "pixels"], list(frame.columns)
    points = np.stack(frame["points"].to_numpy())
    pixels = np.stack([np.frombuffer(p, np.uint8) for p in frame["pixels"]]).reshape(-1, SIDE, SIDE)
    assert points.dtype == np.float32 and points.shape == (len(frame), len(names)), (points.dtype, points.shape)
    known = frame["photo"].notna()
    assert frame.loc[known, ORIGIN[:10]].notna().all(axis=None) and frame.loc[~known, ORIGIN].isna().all(axis=None)

    if text != "-":
        csv.field_size_limit(1 << 24)
        with open(text, newline="") as lines:
            rows = csv.reader(lines)
            assert next(rows) == [*names, "Image"]
            for i, row in enumerate(rows):
                assert np.array_equal(np.array(row[:-1], np.float32), points[i]), i
                assert np.array_equal(np.array(row[-1].split(" "), np.uint8), pixels[i].ravel()), i
        assert i + 1 == len(frame)

    frame.to_parquet(back)
    print(f"{table}: {len(frame)} rows in {len(groups)} groups, {len(names) // 2} points, {known.sum()} with origin: "
          f"as expected by pandas {pd.__version__} and pyarrow {pq.core.pa.__version__}; {back} written")


if __name__ == "__main__":
    main(*sys.argv[1:4])
