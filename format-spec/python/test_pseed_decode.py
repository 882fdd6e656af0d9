#!/usr/bin/env python3
"""Compares pseed_decode with a slow, literal, loop by loop transcription of the formulas of ../spec/pseed-1.0.md."""
import decimal, hashlib, json, math, os, random, struct, sys, tempfile, unittest, zlib
import numpy as np

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import pseed_decode, worked_example
from pseed_decode import DTYPES, PseedError, decode_container, decode_record, factors

D = decimal.Decimal
decimal.getcontext().prec = 60
PI = D("3.14159265358979323846264338327950288419716939937510582097494459")
GAMMA = D("0.57721566490153286060651209008240243104215933593992359880577")
f32 = np.float32


# ---------------------------------------------------------------- the slow reference

def slow_crc(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def slow_bessel(which, x):
    """Power series with 60 decimal digits."""
    if x == 0:
        return [1.0, 1.0, math.inf, -math.inf][which]
    x, term, h, plain, harmonic = D(x), D(1), D(0), D(1), D(0)
    sign = 1 if which in (1, 2) else -1
    for k in range(1, 90):
        term *= sign * x * x / (4 * k * k)
        h += D(1) / k
        plain, harmonic = plain + term, harmonic + h * term
    log = (x / 2).ln() + GAMMA
    return float([plain, plain, harmonic - log * plain, 2 / PI * (log * plain - harmonic)][which])


def slow_value(seed, i, j, m, n):
    def bits(high, low):
        return seed >> low & (1 << (high - low + 1)) - 1
    r, theta = bits(63, 44) / (2 ** 20 - 1), bits(43, 20) / (2 ** 24 - 1) * 2 * math.pi
    basis, d_theta, d_r, rot, log2c = bits(19, 16), bits(15, 14), bits(13, 13), bits(12, 9), bits(8, 6)
    c = 2.0 ** (log2c - 8 if log2c > 3 else log2c)
    x = 2 * j / (n - 1) - 1 if n > 1 else 0.0
    y = 2 * i / (m - 1) - 1 if m > 1 else 0.0
    r_local = min(math.sqrt(x * x + y * y), 0.999999)
    p = math.pi
    t = theta + math.atan2(y, x) + ([0, p/8, p/6, p/4, p/3, p/2, 2*p/3, 3*p/4, 5*p/6, 7*p/8] + [0] * 6)[rot]
    if c * r * r == 1:
        return 0.0
    jacobian = 1 / abs(1 - c * r * r)
    if basis <= 3:
        even = [math.sin(t), math.cos(t), -math.sin(t), -math.cos(t)]
        odd = [math.cos(t), -math.sin(t), -math.cos(t), math.sin(t)]
        clear = [math.sinh(c * r), math.cosh(c * r)]
        value = (odd if basis % 2 else even)[d_theta] * (clear if basis < 2 else clear[::-1])[d_r]
    elif basis <= 7:
        value = slow_bessel(basis - 4, 10 * r_local)
    elif basis == 8:
        value = math.tanh(c * r_local) * ((math.cos(t) > 0) - (math.cos(t) < 0))
    elif basis == 9:
        w = t % p
        value = (4 * w / p - 1 if w < p / 2 else 3 - 4 * w / p) / math.cosh(c * r_local)
    elif basis == 10:
        value = math.exp(-c * r_local) * math.sin(t)
    elif basis == 11:
        value = math.exp(-2.5 * r_local ** 2) * math.cos(5 * t)
    else:
        value = 0.0
    return value * jacobian if math.isfinite(value) else 0.0


def slow_poincare(seed, amplitude, shift, m, n):
    if seed == 0:
        return [[f32(0)] * n for _ in range(m)]
    return [[f32(math.floor(slow_value(seed, i, j, m, n) * 2.0 ** shift + 0.5)) * f32(amplitude) for j in range(n)]
            for i in range(m)]


def slow_tables(L, law, kappa):
    rb = L // 2
    ab = L - rb
    if law == 0:
        PSI = [math.sqrt(-2 * math.log(1 - (i + 0.5) / 2 ** rb)) for i in range(2 ** rb)]
    else:
        PSI = [math.atanh(kappa / 256 * math.sqrt((i + 0.5) / 2 ** rb)) for i in range(2 ** rb)]
        g = math.sqrt(2 / (sum(v * v for v in PSI) / 2 ** rb))
        PSI = [g * v for v in PSI]
    return ([min(16383, math.floor(4096 * v + 0.5)) for v in PSI],
            [math.floor(32767 * math.cos(2 * math.pi * (a + 0.25) / 2 ** ab) + 0.5) for a in range(2 ** ab)])


def slow_code(state, L, psi, phi):
    rb = L // 2
    ab = L - rb
    h = state * factors(L)[0] % 2 ** L
    h = h ^ h >> (rb - 1)
    h = h * factors(L)[1] % 2 ** L
    h = h ^ h >> rb
    return (psi[h >> ab] * phi[h % 2 ** ab] + 2 ** 14) >> 15


def bit(data, index):
    return data[index // 8] >> (7 - index % 8) & 1


def slow_trellis(t):
    """t: the description that encode_trellis made. Returns the rows of the view."""
    R, C, L = t["R"], t["C"], t["L"]
    psi, phi = slow_tables(L, t["law"], t["kappa"])
    Q, position = [], 0
    for i in range(R):
        if t["axis"] == 0:
            segments = t["panels"]
        else:
            segments, first = None, 0
            for length, k in t["panels"]:
                if first <= i < first + length:
                    segments = [(C, k)]
                first += length
        row = []
        for n, k in segments:
            size = (n * k + 7) // 8
            stream = t["payload"][position:position + size]
            position += size
            for step in range(n):
                if k == 0:
                    row.append(0)
                    continue
                state = 0
                for index in range((step + 1) * k - L, (step + 1) * k):
                    state = state * 2 + (bit(stream, index) if index >= 0 else 0)
                row.append(slow_code(state, L, psi, phi))
        Q.append(row)
    bR, bC = 2 ** t["row_log2"], 2 ** t["col_log2"]
    sign = [[(-1) ** bin(i & j).count("1") for j in range(128)] for i in range(128)]
    H = [[sum(sign[i % bR][a] * Q[i - i % bR + a][j] for a in range(bR)) for j in range(C)] for i in range(R)]
    Z = [[sum(H[i][j - j % bC + a] * sign[a][j % bC] for a in range(bC)) for j in range(C)] for i in range(R)]
    with np.errstate(over="ignore", invalid="ignore"):
        V = [[(f32(Z[i][j]) * t["row_scales"][i]) * t["col_scales"][j] for j in range(C)] for i in range(R)]
    view = [[None] * C for _ in range(R)]
    for i in range(R):
        for j in range(C):
            p = t["permutation"]
            a, b = (i, j) if p is None else (p[i], j) if t["axis"] else (i, p[j])
            view[a][b] = V[i][j]
    return view


def slow_bf16(x):
    """The nearest of the two bfloat16 neighbours of an f32, ties to even, by exact comparison."""
    u = struct.unpack("<I", struct.pack("<f", x))[0]
    low, high = u >> 16, (u >> 16) + 1

    def real(h):
        return D(2) ** 128 if h & 0x7FFF == 0x7F80 else abs(D(struct.unpack("<f", struct.pack("<I", h << 16))[0]))
    a, b = abs(D(float(x))) - real(low), real(high) - abs(D(float(x)))
    return low if a < b or (a == b and low % 2 == 0) else high


def slow_elements(rows, transposed, dtype):
    R, C = len(rows), len(rows[0])
    flat = [rows[i][j] for j in range(C) for i in range(R)] if transposed else [v for row in rows for v in row]
    if dtype == "F32":
        return b"".join(struct.pack("<f", v) for v in flat)
    if dtype == "F64":
        return b"".join(struct.pack("<d", v) for v in flat)
    if dtype == "F16":                                   # struct rounds an f64 to nearest even too, but refuses overflow
        return b"".join(struct.pack("<e", v) if abs(v) < 65520 else struct.pack("<H", 0xFC00 if v < 0 else 0x7C00)
                        for v in flat)
    return b"".join(struct.pack("<H", slow_bf16(v)) for v in flat)


# ---------------------------------------------------------------- the tiny encoder

def encode_record(codec, dtype, shape, body, elements, layer=(0, 0.0, 0), **change):
    data = b"PSR1" + struct.pack("<4BQQfb3xI4x", codec, DTYPES.index(dtype), len(shape), 0,
                                 44 + 8 * len(shape) + len(body), *layer, slow_crc(elements))
    data += struct.pack(f"<{len(shape)}Q", *shape) + body
    for offset, replacement in change.get("patch", []):
        data = data[:offset] + replacement + data[offset + len(replacement):]
    return data + struct.pack("<I", slow_crc(data))


def random_scales(rng, kind, n):
    """The bytes and the values, each value worked out by itself."""
    e = rng.randint(-30, 0)
    if kind in (0, 4):
        value = f32(rng.uniform(-1, 1))
        data, values = struct.pack("<f", value), [value] * n
        if kind == 4:
            signs = [rng.randint(0, 1) for _ in range(n)]
            padded = signs + [0] * (-n % 8)
            data += bytes(sum(padded[i + b] << (7 - b) for b in range(8)) for i in range(0, len(padded), 8))
            values = [f32(-value) if s else value for s in signs]
    elif kind == 1:
        values = [f32(rng.uniform(-1, 1)) for _ in range(n)]
        data = struct.pack(f"<{n}f", *values)
    elif kind == 2:
        halves = [np.float16(rng.uniform(-4, 4)) for _ in range(n)]
        data, values = struct.pack(f"<b3x{n}e", e, *halves), [f32(float(h) * 2.0 ** e) for h in halves]
    else:
        codes = [rng.choice([b for b in range(256) if b != 128]) for _ in range(n)]
        data = struct.pack(f"<b3x{n}B", e, *codes)
        values = [f32(0 if b % 128 == 0 else (-1) ** (b >> 7) * (16 + b % 16) * 2.0 ** (b % 128 >> 4) * 2.0 ** e)
                  for b in codes]
    return data + bytes(-len(data) % 4), values


def cut(rng, total, rates):
    """Panels with the given rates; the lengths add up to total."""
    marks = sorted(rng.sample(range(1, total), len(rates) - 1))
    return list(zip([b - a for a, b in zip([0] + marks, marks + [total])], rates))


def encode_trellis(rng, R=6, C=12, L=8, law=0, kappa=0, row_log2=0, col_log2=0, kinds=(0, 0), axis=0, rates=(2,),
                   permuted=False, transposed=False, dtype="F32", shape=None, layer=(0, 0.0, 0), patch=()):
    t = dict(R=R, C=C, L=L, law=law, kappa=kappa, row_log2=row_log2, col_log2=col_log2, axis=axis)
    t["panels"] = cut(rng, R if axis else C, list(rates))
    t["permutation"] = rng.sample(range(R if axis else C), R if axis else C) if permuted else None
    row_data, t["row_scales"] = random_scales(rng, kinds[0], R)
    col_data, t["col_scales"] = random_scales(rng, kinds[1], C)

    def segment(n, k):
        bits = [rng.randint(0, 1) for _ in range(n * k)] + [0] * (-n * k % 8)
        return bytes(int("".join(map(str, bits[i:i + 8])), 2) for i in range(0, len(bits), 8))
    if axis == 0:
        t["payload"] = b"".join(segment(n, k) for _ in range(R) for n, k in t["panels"])
    else:
        t["payload"] = b"".join(segment(C, k) for height, k in t["panels"] for _ in range(height))
    body = struct.pack("<IIB7x", R, C, transposed)
    body += struct.pack("<8BIB3x", L, law, kappa, row_log2, col_log2, *kinds, axis, len(t["panels"]), permuted)
    body += b"".join(struct.pack("<IB3x", n, k) for n, k in t["panels"]) + row_data + col_data
    body += struct.pack(f"<{len(t['permutation'])}I", *t["permutation"]) if permuted else b""
    view = slow_trellis(t)
    if layer[0]:
        own = slow_poincare(*layer, R, C)
        view = [[own[i][j] + view[i][j] for j in range(C)] for i in range(R)]
    elements = slow_elements(view, transposed, dtype)
    shape = shape or ([C, R] if transposed else [R, C])
    return encode_record(3, dtype, shape, body + t["payload"], elements, layer, patch=patch), elements


def random_seed(rng, m, n, basis=None):
    """A seed and a shift that follow s. 6.3 on an m x n matrix."""
    while True:
        seed = rng.getrandbits(64)
        if basis is not None:
            seed = seed & ~(15 << 16) | basis << 16
        values = [slow_value(seed, i, j, m, n) for i in range(m) for j in range(n)]
        largest = max(map(abs, values))
        shift = rng.randint(4, 14) - (math.frexp(largest)[1] if largest else 0)
        scaled = [abs(v) * 2.0 ** shift for v in values]
        t_ok = not (basis == 8 and m % 2 and n == 1)
        if seed and t_ok and -64 <= shift <= 64 and max(scaled) <= 32767 and (largest > 1e-3 or largest == 0) \
                and all(abs(v % 1 - 0.5) > 1e-4 for v in scaled):
            return seed, shift


def encode_container(tensors, sections=(), extra=None):
    """tensors: (name, dtype, shape, record), sections: (name, bytes, further members)."""
    header = {"producer": "test", "tensors": [], "sections": [], **(extra or {})}
    data = bytearray(128)
    for name, dtype, shape, record in tensors:
        data += bytes(-len(data) % 64)
        header["tensors"].append(dict(name=name, dtype=dtype, shape=shape, offset=len(data), length=len(record)))
        data += record
    for name, content, *more in sections:
        data += bytes(-len(data) % 64)
        header["sections"].append(dict(name=name, offset=len(data), length=len(content), crc32c=slow_crc(content),
                                       **(more[0] if more else {})))
        data += content
    data += bytes(-len(data) % 64)
    return seal(data, json.dumps(header).encode())


def seal(data, text, **change):
    offset, data = len(data), bytearray(data) + text
    fields = dict(major=1, minor=0, flags=0, length=len(data), offset=offset, size=len(text), crc=slow_crc(text))
    fields.update(change)
    data[:8] = b"\x89PSD\r\n\x1a\n"
    data[8:40] = struct.pack("<HHIQQII", *fields.values())
    data[40:72] = hashlib.sha256(data[128:]).digest()
    data[124:128] = struct.pack("<I", slow_crc(data[:124]))
    return bytes(data)


# ---------------------------------------------------------------- the tests

class Base(unittest.TestCase):
    def setUp(self):
        self.rng = random.Random(self.id())

    def same(self, record, elements):
        self.assertEqual(decode_record(record)[2], elements)

    def refused(self, kind, call, *arguments):
        with self.assertRaises(PseedError) as caught:
            result = call(*arguments)
            list(result)
        self.assertEqual(caught.exception.kind, kind, caught.exception)


class Checksums(Base):
    def test_crc(self):
        self.assertEqual(pseed_decode.crc32c(b"123456789"), 0xE3069283)
        for n in list(range(40)) + [1000, 4097]:
            data = self.rng.randbytes(n)
            self.assertEqual(pseed_decode.crc32c(data), slow_crc(data))

    def test_crc_in_parts(self):
        for n in (2 ** 20, 2 ** 20 + 1, 2 ** 20 + 5):
            data = self.rng.randbytes(n)
            self.assertEqual(pseed_decode.crc32c(data), slow_crc(data))


class Trellis(Base):
    def test_tables(self):
        for L in range(8, 21):
            for law, kappa in [(0, 0), (1, 1), (1, 100), (1, 255)]:
                psi, phi = pseed_decode.tables(L, law, kappa)
                self.assertEqual((psi.tolist(), phi.tolist()), slow_tables(L, law, kappa))

    def test_rates_and_seed_lengths(self):
        for L in (8, 12, 16, 20):
            for k in range(9):
                self.same(*encode_trellis(self.rng, L=L, rates=[k], C=self.rng.randint(1, 40), kinds=(1, 2)))

    def test_odd_seed_lengths_and_laws(self):
        for L in range(8, 21):
            for kappa in (1, 77, 255):
                self.same(*encode_trellis(self.rng, L=L, rates=[3], law=1, kappa=kappa, kinds=(0, 1)))

    def test_panels_and_permutation(self):
        for axis in (0, 1):
            for permuted in (False, True):
                for transposed in (False, True):
                    for rates in ([2], [0, 3], [3, 0, 1], [8, 1, 5, 0]):
                        self.same(*encode_trellis(self.rng, R=7, C=11, L=12, axis=axis, rates=rates, kinds=(1, 1),
                                                  permuted=permuted, transposed=transposed))

    def test_scales(self):
        for row in range(5):
            for col in range(5):
                self.same(*encode_trellis(self.rng, R=9, C=21, kinds=(row, col), rates=[1, 2]))

    def test_hadamard(self):
        for row in range(8):
            for col in (0, 1, 3, 7):
                self.same(*encode_trellis(self.rng, R=2 ** row, C=2 ** col * 3, row_log2=row, col_log2=col,
                                          axis=self.rng.randint(0, 1) if row else 0, rates=[2], kinds=(1, 3)))

    def test_output_types(self):
        for dtype in ("F32", "F16", "BF16", "F64"):
            for transposed in (False, True):
                self.same(*encode_trellis(self.rng, dtype=dtype, kinds=(1, 1), rates=[4], transposed=transposed,
                                          shape=[2, 3, 1, 12]))

    def test_layer_seed(self):
        for transposed in (False, True):
            seed, shift = random_seed(self.rng, 6, 12)
            self.same(*encode_trellis(self.rng, layer=(seed, f32(0.001), shift), kinds=(1, 1), rates=[2, 0, 1],
                                      permuted=True, transposed=transposed))


class Poincare(Base):
    def test_bessel(self):
        x = np.array([1e-9, 1e-3, 0.5, 1.9999, 2.0, 2.0001, 3.83, 5, 7.5, 9, 9.99999])
        for which in range(4):
            for a, b in zip(pseed_decode.bessel(which, x), x):
                self.assertLess(abs(a - slow_bessel(which, b)), 1e-13 * max(1, abs(a)) if which < 3 or b < 1 else 2e-15)
        for a, b in zip(pseed_decode.bessel(2, x), x):                                   # K0 keeps its relative precision
            self.assertLess(abs(a / slow_bessel(2, b) - 1), 1e-13)

    def test_codes(self):
        for basis in range(16):
            for m, n in [(1, 1), (2, 2), (1, 6), (5, 1), (4, 7), (9, 9)]:
                for _ in range(3):
                    if basis == 8 and min(m, n) == 1:
                        continue
                    seed, shift = random_seed(self.rng, m, n, basis)
                    codes = [[round(slow_value(seed, i, j, m, n) * 2.0 ** shift) for j in range(n)] for i in range(m)]
                    self.assertEqual(pseed_decode.poincare_codes(seed, shift, m, n).tolist(), codes, hex(seed))

    def test_records(self):
        for R, C, tr, tc in [(4, 6, 4, 6), (5, 7, 2, 3), (3, 8, 1, 8), (6, 6, 0, 0)]:
            for layered in (False, True):
                if not (tr or layered):
                    continue
                seed, shift = random_seed(self.rng, R, C)
                layer = (seed, f32(0.01), shift) if layered else (0, 0.0, 0)
                body = struct.pack("<IIB7xII", R, C, 0, tr, tc)
                view = None
                if tr:
                    view = [[f32(0)] * C for _ in range(R)]
                    for i in range(0, R, tr):
                        for j in range(0, C, tc):
                            m, n = min(tr, R - i), min(tc, C - j)
                            tile = (*random_seed(self.rng, m, n), f32(self.rng.uniform(-1, 1)))
                            tile = (tile[0], tile[2], tile[1]) if self.rng.random() < 0.8 else (0, f32(0), 0)
                            body += struct.pack("<Qfb3x", *tile)
                            for a, row in enumerate(slow_poincare(*tile, m, n)):
                                view[i + a][j:j + n] = row
                if layered:
                    own = slow_poincare(*layer, R, C)
                    view = [[own[i][j] + view[i][j] for j in range(C)] for i in range(R)] if view else own
                elements = slow_elements(view, False, "F16")
                self.same(encode_record(2, "F16", [R, C], body, elements, layer), elements)
        self.refused("corrupt", decode_record, encode_record(2, "F32", [1], struct.pack("<IIB7xII", 1, 1, 0, 0, 0), b""))

    def test_code_too_large(self):
        body = struct.pack("<IIB7xIIQfb3x", 1, 1, 0, 1, 1, 5 << 16, 1.0, 15)      # I0(0) = 1, as 2^15
        self.refused("corrupt", decode_record, encode_record(2, "F32", [], body, bytes(4)))
        body = struct.pack("<IIB7xIIQfb3x", 1, 1, 0, 1, 1, 5 << 16, 1.0, 14)
        elements = struct.pack("<f", 2 ** 14)
        self.same(encode_record(2, "F32", [], body, elements), elements)


class Refusals(Base):
    def test_every_bit_of_a_record(self):
        record, _ = encode_trellis(self.rng, R=2, C=4, rates=[2])
        for index in range(len(record) * 8):
            broken = bytearray(record)
            broken[index // 8] ^= 1 << index % 8
            self.refused("corrupt", decode_record, bytes(broken))
        for length in range(len(record)):
            self.refused("corrupt", decode_record, record[:length])
        self.refused("corrupt", decode_record, record + b"\0")

    def test_fields(self):
        B = 56                                           # where the body of a record of rank 2 starts
        for offset, replacement, kind in [
                (4, b"\0", "unknown-codec"), (4, b"\4", "unknown-codec"), (5, b"\0", "corrupt"), (5, b"\5", "corrupt"),
                (5, b"\x1a", "corrupt"), (6, b"\x09", "corrupt"), (7, b"\1", "corrupt"), (24, b"\0\0\0\x80", "corrupt"),
                (28, b"\1", "corrupt"), (29, b"\1", "corrupt"), (36, b"\1", "corrupt"), (40, b"\xff" * 16, "corrupt"),
                (40, struct.pack("<QQ", 2 ** 35, 2 ** 10), "over-limit"), (B, b"\0\0\0\0", "corrupt"),
                (B + 8, b"\2", "corrupt"), (B + 9, b"\1", "corrupt"), (B + 16, b"\7", "corrupt"),
                (B + 16, b"\x15", "corrupt"), (B + 17, b"\2", "unknown-codec"), (B + 17, b"\1", "corrupt"),
                (B + 18, b"\1", "corrupt"), (B + 19, b"\2", "corrupt"), (B + 20, b"\3", "corrupt"),
                (B + 21, b"\5", "corrupt"), (B + 22, b"\5", "corrupt"), (B + 23, b"\2", "corrupt"),
                (B + 24, b"\0\0\0\0", "corrupt"), (B + 24, b"\xff" * 4, "corrupt"), (B + 28, b"\2", "corrupt"),
                (B + 29, b"\1", "corrupt"), (B + 32, b"\3", "corrupt"), (B + 36, b"\x09", "corrupt"),
                (B + 37, b"\1", "corrupt"), (B + 40, b"\0\0\xc0\x7f", "corrupt"), (B + 49, b"\x01", "corrupt")]:
            record, _ = encode_trellis(self.rng, R=2, C=4, rates=[2], patch=[(offset, replacement)])
            self.refused(kind, decode_record, record)

    def test_unused_bits(self):
        record, elements = encode_trellis(self.rng, R=1, C=3, rates=[2], patch=[])
        self.same(record, elements)
        record, _ = encode_trellis(self.rng, R=1, C=3, rates=[2], patch=[(len(record) - 5, b"\x01")])
        self.refused("corrupt", decode_record, record)

    def test_raw(self):
        elements = self.rng.randbytes(15)
        record = encode_record(1, "F6_E2M3", [4, 5], elements, elements)
        self.assertEqual(decode_record(record), ("F6_E2M3", [4, 5], elements))
        self.same(encode_record(1, "I64", [3, 0], b"", b""), b"")
        self.refused("corrupt", decode_record, encode_record(1, "F6_E2M3", [4, 5], elements + b"\0", elements))
        self.refused("corrupt", decode_record, encode_record(1, "U8", [15], elements, elements, (1, 1.0, 0)))
        self.refused("corrupt", decode_record, encode_record(1, "U8", [15], elements, b""))


class Container(Base):
    def setUp(self):
        super().setUp()
        self.tensors, self.expected = [], []
        for name, L in [("a", 8), ("b\u00e9", 12)]:
            record, elements = encode_trellis(self.rng, L=L)
            self.tensors.append((name, "F32", [6, 12], record))
            self.expected.append((name, "F32", [6, 12], elements))

    def test_read(self):
        data = encode_container(self.tensors, [("onnx.graph", b"abc"), ("x", b"")], dict(metadata={"k": "v"}, more=[1e9]))
        self.assertEqual(list(decode_container(data)), self.expected)
        self.assertEqual(list(decode_container(encode_container([]))), [])

    def test_every_byte(self):
        data = encode_container(self.tensors[:1], [("x", b"abc")])
        for index in range(len(data)):
            broken = bytearray(data)
            broken[index] ^= 1 << index % 8
            kind = "not-pseed" if index < 8 else "too-new" if index in (8, 9) and broken[8:10] != b"\0\0" else "corrupt"
            self.refused(kind, decode_container, bytes(broken))
        for length in range(len(data)):
            self.refused("not-pseed" if length < 8 else "corrupt", decode_container, data[:length])
        self.refused("corrupt", decode_container, data + b"\0")

    def test_fields(self):
        text = b'{"producer":"","tensors":[],"sections":[]}'
        self.assertEqual(list(decode_container(seal(bytes(128), text, minor=7))), [])
        for kind, change in [("too-new", dict(major=2)), ("corrupt", dict(major=0)), ("corrupt", dict(flags=1)),
                             ("corrupt", dict(length=128)), ("corrupt", dict(offset=64)), ("corrupt", dict(size=1)),
                             ("over-limit", dict(size=100_000_001)), ("corrupt", dict(crc=0))]:
            self.refused(kind, decode_container, seal(bytes(128), text, **change))
        self.refused("corrupt", decode_container, seal(bytes(192), text))                # a hole

    def test_json(self):
        deep = '{"producer":"","tensors":[],"sections":[],"x":' + "[" * 63 + "]" * 63 + "}"
        self.assertEqual(list(decode_container(seal(bytes(128), deep.encode()))), [])
        for text in ["[]", "{}", "\ufeff{}", '{"tensors":[],"sections":[]}', deep.replace("[]", "[[]]", 3)[:-1],
                     '{"producer":"","tensors":[],"sections":[],"x":' + "[" * 64 + "]" * 64 + "}",
                     '{"producer":"","tensors":[],"sections":[],"x":' + "1" * 41 + "}",
                     '{"producer":"","tensors":[],"sections":[],"x":NaN}', '{"producer":"","tensors":[],"sections":[]} x',
                     '{"producer":"","tensors":[],"sections":[],"x":{"y":1,"\\u0079":2}}', "[" * 100000,
                     '{"producer":"","tensors":[],"sections":[],"metadata":{"a":1}}', '{"producer":"","tensors":null}']:
            self.refused("corrupt", decode_container, seal(bytes(128), text.encode()))
        self.refused("corrupt", decode_container, seal(bytes(128), b'{"producer":"\xff","tensors":[],"sections":[]}'))

    def test_deflate(self):
        for content in (b"", b"abc", self.rng.randbytes(1000), b"node " * 20_000):
            stream = zlib.compressobj(9, zlib.DEFLATED, -15)
            stream = stream.compress(content) + stream.flush()
            size = len(content)

            def made(stream, size, encoding="deflate"):
                return encode_container([], [("s", stream, dict(encoding=encoding, decodedLength=size))])
            self.assertEqual(list(decode_container(made(stream, size))), [])
            section = dict(offset=0, length=len(stream), crc32c=slow_crc(stream), encoding="deflate", decodedLength=size)
            self.assertEqual(pseed_decode.section_bytes(stream, section), content)
            for kind, *change in [("corrupt", stream, size + 1), ("corrupt", stream + b"\0", size),
                                  ("corrupt", stream[:-1], size), ("corrupt", zlib.compress(content), size),
                                  ("corrupt", stream, size + 0.5), ("corrupt", stream, -1), ("corrupt", stream, None),
                                  ("corrupt", stream, 2 ** 30), ("over-limit", stream, 2 ** 40),
                                  ("unknown-codec", stream, size, "zlib"), ("corrupt", stream, size, None)] + \
                    ([("corrupt", stream, size - 1), ("corrupt", stream, 0)] if size else []):
                self.refused(kind, decode_container, made(*change))
            self.refused("corrupt", decode_container, encode_container([], [("s", stream, dict(encoding="deflate"))]))
            self.refused("corrupt", decode_container, encode_container([], [("s", stream, dict(decodedLength=size))]))

    def test_tensor_entries(self):
        a = self.tensors[0]
        for tensors in ([a, a], [("a", "F16", [6, 12], a[3])], [("a", "F32", [12, 6], a[3])], [("a", "", [6, 12], a[3])],
                        [("a", "F32", [6.0, 12], a[3])], [(1, "F32", [6, 12], a[3])]):
            self.refused("corrupt", decode_container, encode_container(tensors))
        self.refused("over-limit", decode_container, encode_container([("a", "F32", [2 ** 40], a[3])]))


class WorkedExample(Base):
    def test_is_current(self):
        """Fails when the specification's section 13 or its record must be printed anew (worked_example.py --write)."""
        here = os.path.dirname(os.path.abspath(__file__))
        text, record = worked_example.section()
        with open(os.path.join(here, "..", "spec", "pseed-1.0.md"), encoding="utf-8") as file:
            self.assertIn(text, file.read())
        with open(os.path.join(here, "..", "testdata", "valid", "worked-example.rec"), "rb") as file:
            self.assertEqual(file.read(), record)


class Vectors(Base):
    def test_run(self):
        with tempfile.TemporaryDirectory() as folder:
            record, elements = encode_trellis(self.rng)
            digest = hashlib.sha256(elements).hexdigest()
            for name, content in [("a.rec", record), ("b.rec", record[:-1])]:
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(content)
            crc = slow_crc(b"".join(struct.pack("<h", v) for table in slow_tables(12, 0, 0) for v in table))
            tensor = dict(name="", dtype="F32", shape=[6, 12], sha256=digest)
            for name, content in [("valid.json", [dict(file="a.rec", tensors=[tensor])]),
                                  ("invalid.json", [dict(file="b.rec", error="corrupt")]),
                                  ("tables.json", [dict(L=12, law=0, kappa=0, crc32c=crc)])]:
                with open(os.path.join(folder, name), "w") as file:
                    json.dump(content, file)
            self.assertEqual(pseed_decode.main(["--vectors", folder]), 0)


if __name__ == "__main__":
    unittest.main()
