"""Makes ../resources/safetensors/reference-0.8.0.safetensors with the reference implementation.

    pip install safetensors==0.8.0 && python3 make_reference.py OUT

All element types that its Python interface takes, a scalar, a tensor without elements, and names
whose order and escapes are easy to get wrong. Our writer must give the same bytes.
"""
import ctypes
import sys

import safetensors

kept = []  # the library reads the memory by address


def spec(dtype, shape, data):
    memory = ctypes.create_string_buffer(data, max(1, len(data)))
    kept.append(memory)
    return safetensors.TensorSpec(
        dtype=dtype, shape=shape, data_ptr=ctypes.addressof(memory), data_len=len(data))


widths = {
    "bool": 1, "uint8": 1, "int8": 1, "float8_e5m2": 1, "float8_e4m3fn": 1, "float8_e8m0fnu": 1,
    "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1, "int16": 2, "uint16": 2, "float16": 2,
    "bfloat16": 2, "int32": 4, "uint32": 4, "float32": 4, "complex64": 8, "float64": 8, "int64": 8,
    "uint64": 8, "float4_e2m1fn_x2": 1,
}
tensors = {
    "t." + name: spec(name, [2], bytes((i * 7 + width) & 255 for i in range(2 * width)))
    for name, width in widths.items()
}
tensors["uni \u00e9\ue000"] = spec("float32", [], b"\0\0\x80\x3f")
tensors["uni \u00e9\U0001f600"] = spec("float32", [1, 1], b"\0\0\0\x40")
tensors['ctl \x1f\x7f"\\/\n'] = spec("float32", [0, 3], b"")
with open(sys.argv[1], "wb") as out:
    out.write(safetensors.serialize(tensors, {"b": "1"}))
