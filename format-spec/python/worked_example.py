#!/usr/bin/env python3
"""Prints section 13 of ../spec/pseed-1.0.md: one small trellis record, from its bits to its floats.

    worked_example.py             print the section's text
    worked_example.py --write     put it into the specification, and the record into ../testdata/valid/worked-example.rec

The steps are written out one by one here; of the decoder only the hash constants and the CRC are used.
"""
import hashlib, math, os, re, struct, sys
from pseed_decode import crc32c, decode_record, factors

HERE = os.path.dirname(os.path.abspath(__file__))
L, K, R, C, ROW_LOG2, COL_LOG2 = 8, 2, 2, 4, 1, 2
PAYLOAD, ROW_SCALES, COL_SCALE = b"\x5E\xED", [0.5, 0.25], 2.0 ** -12


def lined(table):
    """A Markdown table from rows of cells; the first row is the heading."""
    rows = ["| " + " | ".join(map(str, row)) + " |" for row in table]
    return "\n".join([rows[0], "|" + "---|" * len(table[0])] + rows[1:])


def hexes(data):
    return " ".join(f"{byte:02X}" for byte in data)


def section():
    r_bits = L // 2
    a_bits = L - r_bits
    psi = [min(16383, round(4096 * math.sqrt(-2 * math.log(1 - (i + 0.5) / 2 ** r_bits)))) for i in range(2 ** r_bits)]
    phi = [round(32767 * math.cos(2 * math.pi * (a + 0.25) / 2 ** a_bits)) for a in range(2 ** a_bits)]

    steps, q = [["row", "t", "new bits", "state", "h: times", "xor", "times", "xor", "i", "a", "psi[i]", "phi[a]", "code"]], []
    for row in range(R):
        state, codes = 0, []
        for t in range(C):
            new = PAYLOAD[row] >> (8 - K * (t + 1)) & 2 ** K - 1
            state = (state << K | new) % 2 ** L
            h1 = state * factors(L)[0] % 2 ** L
            h2 = h1 ^ h1 >> (r_bits - 1)
            h3 = h2 * factors(L)[1] % 2 ** L
            h4 = h3 ^ h3 >> r_bits
            i, a = h4 >> a_bits, h4 % 2 ** a_bits
            codes.append((psi[i] * phi[a] + 2 ** 14) >> 15)
            steps.append([row, t, f"{new:02b}", f"{state:08b}", *(f"{h:02X}" for h in (h1, h2, h3, h4)), i, a, psi[i], phi[a],
                          codes[-1]])
        q.append(codes)

    sign = [[(-1) ** bin(i & j).count("1") for j in range(C)] for i in range(C)]
    hq = [[q[0][j] + q[1][j] for j in range(C)], [q[0][j] - q[1][j] for j in range(C)]]
    z = [[sum(hq[i][a] * sign[a][j] for a in range(C)) for j in range(C)] for i in range(R)]
    v = [[z[i][j] * ROW_SCALES[i] * COL_SCALE for j in range(C)] for i in range(R)]        # all exact: powers of two
    elements = struct.pack(f"<{R * C}f", *v[0], *v[1])

    pieces = [
        ("magic `PSR1`", b"PSR1"), ("codec 3, dtype 1 (`F32`), rank 2, flags 0", bytes([3, 1, 2, 0])),
        ("length", None), ("layerSeed", bytes(8)), ("layerAmplitude, layerShift, reserved", bytes(8)),
        ("decodedCrc", struct.pack("<I", crc32c(elements))), ("reserved", bytes(4)),
        (f"dims {R}, {C}", struct.pack("<QQ", R, C)),
        (f"view: rows {R}, cols {C}", struct.pack("<II", R, C)), ("transposed 0, reserved", bytes(8)),
        ("L, law 0, kappa 0, rowBlockLog2, colBlockLog2, rowScaleKind 1, colScaleKind 0, panelAxis 0",
         bytes([L, 0, 0, ROW_LOG2, COL_LOG2, 1, 0, 0])),
        ("panelCount 1", struct.pack("<I", 1)), ("permuted 0, reserved", bytes(4)),
        (f"panel: length {C}, rate {K}, reserved", struct.pack("<IB3x", C, K)),
        ("row scales (kind 1) " + ", ".join(map(str, ROW_SCALES)), struct.pack("<2f", *ROW_SCALES)),
        (f"column scale (kind 0) {COL_SCALE}", struct.pack("<f", COL_SCALE)), ("payload", PAYLOAD)]
    length = sum(len(data) for _, data in pieces if data) + 8 + 4
    pieces = [(name, struct.pack("<Q", length) if data is None else data) for name, data in pieces]
    record = b"".join(data for _, data in pieces)
    pieces.append(("recordCrc", struct.pack("<I", crc32c(record))))
    record += pieces[-1][1]
    layout, offset = [["offset", "bytes", "meaning"]], 0
    for name, data in pieces:
        layout.append([offset, f"`{hexes(data)}`", name])
        offset += len(data)
    assert decode_record(record) == ("F32", [R, C], elements)

    def matrix(rows):
        cells = [[repr(x) for x in row] for row in rows]
        widths = [max(len(row[j]) for row in cells) for j in range(C)]
        return "\n".join("    " + "  ".join(x.rjust(w) for x, w in zip(row, widths)) for row in cells)

    text = f"""## 13 Worked example (informative)

A record of {R} x {C} weights of type `F32`: codec `trellis`, L = {L}, law 0, one panel of rate {K}, Hadamard blocks of {2 ** ROW_LOG2} rows
by {2 ** COL_LOG2} columns. This is the whole record, {length} bytes; it is also `../testdata/valid/worked-example.rec`. The text of this
section is printed by `../python/worked_example.py`.

{lined(layout)}

**Bits.** Each row is one segment of {C} * {K} bits, one byte: row 0 is `{PAYLOAD[0]:08b}`, row 1 is `{PAYLOAD[1]:08b}`. The state of a
row's first step has {L - K} zeros before its first {K} bits.

**Tables.** rBits = {r_bits}, aBits = {a_bits}; 2^rBits = {2 ** r_bits} and 2^aBits = {2 ** a_bits} values:

    psi = {', '.join(map(str, psi[:8]))},
          {', '.join(map(str, psi[8:]))}
    phi = {', '.join(map(str, phi[:8]))},
          {', '.join(map(str, phi[8:]))}

**Codes.** Modulo 2^{L} the two factors are {factors(L)[0] % 2 ** L:02X} and {factors(L)[1] % 2 ** L:02X} (hexadecimal, as h is), and the two shifts are {r_bits - 1} and {r_bits}.

{lined(steps)}

**Hadamard transform.** The matrix Q of codes is one block of {R} by {C}. H_{R} Q has the sum of its two rows, then their difference;
Z = H_{R} Q H_{C}, where the columns of H_{C} are + + + +, + - + -, + + - -, + - - +:

    Q =
{matrix(q)}
    H_{R} Q =
{matrix(hq)}
    Z =
{matrix(z)}

**Weights.** V[i][j] = (f32(Z[i][j]) * rowScale[i]) * colScale[j]; the scales are powers of two, so nothing is rounded here:

{matrix(v)}

As bytes: `{hexes(elements[:16])}`
`{hexes(elements[16:])}`.
Their CRC-32C is 0x{crc32c(elements):08X} (decodedCrc), their SHA-256
`{hashlib.sha256(elements).hexdigest()}`. The CRC-32C of the record's first {length - 4} bytes is
0x{crc32c(record[:-4]):08X} (recordCrc).
"""
    return text, record


def main():
    text, record = section()
    if sys.argv[1:] != ["--write"]:
        print(text, end="")
        return
    path = os.path.join(HERE, "..", "spec", "pseed-1.0.md")
    with open(path, encoding="utf-8", newline="") as file:
        spec = file.read()
    found = re.search(r"^## 13 .*?(?=^## 14 |\Z)", spec, re.M | re.S)
    spec = spec[:found.start()] + text + ("\n" if found.end() < len(spec) else "") + spec[found.end():] if found \
        else spec.rstrip("\n") + "\n\n" + text
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(spec)
    folder = os.path.join(HERE, "..", "testdata", "valid")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "worked-example.rec"), "wb") as file:
        file.write(record)


if __name__ == "__main__":
    main()
