#!/usr/bin/env python3
"""One Python peer, one kind of work: loads it, says "ready", then answers lines. `run.py` speaks the other side, and
`rust/` is the same for Lineament and other Rust engines, where the lines are described.

    peer.py onnxruntime|tflite|opencv network MODEL INPUT HEIGHT WIDTH
    peer.py mediapipe|mediapipe-attention|dlib|opencv-haar detect|track FRAMES HEIGHT WIDTH
"""

import json
import os
import sys
import time

FRAME_SECS = 1 / 30


class Network:
    """A network on one input of one channel; answers are in ONNX's order of numbers."""

    def __init__(self, model, pixels, height, width):
        import numpy as np

        self.model, self.np = model, np
        self.pixels = np.fromfile(pixels, np.float32).reshape(1, 1, int(height), int(width))
        self.load()

    def prepare(self):
        pass

    def answer(self):
        return {name: values.ravel().tolist() for name, values in self.outputs().items()}


class OnnxRuntime(Network):
    def load(self):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(self.model, options, providers=["CPUExecutionProvider"])
        self.names = [output.name for output in self.session.get_outputs()]
        # Bound once, so that neither names nor memory are looked for in each run.
        self.binding = self.session.io_binding()
        self.binding.bind_cpu_input(self.session.get_inputs()[0].name, self.pixels)
        for name in self.names:
            self.binding.bind_output(name)

    def run(self):
        self.session.run_with_iobinding(self.binding)

    def outputs(self):
        return dict(zip(self.names, self.binding.copy_outputs_to_cpu()))


class TfLite(Network):
    def load(self):
        from ai_edge_litert.interpreter import Interpreter

        self.interpreter = Interpreter(self.model, num_threads=1)  # with XNNPACK, its default
        self.interpreter.allocate_tensors()
        image = self.interpreter.get_input_details()[0]
        pixels = self.pixels.reshape(image["shape"])
        if image["dtype"] == self.np.int8:
            scale, zero = image["quantization"]
            pixels = self.np.clip(self.np.round(pixels / scale + zero), -128, 127).astype(self.np.int8)
        self.interpreter.set_tensor(image["index"], pixels)
        self.run = self.interpreter.invoke

    def outputs(self):
        found = {}
        for output in self.interpreter.get_output_details():
            values = self.interpreter.get_tensor(output["index"])
            if output["dtype"] == self.np.int8:
                scale, zero = output["quantization"]
                values = scale * (values.astype(self.np.float32) - zero)
            found[output["name"]] = values.transpose(0, 3, 1, 2) if values.ndim == 4 else values
        return found


class OpenCv(Network):
    def load(self):
        import cv2

        cv2.setNumThreads(1)
        self.network = cv2.dnn.readNetFromONNX(self.model)
        self.names = self.network.getUnconnectedOutLayersNames()
        self.network.setInput(self.pixels)

    def run(self):
        # Without a new input it would answer what it has.
        self.network.setInput(self.pixels)
        self.found = self.network.forward(self.names)

    def outputs(self):
        return dict(zip(self.names, self.found))


class Frames:
    """Faces on the frames of a film, which runs forwards, then backwards, and again."""

    def __init__(self, work, film, height, width):
        import numpy as np

        self.work = work
        self.film = open(film, "rb")
        self.size = (int(height), int(width), 3)
        self.bytes = self.size[0] * self.size[1] * 3
        self.count = os.fstat(self.film.fileno()).st_size // self.bytes
        self.np = np
        self.shown = self.faces = 0
        self.load()

    def prepare(self):
        turn = 2 * (self.count - 1)
        at = self.shown % turn
        self.film.seek(min(at, turn - at) * self.bytes)
        self.frame = self.np.frombuffer(self.film.read(self.bytes), self.np.uint8).reshape(self.size)
        self.shown += 1

    def run(self):
        self.faces += self.find(self.frame)

    def answer(self):
        return {"frames": self.shown, "faces": self.faces}


class MediaPipe(Frames):
    attention = False

    def load(self):
        import mediapipe

        if self.work == "detect":
            # 0: short range, which its face mesh uses.
            self.system = mediapipe.solutions.face_detection.FaceDetection(model_selection=0)
        else:
            self.system = mediapipe.solutions.face_mesh.FaceMesh(max_num_faces=1, refine_landmarks=self.attention)

    def find(self, frame):
        found = self.system.process(frame)
        faces = found.detections if self.work == "detect" else found.multi_face_landmarks
        return len(faces or ())


class MediaPipeAttention(MediaPipe):
    attention = True


class Dlib(Frames):
    """HOG detector and 68 points in every frame: it follows nothing."""

    def load(self):
        import dlib
        import face_recognition_models

        self.detector = dlib.get_frontal_face_detector()
        self.predictor = dlib.shape_predictor(face_recognition_models.pose_predictor_model_location())

    def find(self, frame):
        boxes = self.detector(frame, 0)
        if self.work == "track":
            for box in boxes:
                self.predictor(frame, box)
        return len(boxes)


class OpenCvHaar(Frames):
    def load(self):
        import cv2

        cv2.setNumThreads(1)
        self.grey = lambda frame: cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        self.cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")

    def find(self, frame):
        return len(self.cascade.detectMultiScale(self.grey(frame)))


NETWORKS = {"onnxruntime": OnnxRuntime, "tflite": TfLite, "opencv": OpenCv}
FRAMES = {"mediapipe": MediaPipe, "mediapipe-attention": MediaPipeAttention, "dlib": Dlib, "opencv-haar": OpenCvHaar}


def peak_memory_kib():
    """Linux only. Not getrusage's, which starts from what the process that started this one held."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))


def main():
    if len(sys.argv) != (7 if sys.argv[2:3] == ["network"] else 6):
        sys.exit(__doc__)
    # Libraries print what they like to stdout; our lines go out another way.
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    system, work, *rest = sys.argv[1:]
    peer = NETWORKS[system](*rest) if work == "network" else FRAMES[system](work, *rest)

    def say(value):
        print(json.dumps(value), file=out, flush=True)

    say("ready")
    for line in sys.stdin:
        match line.split():
            case ["run", times]:
                pairs = []
                for _ in range(int(times)):
                    peer.prepare()
                    wall, cpu = time.perf_counter(), time.process_time()
                    peer.run()
                    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
                    pairs.append([1e3 * wall, 1e3 * cpu])
                say(pairs)
            case ["answer"]:
                say(peer.answer())
            case ["memory"]:
                say(peak_memory_kib())
            case _:
                sys.exit(f"unknown line {line!r}")


if __name__ == "__main__":
    main()
