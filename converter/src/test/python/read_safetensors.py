"""A second reader of safetensors files, written from the published text of the format only.

    python3 read_safetensors.py FILE

Prints one JSON object: metadata, and for each tensor in the order of its data the name, dtype,
shape, SHA-256 of its bytes and, where Python can tell, its first value. Exits with 1 and a sentence
when the file breaks a rule of the format.
"""
import hashlib
import json
import struct
import sys

BITS = {
    "BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8,
    "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "C64": 64, "F64": 64, "I64": 64, "U64": 64,
}
VALUE = {
    "BOOL": "<?", "U8": "<B", "I8": "<b", "I16": "<h", "U16": "<H", "F16": "<e", "I32": "<i",
    "U32": "<I", "F32": "<f", "F64": "<d", "I64": "<q", "U64": "<Q",
}


def no_duplicates(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("duplicate keys")
    return dict(pairs)


def check(truth, sentence):
    if not truth:
        raise ValueError(sentence)


def read(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        check(length <= 100_000_000, "header too large")
        text = file.read(length)
        check(len(text) == length and text[:1] == b"{", "header cut, or no object")
        header = json.loads(text.decode("utf-8", "strict"), object_pairs_hook=no_duplicates)
        metadata = header.pop("__metadata__", {})
        check(all(isinstance(value, str) for value in metadata.values()), "metadata not strings")
        expected, tensors = 0, []
        for name, info in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
            begin, end = info["data_offsets"]
            check(begin == expected and end >= begin, f"{name}: hole or overlap")
            bits = BITS[info["dtype"]]
            for dimension in info["shape"]:
                bits *= dimension
            check(bits == 8 * (end - begin), f"{name}: wrong size")
            data = file.read(end - begin)
            check(len(data) == end - begin, f"{name}: file too short")
            expected = end
            row = {"name": name, "dtype": info["dtype"], "shape": info["shape"],
                   "sha256": hashlib.sha256(data).hexdigest()}
            if data and info["dtype"] in VALUE:
                value = struct.unpack_from(VALUE[info["dtype"]], data)[0]
                row["first"] = repr(value)
            tensors.append(row)
        check(not file.read(1), "bytes after the last tensor")
    return {"metadata": metadata, "dataStart": 8 + length, "tensors": tensors}


if __name__ == "__main__":
    try:
        print(json.dumps(read(sys.argv[1])))
    except (ValueError, KeyError, TypeError, struct.error) as error:
        sys.exit(f"not a valid safetensors file: {error!r}")
