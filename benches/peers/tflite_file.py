#!/usr/bin/env python3
"""Our ONNX files as TensorFlow Lite files: the same network, the same weights.

    pip install onnx numpy ai-edge-litert
    tflite_file.py MODEL.onnx MODEL.tflite [--size HEIGHTxWIDTH] [--weights f32|f16]

Knows the operators that Lineament writes, no others. Values become [1, H, W, C]; what a converter fuses is fused here:
an activation behind a convolution or a pooling, when nothing else reads what is between.
"""

import argparse
from pathlib import Path

import flatbuffers
import numpy as np
import onnx
from ai_edge_litert import schema_py_generated as tfl
from onnx import numpy_helper

OPS = tfl.BuiltinOperator
SIGNATURE = "serving_default"
SAME, VALID = tfl.Padding.SAME, tfl.Padding.VALID


class Writer:
    def __init__(self, model, height, width, weights):
        self.graph = model.graph
        self.constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        self.readers = {}
        for node in self.graph.node:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)
        self.outputs = {output.name for output in self.graph.output}
        self.half = weights == "f16"
        self.codes, self.operators, self.tensors, self.buffers = [], [], [], [buffer(b"")]
        self.values, self.shapes = {}, {}  # of ONNX names: which tensor, [1, H, W, C]
        self.fused = set()
        image = self.graph.input[0].name
        self.image = self.value(image, (1, height, width, 1))

    def value(self, name, shape):
        self.values[name], self.shapes[name] = self.tensor(name, shape), tuple(shape)
        return self.values[name]

    def tensor(self, name, shape, kind=tfl.TensorType.FLOAT32, data=None):
        tensor = tfl.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name.encode(), list(shape), kind, 0
        if data is not None:
            tensor.buffer = len(self.buffers)
            self.buffers.append(buffer(data.tobytes()))
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, name, values):
        if values.dtype == np.int32:
            return self.tensor(name, values.shape, tfl.TensorType.INT32, values)
        values = np.ascontiguousarray(values, np.float32)
        if not self.half or values.ndim < 2:
            return self.tensor(name, values.shape, data=values)
        half = self.tensor(name + "_f16", values.shape, tfl.TensorType.FLOAT16, values.astype(np.float16))
        full = self.tensor(name, values.shape)
        self.operator(OPS.DEQUANTIZE, [half], full, tfl.BuiltinOptions.DequantizeOptions, tfl.DequantizeOptionsT())
        return full

    def operator(self, code, inputs, output, kind=0, options=None):
        if code not in self.codes:
            self.codes.append(code)
        operator = tfl.OperatorT()
        operator.opcodeIndex = self.codes.index(code)
        operator.inputs, operator.outputs = list(inputs), [output]
        operator.builtinOptionsType, operator.builtinOptions = kind, options
        self.operators.append(operator)

    def fused_activation(self, node):
        """RELU where it is all that reads `node`'s output; the node's name then stands for both."""
        name = node.output[0]
        readers = self.readers.get(name, [])
        if len(readers) == 1 and readers[0].op_type == "Relu" and name not in self.outputs:
            self.fused.add(readers[0].name)
            return readers[0].output[0], tfl.ActivationFunctionType.RELU
        return name, tfl.ActivationFunctionType.NONE

    def node(self, node):
        if node.name in self.fused:
            return
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        source = node.input[0]
        shape = self.shapes[source]
        match node.op_type:
            case "Conv":
                self.conv(node, source, shape, attributes)
            case "PRelu":
                slopes = self.constants[node.input[1]].reshape(1, 1, -1)
                # One slope per channel is no matrix: it stays f32.
                slopes = self.tensor(node.input[1], slopes.shape, data=np.ascontiguousarray(slopes))
                self.operator(OPS.PRELU, [self.values[source], slopes], self.value(node.output[0], shape))
            case "Relu":
                self.operator(OPS.RELU, [self.values[source]], self.value(node.output[0], shape))
            case "MaxPool":
                name, activation = self.fused_activation(node)
                options = tfl.Pool2DOptionsT()
                options.padding, options.fusedActivationFunction = VALID, activation
                options.strideW = options.strideH = options.filterWidth = options.filterHeight = 2
                output = self.value(name, (1, shape[1] // 2, shape[2] // 2, shape[3]))
                kind = tfl.BuiltinOptions.Pool2DOptions
                self.operator(OPS.MAX_POOL_2D, [self.values[source]], output, kind, options)
            case "Add" | "Mul" | "Div":
                self.elementwise(node, source, shape)
            case "Sigmoid":
                self.operator(OPS.LOGISTIC, [self.values[source]], self.value(node.output[0], shape))
            case "GlobalAveragePool":
                axes = self.constant(node.name + "_axes", np.array([1, 2], np.int32))
                options = tfl.ReducerOptionsT()
                options.keepDims = True
                output = self.value(node.output[0], (1, 1, 1, shape[3]))
                kind = tfl.BuiltinOptions.ReducerOptions
                self.operator(OPS.MEAN, [self.values[source], axes], output, kind, options)
            case "Transpose":  # ours is already as a dense layer wants it
                self.values[node.output[0]], self.shapes[node.output[0]] = self.values[source], shape
            case "Flatten" | "Reshape":
                shape = (1, int(np.prod(shape)))
                output = self.value(node.output[0], shape)
                options = tfl.ReshapeOptionsT()
                options.newShape = list(shape)
                to = self.constant(node.name + "_shape", np.array(shape, np.int32))
                kind = tfl.BuiltinOptions.ReshapeOptions
                self.operator(OPS.RESHAPE, [self.values[source], to], output, kind, options)
            case "Gemm":
                name, activation = self.fused_activation(node)
                weight = self.constants[node.input[1]]  # [inputs, units]; [units, inputs] there
                weight = weight if attributes.get("transB") else weight.T
                inputs = [self.values[source], self.constant(node.input[1], weight)]
                inputs.append(self.constant(node.input[2], self.constants[node.input[2]]))
                options = tfl.FullyConnectedOptionsT()
                options.fusedActivationFunction = activation
                output = self.value(name, (1, weight.shape[0]))
                kind = tfl.BuiltinOptions.FullyConnectedOptions
                self.operator(OPS.FULLY_CONNECTED, inputs, output, kind, options)
            case other:
                raise SystemExit(f"{other} is no operator that Lineament writes")

    def conv(self, node, source, shape, attributes):
        weight = self.constants[node.input[1]]
        kernel, stride = attributes["kernel_shape"][0], attributes["strides"][0]
        padding, group = attributes["pads"][0], attributes["group"]
        value, (_, height, width, channels) = self.values[source], shape
        pad = VALID
        if padding and stride == 1 and kernel == 2 * padding + 1:
            pad = SAME
        elif padding:  # SAME would pad differently where the stride is 2; XNNPACK fuses this into the convolution
            sides = np.array([[0, 0], [padding] * 2, [padding] * 2, [0, 0]], np.int32)
            padded = self.tensor(node.name + "_padded", (1, height + 2 * padding, width + 2 * padding, channels))
            sides = self.constant(node.name + "_pads", sides)
            self.operator(OPS.PAD, [value, sides], padded, tfl.BuiltinOptions.PadOptions, tfl.PadOptionsT())
            value = padded
        out_height, out_width = ((side + 2 * padding - kernel) // stride + 1 for side in (height, width))
        name, activation = self.fused_activation(node)
        if group == 1:
            code, kind, options = OPS.CONV_2D, tfl.BuiltinOptions.Conv2DOptions, tfl.Conv2DOptionsT()
            weight = weight.transpose(0, 2, 3, 1)
        else:
            code, kind = OPS.DEPTHWISE_CONV_2D, tfl.BuiltinOptions.DepthwiseConv2DOptions
            options = tfl.DepthwiseConv2DOptionsT()
            options.depthMultiplier = 1
            weight = weight.transpose(1, 2, 3, 0)
        options.padding, options.strideW, options.strideH = pad, stride, stride
        options.fusedActivationFunction = activation
        options.dilationWFactor = options.dilationHFactor = 1
        filters = weight.shape[0] if group == 1 else channels
        inputs = [value, self.constant(node.input[1], weight)]
        inputs.append(self.constant(node.input[2], self.constants[node.input[2]]))
        self.operator(code, inputs, self.value(name, (1, out_height, out_width, filters)), kind, options)

    def elementwise(self, node, source, shape):
        code, kind, options = {
            "Add": (OPS.ADD, tfl.BuiltinOptions.AddOptions, tfl.AddOptionsT()),
            "Mul": (OPS.MUL, tfl.BuiltinOptions.MulOptions, tfl.MulOptionsT()),
            "Div": (OPS.DIV, tfl.BuiltinOptions.DivOptions, tfl.DivOptionsT()),
        }[node.op_type]
        other = node.input[1]
        if other in self.constants:  # what is known of a place: [1, C, H, W]
            place = self.constants[other]
            place = place.reshape((1,) * (4 - place.ndim) + place.shape).transpose(0, 2, 3, 1)
            other = self.tensor(other, place.shape, data=np.ascontiguousarray(place))
        else:
            other = self.values[other]
        name, options.fusedActivationFunction = self.fused_activation(node)
        self.operator(code, [self.values[source], other], self.value(name, shape), kind, options)

    def finish(self):
        for node in self.graph.node:
            self.node(node)
        subgraph = tfl.SubGraphT()
        subgraph.tensors, subgraph.operators = self.tensors, self.operators
        subgraph.inputs = [self.image]
        subgraph.outputs = [self.values[output.name] for output in self.graph.output]
        model = tfl.ModelT()
        model.version, model.description = 3, b"from ONNX by tflite_file.py"
        model.subgraphs, model.buffers = [subgraph], self.buffers
        model.signatureDefs = [self.signature(subgraph)]
        model.operatorCodes = []
        for value in self.codes:
            code = tfl.OperatorCodeT()
            code.builtinCode, code.deprecatedBuiltinCode, code.version = value, min(value, 127), 1
            model.operatorCodes.append(code)
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


    def signature(self, subgraph):
        """Names of inputs and outputs, for whoever calls by name: the quantiser does."""

        def named(name, tensor):
            entry = tfl.TensorMapT()
            entry.name, entry.tensorIndex = name, tensor
            return entry

        signature = tfl.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = SIGNATURE, 0
        signature.inputs = [named(self.graph.input[0].name, subgraph.inputs[0])]
        names = [output.name for output in self.graph.output]
        signature.outputs = [named(*pair) for pair in zip(names, subgraph.outputs)]
        return signature


def buffer(data):
    made = tfl.BufferT()
    made.data = np.frombuffer(data, np.uint8) if data else None
    return made


def convert_int8(f32_path, to, samples):
    """As Google's quantiser does by itself: weights per channel, activations calibrated on `samples`, [1, H, W, 1] each."""
    from ai_edge_quantizer import quantizer, recipe

    work = quantizer.Quantizer(str(f32_path), recipe.static_wi8_ai8())
    calibration = work.calibrate({SIGNATURE: [{"image": sample} for sample in samples]})
    Path(to).unlink(missing_ok=True)
    work.quantize(calibration).export_model(str(to))


def convert(model_path, to, height=None, width=None, weights="f32"):
    model = onnx.load(model_path)
    dims = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    Path(to).write_bytes(Writer(model, height or dims[2], width or dims[3], weights).finish())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("to", type=Path)
    parser.add_argument("--size", default="0x0", metavar="HEIGHTxWIDTH")
    parser.add_argument("--weights", choices=["f32", "f16"], default="f32")
    args = parser.parse_args()
    convert(args.model, args.to, *map(int, args.size.split("x")), weights=args.weights)


if __name__ == "__main__":
    main()
