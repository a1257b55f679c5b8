#!/usr/bin/env python3
"""Checks a model file with ONNX's own checker and with onnxruntime.

    pip install onnx onnxruntime numpy
    python3 tools/check_onnx.py MODEL FIXTURE_DIR [--update]

The fixture of MODEL.onnx is FIXTURE_DIR/MODEL.json:

    {"shape": [1, C, H, W], "input": [...], "outputs": {NAME: [...]}, "output_shapes": {NAME: [...]}}

with every tensor flat and in ONNX's order ([N, C, H, W]). Where the fixture exists, onnxruntime runs on its input and
must give its outputs within 1e-4; in a file that rounds between its layers (QuantizeLinear) within 2 % of the largest,
because a number midway between two steps becomes either by the last bit of a sum. Where it does not, or with --update, it is written: from the fixture's own input if
there is one, else from fixed pseudo-random numbers of the model's nominal input size. A fixture that another program
wrote (a real crop and what our engine made of it) is checked the same way.
"""

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 1e-4
ROUNDED_TOLERANCE = 0.02


def nominal_shape(model):
    """The input's sizes; where the graph leaves them free, the metadata says them."""
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    dims = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    if 0 in dims[2:]:
        dims[2:] = [int(side) for side in metadata["input_size"].split("x")]
    return dims


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("fixture_dir", type=Path)
    parser.add_argument("--update", action="store_true", help="write the fixture's outputs anew")
    args = parser.parse_args()

    model = onnx.load(args.model)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    session = onnxruntime.InferenceSession(args.model, providers=["CPUExecutionProvider"])

    path = args.fixture_dir / f"{args.model.stem}.json"
    fixture = json.loads(path.read_text()) if path.exists() else None
    if fixture is None:
        shape = nominal_shape(model)
        numbers = np.random.RandomState(68).standard_normal(math.prod(shape))
        fixture = {"shape": shape, "input": [round(number, 3) for number in numbers.tolist()]}
        args.update = True
    image = np.array(fixture["input"], np.float32).reshape(fixture["shape"])
    names = [output.name for output in session.get_outputs()]
    outputs = dict(zip(names, session.run(names, {session.get_inputs()[0].name: image})))

    if args.update:
        # Nine digits hold an f32 exactly.
        fixture["outputs"] = {
            name: [float(f"{number:.9g}") for number in output.ravel().tolist()] for name, output in outputs.items()
        }
        fixture["output_shapes"] = {name: list(output.shape) for name, output in outputs.items()}
        path.write_text(json.dumps(fixture) + "\n")
        print(f"{path} written: {fixture['output_shapes']}")
        return

    worst = 0.0
    rounds = any(node.op_type == "QuantizeLinear" for node in model.graph.node)
    for name, expected in fixture["outputs"].items():
        if len(expected) != outputs[name].size:
            sys.exit(f"{name}: {len(expected)} numbers stored, onnxruntime gives {outputs[name].size}")
        off = float(np.abs(outputs[name].ravel() - np.array(expected)).max())
        worst = max(worst, off)
        tolerance = ROUNDED_TOLERANCE * float(np.abs(expected).max()) if rounds else TOLERANCE
        # Not `off > tolerance`: that lets NaN through.
        if not off <= tolerance:
            sys.exit(f"{name}: off by {off:.2e}, more than {tolerance:.2e}")
    print(f"{args.model}: valid; largest difference to {path.name} {worst:.2e}")


if __name__ == "__main__":
    main()
