#!/usr/bin/env python3
"""A reader of `.pseed` 1.0, written from ../spec/pseed-1.0.md alone. Section numbers (s.) are those of that text.

    pseed_decode.py FILE.pseed           list the tensors with the SHA-256 of their decoded bytes
    pseed_decode.py --record FILE.rec    the same for one bare record
    pseed_decode.py --vectors DIR        run the conformance vectors

Plain rather than fast: it needs only Python 3.9 and numpy, and holds a whole tensor in memory.
"""
import argparse, functools, hashlib, json, math, os, re, struct, sys, zlib
import numpy as np

DTYPES = ["", "F32", "F16", "BF16", "F64", "I8", "U8", "I16", "U16", "I32", "U32", "I64", "U64", "BOOL", "F8_E4M3",
          "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F6_E2M3", "F6_E3M2", "F4", "I4", "U4", "C64", "C128"]
BITS = [0, 32, 16, 16, 64, 8, 8, 16, 16, 32, 32, 64, 64, 8, 8, 8, 8, 8, 8, 6, 6, 4, 4, 4, 64, 128]      # s. 1.1
# Section 11: decoded bytes of a tensor, of a file; tensors and sections; bytes of the JSON header.
LIMITS = {"small": (1 << 26, 1 << 28, 10_000, 10_000_000), "standard": (1 << 34, 1 << 38, 1_000_000, 100_000_000)}
FACTORS = {12: (0x3FF, 0x5B7), 16: (0x5FFD, 0xFE1B)}                                                     # s. 8.3
EULER_GAMMA = 0.5772156649015328606


class PseedError(Exception):
    def __init__(self, kind, message):
        super().__init__(f"{kind}: {message}")
        self.kind = kind


def need(condition, message, kind="corrupt"):
    if not condition:
        raise PseedError(kind, message)


class Reader:
    """Takes fields from the front of a byte string and never reads beyond its end."""

    def __init__(self, data):
        self.data, self.pos = memoryview(data), 0

    def take(self, count):
        need(count <= len(self.data) - self.pos, "truncated")
        self.pos += count
        return self.data[self.pos - count:self.pos]

    def get(self, fmt):
        values = struct.unpack("<" + fmt, self.take(struct.calcsize("<" + fmt)))
        return values[0] if len(values) == 1 else values

    def array(self, fmt, count):
        return np.frombuffer(self.take(count * np.dtype(fmt).itemsize), fmt)

    def zeros(self, count):
        need(not any(self.take(count)), "reserved or padding bytes are not zero")

    def end(self):
        need(self.pos == len(self.data), "trailing bytes")


# ---- CRC-32C (s. 1). advance(m) moves the register over 2^m zero bytes, as four tables indexed by its bytes ----

@functools.lru_cache(None)
def advance_tables(m):
    if m:
        return advance(m - 1, advance_tables(m - 1))
    first = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        first = (first >> 1) ^ np.where(first & 1, np.uint32(0x82F63B78), np.uint32(0))
    return np.stack([first] + [np.arange(256, dtype=np.uint32) << (8 * j) for j in range(3)])


def advance(m, crc):
    t = advance_tables(m)
    return t[0][crc & 255] ^ t[1][(crc >> 8) & 255] ^ t[2][(crc >> 16) & 255] ^ t[3][crc >> 24]


def crc32c(data):
    data, crc = np.frombuffer(data, np.uint8), np.uint32(0xFFFFFFFF)
    for start in range(0, len(data), 1 << 20):
        part = data[start:start + (1 << 20)]
        if len(part) < 4:
            for byte in part:
                crc = advance(0, crc ^ byte)
            continue
        part = part.astype(np.uint32)
        part[:4] ^= (crc >> np.arange(0, 32, 8, dtype=np.uint32)) & 255
        crcs, m = advance_tables(0)[0][part], 0          # of every byte by itself, then joined two and two
        while len(crcs) > 1:
            if len(crcs) % 2:
                crcs = np.concatenate([np.zeros(1, np.uint32), crcs])
            crcs, m = advance(m, crcs[0::2]) ^ crcs[1::2], m + 1
        crc = crcs[0]
    return int(crc) ^ 0xFFFFFFFF


# ---- Poincare seeds (s. 6) ----

def bessel(which, x):
    """J0, I0, K0 or Y0 (which = 0..3) for 0 <= x < 10. The power series lose digits above 2 (for K0 at 10 nine of them),
    so there J0 and Y0 come from the backward recurrence (Neumann series for Y0) and K0 from its integral."""
    def series(x, sign, harmonic):
        term, total, h = np.ones_like(x), (np.zeros_like(x) if harmonic else np.ones_like(x)), 0.0
        for k in range(1, 60):
            term, h = term * (sign * x * x / (4 * k * k)), h + 1 / k
            total = total + (term * h if harmonic else term)
        return total
    if which == 1:
        return series(x, 1, False)
    small, big = np.minimum(x, 2), np.maximum(x, 2)
    log_small, log_big = np.log(small / 2) + EULER_GAMMA, np.log(big / 2) + EULER_GAMMA
    if which == 2:
        low = series(small, 1, True) - log_small * series(small, 1, False)
        high = (np.exp(-big) / 2 + sum(np.exp(-big * math.cosh(i / 8)) for i in range(1, 56))) / 8
    else:
        above, here, norm, y_sum = np.zeros_like(big), np.full_like(big, 1e-100), 0, 0
        for k in range(60, 0, -1):                       # here = J_k before the step and J_(k-1) after it, up to a factor
            if k % 2 == 0:
                norm, y_sum = norm + 2 * here, y_sum + (-1) ** (k // 2) * here / (k // 2)
            above, here = here, 2 * k / big * here - above
        low, high = series(small, -1, False), here / (norm + here)
        if which == 3:
            low = 2 / math.pi * (log_small * low - series(small, -1, True))
            high = 2 / math.pi * (log_big * high - 2 * y_sum / (norm + here))
    return np.where(x < 2, low, high)


@functools.lru_cache(16)
def places(m, n):
    """rLocal and thetaLocal of an m x n matrix. The numerators are exact, so there is no cancellation near the centre."""
    x = ((2.0 * np.arange(n) - (n - 1)) / max(n - 1, 1))[None, :]
    y = ((2.0 * np.arange(m) - (m - 1)) / max(m - 1, 1))[:, None]
    return np.minimum(np.sqrt(x * x + y * y), 0.999999), np.arctan2(y, x + 0 * y)


def poincare_codes(seed, shift, m, n):
    r_bits, t_bits, basis = seed >> 44, seed >> 20 & 0xFFFFFF, seed >> 16 & 15
    d_theta, d_r, rot, log2c = seed >> 14 & 3, seed >> 13 & 1, seed >> 9 & 15, (seed >> 6 & 7 ^ 4) - 4
    r, theta, c = r_bits / (2 ** 20 - 1), t_bits / (2 ** 24 - 1) * (2 * math.pi), 2.0 ** log2c
    rotation = ([0, 1/8, 1/6, 1/4, 1/3, 1/2, 2/3, 3/4, 5/6, 7/8] + [0] * 6)[rot] * math.pi
    # |1 - c r^2| from exact integers, multiplied by 16 (2 ** 20 - 1)^2
    gap = abs(16 * (2 ** 20 - 1) ** 2 - 2 ** (log2c + 4) * r_bits ** 2)
    if gap == 0 or basis > 11:
        return np.zeros((m, n), np.int32)
    r_local, theta_local = places(m, n)
    t = theta + theta_local + rotation
    if basis < 4:
        quarter = [np.sin, np.cos, lambda t: -np.sin(t), lambda t: -np.cos(t)]
        odd = [np.cos, lambda t: -np.sin(t), lambda t: -np.cos(t), np.sin]
        radial = math.cosh if (basis >> 1) ^ d_r else math.sinh
        value = (odd if basis & 1 else quarter)[d_theta](t) * radial(c * r)
    elif basis < 8:
        with np.errstate(all="ignore"):
            value = bessel(basis - 4, 10 * r_local)
    elif basis == 8:
        value = np.tanh(c * r_local) * np.sign(np.cos(t))
    elif basis == 9:
        value = (1 - np.abs(4 * np.mod(t / math.pi, 1) - 2)) / np.cosh(c * r_local)
    elif basis == 10:
        value = np.exp(-c * r_local) * np.sin(t)
    else:
        value = np.exp(-2.5 * r_local ** 2) * np.cos(5 * t)
    value = np.where(np.isfinite(value), value, 0) * (16 * (2 ** 20 - 1) ** 2 / gap)
    codes = np.rint(value * 2.0 ** shift)
    need(np.abs(codes).max() <= 32767, "a code of a Poincare seed is above 32767")
    return codes.astype(np.int32)


def poincare_weights(seed, amplitude, shift, m, n):
    if seed == 0:
        return np.zeros((m, n), np.float32)
    return poincare_codes(seed, shift, m, n).astype(np.float32) * np.float32(amplitude)


def decode_poincare(body, rows, cols, has_layer):                                                         # s. 7
    tile_rows, tile_cols = body.get("II")
    need((tile_rows == 0) == (tile_cols == 0) and tile_rows <= rows and tile_cols <= cols, "tile size")
    if tile_rows == 0:
        need(has_layer, "neither a layer seed nor tiles")
        body.end()
        return None
    corners = [(i, j) for i in range(0, rows, tile_rows) for j in range(0, cols, tile_cols)] \
        if -(-rows // tile_rows) * -(-cols // tile_cols) * 16 == len(body.data) - body.pos else None
    need(corners, "the body's length is not that of its tiles")
    tiles = [(body.get("Qfb"), body.zeros(3))[0] for _ in corners]
    for seed, amplitude, shift in tiles:
        need(abs(amplitude) <= 2.0 ** 64 and -64 <= shift <= 64, "amplitude or shift of a tile")
    weights = np.empty((rows, cols), np.float32)
    for (i, j), tile in zip(corners, tiles):
        m, n = min(tile_rows, rows - i), min(tile_cols, cols - j)
        weights[i:i + m, j:j + n] = poincare_weights(*tile, m, n)
    return weights


# ---- Trellis (s. 8) ----

@functools.lru_cache(8)
def tables(bits, law, kappa):
    r_bits = bits // 2
    a_bits = bits - r_bits
    u = [(i + 0.5) / 2 ** r_bits for i in range(2 ** r_bits)]
    if law == 0:
        psi = [math.sqrt(-2 * math.log(1 - v)) for v in u]
    else:
        psi = [math.atanh(kappa / 256 * math.sqrt(v)) for v in u]
        g = math.sqrt(2 * len(u) / math.fsum(p * p for p in psi))
        psi = [g * p for p in psi]
    phi = [round(32767 * math.cos(2 * math.pi * (a + 0.25) / 2 ** a_bits)) for a in range(2 ** a_bits)]
    return np.array([min(16383, round(4096 * p)) for p in psi], np.int32), np.array(phi, np.int32)


def factors(bits):                                                                                       # s. 8.3
    return FACTORS.get(bits, (0x2C1B3C6D, 0x297A2D39))


def code_of(state, bits, law, kappa):                                                                    # s. 8.3
    psi, phi = tables(bits, law, kappa)
    r_bits = bits // 2
    a_bits, mask = bits - r_bits, np.uint32(2 ** bits - 1)
    h = state.astype(np.uint32) * np.uint32(factors(bits)[0]) & mask          # modulo 2^32, then modulo 2^L
    h = h ^ (h >> np.uint32(r_bits - 1))
    h = h * np.uint32(factors(bits)[1]) & mask
    h = h ^ (h >> np.uint32(r_bits))
    return (psi[h >> np.uint32(a_bits)] * phi[h & np.uint32(2 ** a_bits - 1)] + 2 ** 14) >> 15


def states(segments, n, rate, bits):                                                                     # s. 8.2
    """segments: one row of bytes for each segment."""
    stream = np.unpackbits(segments, axis=1)
    need(not stream[:, n * rate:].any(), "unused bits of a segment are not zero")
    step = np.zeros((len(segments), n), np.uint32)
    for bit in range(rate):
        step = (step << 1) | stream[:, bit:n * rate:rate]
    state = step.copy()
    for back in range(1, min(n, -(-bits // rate))):
        state[:, back:] |= step[:, :-back] << np.uint32(back * rate)
    return state & np.uint32(2 ** bits - 1)


def read_scales(body, kind, n):                                                                          # s. 8.6
    start = body.pos
    if kind in (0, 4):
        scales = np.full(n, body.get("f"), np.float32)
        if kind == 4:
            signs = np.unpackbits(body.array(np.uint8, (n + 7) // 8))
            need(not signs[n:].any(), "unused sign bits are not zero")
            scales = np.where(signs[:n] == 1, -scales, scales)
    elif kind == 1:
        scales = body.array("<f4", n).astype(np.float32)
    else:
        e = body.get("b")
        need(-100 <= e <= 100, "exponent of scales")
        body.zeros(3)
        if kind == 2:
            scales = body.array("<f2", n).astype(np.float32)
        else:
            byte = body.array(np.uint8, n).astype(np.int32)
            need(not (byte == 0x80).any(), "scale byte 0x80")
            v = byte & 127
            magnitude = np.where(v == 0, 0, (16 + v % 16) << (v >> 4)).astype(np.float32)
            scales = np.where(byte >= 128, -magnitude, magnitude)
        scales = scales * np.float32(2.0 ** e)
    need((np.abs(scales) <= 2.0 ** 48).all(), "a scale is beyond 2^48")
    body.zeros((start - body.pos) % 4)
    return scales


def hadamard(q, block_log2):
    """H times each aligned block of 2^block_log2 rows (s. 8.4); for columns call it with the transpose."""
    for b in range(block_log2):
        pairs = q.reshape(-1, 2, 2 ** b, q.shape[1])
        q = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1).reshape(q.shape)
    return q


def decode_trellis(body, rows, cols):
    bits, law, kappa, row_log2, col_log2, row_kind, col_kind, axis, count, permuted = body.get("8BIB")
    need(8 <= bits <= 20, "L")
    need(law <= 1, "law", "unknown-codec")
    need((kappa == 0) == (law == 0), "kappa")
    need(row_log2 <= 7 and rows % 2 ** row_log2 == 0, "rowBlockLog2")
    need(col_log2 <= 7 and cols % 2 ** col_log2 == 0, "colBlockLog2")
    need(row_kind <= 4 and col_kind <= 4, "scale kind")
    need(axis <= 1 and permuted <= 1, "panelAxis or permuted")
    body.zeros(3)
    lines = rows if axis else cols
    need(1 <= count <= lines, "panelCount")
    panels = [(body.get("IB"), body.zeros(3))[0] for _ in range(count)]
    need(all(length >= 1 and rate <= 8 for length, rate in panels), "length or rate of a panel")
    need(sum(length for length, _ in panels) == lines, "sum of the panels' lengths")
    row_scales, col_scales = read_scales(body, row_kind, rows), read_scales(body, col_kind, cols)
    if permuted:
        permutation = body.array("<u4", lines)
        need((np.sort(permutation) == np.arange(lines)).all(), "not a permutation")

    # A band is a range of rows that are cut into the same segments: all rows, or those of one row panel.
    bands = [(length, [(cols, rate)]) for length, rate in panels] if axis else [(rows, panels)]
    sizes = [[(n * rate + 7) // 8 for n, rate in segments] for _, segments in bands]
    need(sum(band[0] * sum(size) for band, size in zip(bands, sizes)) == len(body.data) - body.pos, "length of the payload")
    q, top = np.zeros((rows, cols), np.int32), 0
    for (height, segments), size in zip(bands, sizes):
        payload = body.array(np.uint8, height * sum(size)).reshape(height, sum(size))
        left = byte = 0
        for (n, rate), width in zip(segments, size):
            chunk = max(1, 2 ** 18 // n)
            for i in range(0, height if rate else 0, chunk):
                state = states(payload[i:i + chunk, byte:byte + width], n, rate, bits)
                q[top + i:top + i + len(state), left:left + n] = code_of(state, bits, law, kappa)
            left, byte = left + n, byte + width
        top += height
    body.end()

    z = hadamard(hadamard(q, row_log2).T, col_log2).T
    weights = (z.astype(np.float32) * row_scales[:, None]) * col_scales[None, :]
    if not permuted:
        return weights
    view = np.empty_like(weights)
    view[(permutation, slice(None)) if axis else (slice(None), permutation)] = weights
    return view


# ---- Record (s. 3, 4, 5, 9) ----

def element_bytes(values, dtype):                                                                        # s. 9
    if dtype == "BF16":
        u = values.view(np.uint32)
        rounded = (u + np.uint32(0x7FFF) + (u >> np.uint32(16) & np.uint32(1))) >> np.uint32(16)
        return np.where(np.isnan(values), u >> np.uint32(16) | np.uint32(64), rounded).astype("<u2").tobytes()
    return values.astype({"F32": "<f4", "F16": "<f2", "F64": "<f8"}[dtype]).tobytes()


def decode_record(data, level="standard"):
    """Returns (dtype name, shape, bytes of the elements) of a whole record, or raises PseedError."""
    need(len(data) >= 44, "a record has at least 44 bytes")
    head = Reader(data)
    need(bytes(head.take(4)) == b"PSR1", "magic of a record")
    need(struct.unpack_from("<Q", data, 8)[0] == len(data), "length of the record")
    need(struct.unpack_from("<I", data, len(data) - 4)[0] == crc32c(data[:-4]), "recordCrc")
    codec, dtype, rank, flags, _, layer_seed, amplitude, shift = head.get("4BQQfb")
    need(1 <= codec <= 3, f"codec {codec}", "unknown-codec")
    need(1 <= dtype <= 25 and (codec == 1 or dtype <= 4), f"element type {dtype}")
    need(rank <= 8, "rank")
    need(flags == 0, "flags of a record")
    need(abs(amplitude) <= 2.0 ** 64 and -64 <= shift <= 64, "layer amplitude or shift")
    need(layer_seed or (bytes(data[24:28]) == bytes(4) and shift == 0), "amplitude or shift without a layer seed")
    head.zeros(3)
    decoded_crc = head.get("I")
    head.zeros(4)
    need(len(data) >= 44 + 8 * rank, "truncated dimensions")
    shape = [head.get("Q") for _ in range(rank)]
    count = math.prod(shape)
    need(count < 2 ** 60, "number of elements")
    size = (count * BITS[dtype] + 7) // 8
    need(size <= LIMITS[level][0], f"{size} decoded bytes", "over-limit")
    body = Reader(memoryview(data)[head.pos:len(data) - 4])
    if codec == 1:
        need(layer_seed == 0, "a raw record has no layer seed")
        elements = bytes(body.take(size))
        body.end()
    else:
        rows, cols, transposed = body.get("IIB")
        need(1 <= rows < 2 ** 31 and 1 <= cols < 2 ** 31 and rows * cols == count, "rows and columns of the view")
        need(transposed <= 1, "transposed")
        body.zeros(7)
        with np.errstate(over="ignore", invalid="ignore"):
            value = decode_poincare(body, rows, cols, layer_seed != 0) if codec == 2 else decode_trellis(body, rows, cols)
            if layer_seed:
                layer = poincare_weights(layer_seed, amplitude, shift, rows, cols)
                value = layer if value is None else layer + value
            elements = element_bytes(np.ascontiguousarray(value.T if transposed else value), DTYPES[dtype])
    need(crc32c(elements) == decoded_crc, "decodedCrc")
    return DTYPES[dtype], shape, elements


# ---- Container (s. 2) ----

def parse_header(raw, level):                                                                            # s. 2.2
    def unique(pairs):
        need(len({name for name, _ in pairs}) == len(pairs), "duplicate name in the JSON header")
        return dict(pairs)

    def number(convert):
        def parse(text):
            need(len(text) <= 40, "number of more than 40 characters")
            return convert(text)
        return parse

    def refuse(text):
        raise ValueError(text)
    try:
        text, depth = raw.decode("utf-8"), 0
        for token in re.findall(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', text):
            depth += (token in "[{") - (token in "]}")
            need(depth <= 64, "the JSON header is nested too deep")
        header = json.loads(text, object_pairs_hook=unique, parse_int=number(int), parse_float=number(float),
                            parse_constant=refuse)
        json.dumps(header, ensure_ascii=False).encode("utf-8")         # fails where a string has a lone surrogate
    except ValueError as error:
        raise PseedError("corrupt", f"JSON header: {error}") from None

    def natural(value):
        return type(value) is int and value >= 0
    need(type(header) is dict, "the JSON header is not an object")
    need(type(header.get("producer")) is str, "producer")
    need(type(header.get("tensors")) is list and type(header.get("sections")) is list, "tensors or sections")
    need(len(header["tensors"]) + len(header["sections"]) <= LIMITS[level][2], "tensors and sections", "over-limit")
    need(all(type(header.get(name, {})) is dict for name in ("metadata", "source", "plan")), "metadata, source or plan")
    need(all(type(value) is str for value in header.get("metadata", {}).values()), "metadata")
    for entries in (header["tensors"], header["sections"]):
        for entry in entries:
            need(type(entry) is dict and type(entry.get("name")) is str, "name")
            need(natural(entry.get("offset")) and natural(entry.get("length")), "offset or length")
        need(len({entry["name"] for entry in entries}) == len(entries), "a name is used twice")
    for entry in header["tensors"]:
        need(type(entry.get("dtype")) is str and entry["dtype"] in DTYPES[1:], "dtype")
        need(type(entry.get("shape")) is list and len(entry["shape"]) <= 8 and all(map(natural, entry["shape"])), "shape")
        need(math.prod(entry["shape"]) < 2 ** 60, "number of elements")
        need(type(entry.get("stats", {})) is dict, "stats")
    for entry in header["sections"]:
        need(natural(entry.get("crc32c")) and entry["crc32c"] < 2 ** 32, "crc32c")
        need(type(entry.get("mediaType", "")) is str, "mediaType")
        need(type(entry.get("encoding", "")) is str, "encoding")
        need(("decodedLength" in entry) == ("encoding" in entry), "encoding or decodedLength without the other")
        need(natural(entry.get("decodedLength", 0)) and entry.get("decodedLength", 0) < 2 ** 63, "decodedLength")
    return header


def section_bytes(data, section):                                                                        # s. 2.2, 2.3
    """The decoded bytes of a section of a container whose header has been checked."""
    stored = data[section["offset"]:section["offset"] + section["length"]]
    encoding, size = section.get("encoding"), section.get("decodedLength")
    need(encoding in (None, "deflate"), f"encoding {encoding!r} of a section", "unknown-codec")
    need(section["crc32c"] == crc32c(stored), "CRC of a section")
    if encoding is None:
        return bytes(stored)
    need(size <= 1032 * len(stored), "decodedLength is more than DEFLATE can give")
    stream = zlib.decompressobj(-15)
    try:
        decoded = stream.decompress(stored, size + 1)
    except zlib.error as error:
        raise PseedError("corrupt", f"DEFLATE stream of a section: {error}") from None
    need(len(decoded) <= size, "a section decodes to more than decodedLength")
    need(stream.eof, "a section's stream ends before its final block does")
    need(not stream.unused_data, "bytes after the final block of a section")
    need(len(decoded) == size, "a section decodes to less than decodedLength")
    return decoded


def decode_container(data, level="standard"):
    """Checks everything and yields (name, dtype name, shape, bytes of the elements) of each tensor."""
    need(data[:8] == b"\x89PSD\r\n\x1a\n", "magic", "not-pseed")
    need(len(data) >= 128, "a file has at least 128 bytes")
    major, minor, flags, file_length, offset, length, header_crc = struct.unpack_from("<HHIQQII", data, 8)
    need(major <= 1, f"major version {major}", "too-new")
    need(struct.unpack_from("<I", data, 124)[0] == crc32c(data[:124]), "prefixCrc")
    need(major == 1, "major version 0")
    need(flags == 0, "flags of the prefix")
    need(file_length == len(data), "fileLength")
    need(offset >= 128 and offset % 64 == 0, "headerOffset")
    need(length <= LIMITS[level][3], "headerLength", "over-limit")
    need(length >= 2 and offset + length == file_length, "headerLength")
    need(data[40:72] == hashlib.sha256(memoryview(data)[128:]).digest(), "digest")
    need(not any(data[72:124]), "reserved bytes of the prefix")
    need(header_crc == crc32c(data[offset:]), "headerCrc")
    header = parse_header(data[offset:], level)

    sizes = [(math.prod(t["shape"]) * BITS[DTYPES.index(t["dtype"])] + 7) // 8 for t in header["tensors"]]
    sizes += [section.get("decodedLength", 0) for section in header["sections"]]
    need(max(sizes, default=0) <= LIMITS[level][0], "decoded bytes of a tensor or section", "over-limit")
    need(sum(sizes) <= LIMITS[level][1], f"{sum(sizes)} decoded bytes in the file", "over-limit")
    end = 128
    for extent in header["tensors"] + header["sections"] + [{"offset": offset, "length": 0}]:
        start = -(-end // 64) * 64
        need(extent["offset"] == start and start + extent["length"] <= offset, "place of an extent")
        need(not any(data[end:start]), "bytes between extents are not zero")
        end = start + extent["length"]
    for section in header["sections"]:
        section_bytes(data, section)
    for tensor in header["tensors"]:
        dtype, shape, elements = decode_record(data[tensor["offset"]:tensor["offset"] + tensor["length"]], level)
        need(dtype == tensor["dtype"] and shape == tensor["shape"], "the header's dtype or shape is not the record's")
        yield tensor["name"], dtype, shape, elements


def tensors_of(path, is_record, level="standard"):
    with open(path, "rb") as file:
        data = file.read()
    found = [("",) + decode_record(data, level)] if is_record else decode_container(data, level)
    return [dict(name=name, dtype=dtype, shape=shape, sha256=hashlib.sha256(elements).hexdigest())
            for name, dtype, shape, elements in found]


def sections_of(path):
    with open(path, "rb") as file:
        data = file.read()
    list(decode_container(data))
    offset, length = struct.unpack_from("<QI", data, 24)
    return [dict(name=section["name"], sha256=hashlib.sha256(section_bytes(data, section)).hexdigest())
            for section in parse_header(data[offset:offset + length], "standard")["sections"]]


# ---- Conformance vectors ----

def run_vectors(folder):
    passed = failed = 0

    def load(name):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return json.load(file)

    def check(what, problem):
        nonlocal passed, failed
        passed, failed = passed + (not problem), failed + bool(problem)
        if problem:
            print(f"{what}: {problem}")

    for entry in load("valid.json") + load("invalid.json"):
        expected = entry.get("error", "valid")
        try:
            found = tensors_of(os.path.join(folder, entry["file"]), entry["file"].endswith(".rec"),
                               entry.get("limits", "standard"))
            names = [{key: t[key] for key in ("name", "dtype", "shape", "sha256")} for t in entry.get("tensors", [])]
            check(entry["file"], "" if expected == "valid" and found == names else
                  f"expected {names if expected == 'valid' else expected}, decoded {found}")
            if "sections" in entry:
                found = sections_of(os.path.join(folder, entry["file"]))
                check(entry["file"] + " sections", "" if found == entry["sections"] else
                      f"expected {entry['sections']}, decoded {found}")
        except PseedError as error:
            check(entry["file"], "" if error.kind == expected else f"expected {expected}, got {error}")
        except Exception as error:                       # a reader must not fail in any other way
            check(entry["file"], f"expected {expected}, got {type(error).__name__}: {error}")
    for entry in load("tables.json"):
        psi, phi = tables(entry["L"], entry["law"], entry["kappa"])
        crc = crc32c(np.concatenate([psi, phi]).astype("<i2").tobytes())
        check("tables.json " + str({key: entry[key] for key in ("L", "law", "kappa")}),
              "" if crc == entry["crc32c"] else f"expected {entry['crc32c']}, got {crc}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def main(argv=None):
    parser = argparse.ArgumentParser(description="Decodes .pseed 1.0 files.")
    parser.add_argument("path", help="a .pseed file, a bare record or the folder of the vectors")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--record", action="store_true", help="PATH is a bare record")
    kind.add_argument("--vectors", action="store_true", help="PATH is a folder with valid.json, invalid.json, tables.json")
    options = parser.parse_args(argv)
    if options.vectors:
        return run_vectors(options.path)
    try:
        for tensor in tensors_of(options.path, options.record):
            print(tensor["sha256"], tensor["dtype"], tensor["shape"], tensor["name"])
    except PseedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
