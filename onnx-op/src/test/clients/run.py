"""python run.py MODEL.onnx OUT [LIBRARY]: the same inputs as Run.java and run.mjs, the first output to OUT."""
import sys

import numpy
import onnxruntime

options = onnxruntime.SessionOptions()
if len(sys.argv) > 3:
    options.register_custom_ops_library(sys.argv[3])
session = onnxruntime.InferenceSession(sys.argv[1], options)
values = {
    "input_ids": numpy.arange(48, dtype=numpy.int64).reshape(2, 24) * 37 + 1000,
    "attention_mask": numpy.ones((2, 24), numpy.int64),
}
inputs = {i.name: values.get(i.name, numpy.zeros((2, 24), numpy.int64)) for i in session.get_inputs()}
session.run(None, inputs)[0].tofile(sys.argv[2])
print("ONNX Runtime", onnxruntime.__version__)
