package io.pseed.vectors;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A decoder written from the text of the specification, loop by loop, without a thought for speed
 * and without a line of the product. It takes valid records only.
 */
final class Reference {
  private Reference() {}

  /** The decoded elements of a record; sums are not looked at. */
  static byte[] decode(byte[] record) {
    ByteBuffer in = ByteBuffer.wrap(record).order(ByteOrder.LITTLE_ENDIAN);
    int codec = in.get(4);
    int dtype = in.get(5);
    int body = 40 + 8 * in.get(6);
    if (codec == 1) {
      return Arrays.copyOfRange(record, body, record.length - 4);
    }
    int rows = in.getInt(body);
    int cols = in.getInt(body + 4);
    boolean transposed = in.get(body + 8) == 1;
    float[][] part = codec == 2 ? tiles(in, body, rows, cols) : trellis(in, body, rows, cols);
    float[][] layer = null;
    long seed = in.getLong(16);
    if (seed != 0) {
      layer = poincare(seed, in.getFloat(24), in.get(28), rows, cols);
    }
    byte[][] elements = new byte[rows * cols][];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < cols; c++) {
        float value;
        if (layer == null) {
          value = part[r][c];
        } else if (part == null) {
          value = layer[r][c];
        } else {
          value = layer[r][c] + part[r][c];
        }
        elements[transposed ? c * rows + r : r * cols + c] = element(value, dtype);
      }
    }
    Bytes out = new Bytes();
    for (byte[] element : elements) {
      out.raw(element);
    }
    return out.toArray();
  }

  // Section 7.

  private static float[][] tiles(ByteBuffer in, int body, int rows, int cols) {
    int tileRows = in.getInt(body + 16);
    int tileCols = in.getInt(body + 20);
    if (tileRows == 0) {
      return null;
    }
    float[][] out = new float[rows][cols];
    int at = body + 24;
    for (int top = 0; top < rows; top += tileRows) {
      for (int left = 0; left < cols; left += tileCols) {
        int height = Math.min(tileRows, rows - top);
        int width = Math.min(tileCols, cols - left);
        long seed = in.getLong(at);
        if (seed != 0) {
          float[][] tile = poincare(seed, in.getFloat(at + 8), in.get(at + 12), height, width);
          for (int i = 0; i < height; i++) {
            System.arraycopy(tile[i], 0, out[top + i], left, width);
          }
        }
        at += 16;
      }
    }
    return out;
  }

  // Section 6.

  private static float[][] poincare(long seed, float amplitude, int shift, int m, int n) {
    float[][] out = new float[m][n];
    for (int i = 0; i < m; i++) {
      for (int j = 0; j < n; j++) {
        long code = Math.round(value(seed, i, j, m, n) * Math.pow(2, shift));
        out[i][j] = (float) code * amplitude;
      }
    }
    return out;
  }

  static double value(long seed, int i, int j, int m, int n) {
    double r = (double) (seed >>> 44) / 0xFFFFF;
    double theta = (double) (seed >>> 20 & 0xFFFFFF) / 0xFFFFFF * 2 * Math.PI;
    int basis = (int) (seed >>> 16 & 15);
    int dTheta = (int) (seed >>> 14 & 3);
    int dR = (int) (seed >>> 13 & 1);
    int rot = (int) (seed >>> 9 & 15);
    int log2c = (int) (seed >>> 6 & 7);
    double c = Math.pow(2, log2c >= 4 ? log2c - 8 : log2c);
    double x = n == 1 ? 0 : 2.0 * j / (n - 1) - 1;
    double y = m == 1 ? 0 : 2.0 * i / (m - 1) - 1;
    double rLocal = Math.min(Math.sqrt(x * x + y * y), 0.999999);
    double thetaLocal = x == 0 && y == 0 ? 0 : Math.atan2(y, x);
    double pi = Math.PI;
    double[] rotations = {
      0, pi / 8, pi / 6, pi / 4, pi / 3, pi / 2, 2 * pi / 3, 3 * pi / 4, 5 * pi / 6, 7 * pi / 8
    };
    double t = theta + thetaLocal + (rot < 10 ? rotations[rot] : 0);
    // P^2 / |P^2 - c k^2| in integers, both sides times 16.
    long k = seed >>> 44;
    long square = 16L * 0xFFFFF * 0xFFFFF;
    double jacobian = (double) square / Math.abs(square - ((long) (16 * c)) * k * k);
    double angular =
        basis % 2 == 0
            ? new double[] {Math.sin(t), Math.cos(t), -Math.sin(t), -Math.cos(t)}[dTheta]
            : new double[] {Math.cos(t), -Math.sin(t), -Math.cos(t), Math.sin(t)}[dTheta];
    boolean sinh = (basis & 2) == 0 ? dR == 0 : dR == 1;
    double radial = sinh ? Math.sinh(c * r) : Math.cosh(c * r);
    double shape =
        switch (basis) {
          case 0, 1, 2, 3 -> angular * radial;
          case 4 -> besselJ(0, 10 * rLocal);
          case 5 -> besselI0(10 * rLocal);
          case 6 -> besselK0(10 * rLocal);
          case 7 -> besselY0(10 * rLocal);
          case 8 -> Math.tanh(c * rLocal) * Math.signum(Math.cos(t));
          case 9 -> triangle(t) / Math.cosh(c * rLocal);
          case 10 -> Math.exp(-c * rLocal) * Math.sin(t);
          case 11 -> Math.exp(-2.5 * rLocal * rLocal) * Math.cos(5 * t);
          default -> 0;
        };
    double value = shape * jacobian;
    return Double.isFinite(value) ? value : 0;
  }

  private static double triangle(double t) {
    double phase = t - Math.PI * Math.floor(t / Math.PI);
    double half = Math.PI / 2;
    return phase < half ? -1 + 2 * phase / half : 1 - 2 * (phase - half) / half;
  }

  /**
   * The integral of cos(n s - x sin s) over a half period, over pi: exact for the midpoint rule.
   */
  private static double besselJ(int n, double x) {
    int steps = 200;
    double sum = 0;
    for (int k = 0; k < steps; k++) {
      double s = Math.PI * (k + 0.5) / steps;
      sum += Math.cos(n * s - x * Math.sin(s));
    }
    return sum / steps;
  }

  private static double besselI0(double x) {
    int steps = 200;
    double sum = 0;
    for (int k = 0; k < steps; k++) {
      sum += Math.exp(x * Math.cos(Math.PI * (k + 0.5) / steps));
    }
    return sum / steps;
  }

  private static double besselK0(double x) {
    if (x == 0) {
      return Double.POSITIVE_INFINITY;
    }
    double step = 0.1;
    double sum = 0.5 * Math.exp(-x);
    for (double s = step; x * Math.cosh(s) < 745; s += step) {
      sum += Math.exp(-x * Math.cosh(s));
    }
    return sum * step;
  }

  private static double besselY0(double x) {
    if (x == 0) {
      return Double.NEGATIVE_INFINITY;
    }
    double sum = 0;
    for (int k = 1; k < 30; k++) {
      sum += (k % 2 == 1 ? 1 : -1) * besselJ(2 * k, x) / k;
    }
    double gamma = 0.5772156649015329;
    return 2 / Math.PI * (Math.log(x / 2) + gamma) * besselJ(0, x) + 4 / Math.PI * sum;
  }

  // Section 8.

  private static float[][] trellis(ByteBuffer in, int body, int rows, int cols) {
    int bits = in.get(body + 16);
    int law = in.get(body + 17);
    int kappa = in.get(body + 18) & 0xFF;
    int blockRows = 1 << in.get(body + 19);
    int blockCols = 1 << in.get(body + 20);
    boolean byRows = in.get(body + 23) == 1;
    int panels = in.getInt(body + 24);
    boolean permuted = in.get(body + 28) == 1;
    int at = body + 32 + 8 * panels;
    float[] rowScale = scales(in, at, in.get(body + 21), rows);
    at += scaleBytes(in.get(body + 21), rows);
    float[] colScale = scales(in, at, in.get(body + 22), cols);
    at += scaleBytes(in.get(body + 22), cols);
    int lines = byRows ? rows : cols;
    int[] permutation = new int[lines];
    for (int i = 0; i < lines; i++) {
      permutation[i] = permuted ? in.getInt(at + 4 * i) : i;
    }
    if (permuted) {
      at += 4 * lines;
    }

    int[] psi = psi(bits, law, kappa);
    int[] phi = phi(bits);
    long[][] q = new long[rows][cols];
    for (int row = 0; row < rows; row++) {
      int first = 0;
      for (int p = 0; p < panels; p++) {
        int length = in.getInt(body + 32 + 8 * p);
        int rate = in.get(body + 32 + 8 * p + 4);
        if (byRows) {
          if (row >= first && row < first + length) {
            at = segment(in, at, 0, cols, rate, bits, psi, phi, q[row]);
          }
        } else {
          at = segment(in, at, first, length, rate, bits, psi, phi, q[row]);
        }
        first += length;
      }
    }

    float[][] view = new float[rows][cols];
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) {
        int top = i - i % blockRows;
        int left = j - j % blockCols;
        long z = 0;
        for (int a = 0; a < blockRows; a++) {
          for (int b = 0; b < blockCols; b++) {
            int sign = Integer.bitCount((i - top) & a) + Integer.bitCount((j - left) & b);
            z += (sign % 2 == 0 ? 1 : -1) * q[top + a][left + b];
          }
        }
        float v = ((float) (int) z * rowScale[i]) * colScale[j];
        view[byRows ? permutation[i] : i][byRows ? j : permutation[j]] = v;
      }
    }
    return view;
  }

  /** Section 8.2; returns the offset after the segment. */
  private static int segment(
      ByteBuffer in,
      int at,
      int first,
      int n,
      int k,
      int bits,
      int[] psi,
      int[] phi,
      long[] codes) {
    for (int t = 0; t < n; t++) {
      if (k == 0) {
        codes[first + t] = 0;
        continue;
      }
      int state = 0;
      for (int b = (t + 1) * k - bits; b < (t + 1) * k; b++) {
        int bit = b < 0 ? 0 : in.get(at + b / 8) >> (7 - b % 8) & 1;
        state = 2 * state + bit;
      }
      codes[first + t] = code(state, bits, psi, phi);
    }
    return at + (n * k + 7) / 8;
  }

  /** Section 8.3. */
  static int code(int state, int bits, int[] psi, int[] phi) {
    int rBits = bits / 2;
    int aBits = bits - rBits;
    long modulus = 1L << bits;
    long h = state * multipliers(bits)[0] % modulus;
    h = h ^ (h >> (rBits - 1));
    h = h * multipliers(bits)[1] % modulus;
    h = h ^ (h >> rBits);
    int i = (int) (h >> aBits);
    int a = (int) (h % (1L << aBits));
    return (int) Math.floorDiv((long) psi[i] * phi[a] + (1 << 14), 1L << 15);
  }

  private static long[] multipliers(int bits) {
    return switch (bits) {
      case 12 -> new long[] {0x3FF, 0x5B7};
      case 16 -> new long[] {0x5FFD, 0xFE1B};
      default -> new long[] {0x2C1B3C6D, 0x297A2D39};
    };
  }

  /** The real numbers that psi rounds, before the cap. */
  static double[] realPsi(int bits, int law, int kappa) {
    int n = 1 << (bits / 2);
    double[] radius = new double[n];
    double squares = 0;
    for (int i = 0; i < n; i++) {
      double u = (i + 0.5) / n;
      if (law == 0) {
        radius[i] = Math.sqrt(-2 * Math.log1p(-u));
      } else {
        double x = kappa / 256.0 * Math.sqrt(u);
        radius[i] = (Math.log1p(x) - Math.log1p(-x)) / 2;
      }
      squares += radius[i] * radius[i];
    }
    double g = law == 0 ? 1 : Math.sqrt(2 / (squares / n));
    for (int i = 0; i < n; i++) {
      radius[i] *= 4096 * g;
    }
    return radius;
  }

  /** The real numbers that phi rounds. */
  static double[] realPhi(int bits) {
    int n = 1 << (bits - bits / 2);
    double[] cosine = new double[n];
    for (int a = 0; a < n; a++) {
      cosine[a] = 32767 * Math.cos(2 * Math.PI * (a + 0.25) / n);
    }
    return cosine;
  }

  static int[] psi(int bits, int law, int kappa) {
    return Arrays.stream(realPsi(bits, law, kappa))
        .mapToInt(x -> (int) Math.min(16383, Math.round(x)))
        .toArray();
  }

  static int[] phi(int bits) {
    return Arrays.stream(realPhi(bits)).mapToInt(x -> (int) Math.round(x)).toArray();
  }

  // Section 8.6.

  private static int scaleBytes(int kind, int n) {
    int bytes =
        switch (kind) {
          case 0 -> 4;
          case 1 -> 4 * n;
          case 2 -> 4 + 2 * n;
          case 3 -> 4 + n;
          default -> 4 + (n + 7) / 8;
        };
    return (bytes + 3) / 4 * 4;
  }

  private static float[] scales(ByteBuffer in, int at, int kind, int n) {
    float[] out = new float[n];
    for (int i = 0; i < n; i++) {
      switch (kind) {
        case 0 -> out[i] = in.getFloat(at);
        case 1 -> out[i] = in.getFloat(at + 4 * i);
        case 2 -> out[i] = (float) (half(in.getShort(at + 4 + 2 * i)) * Math.pow(2, in.get(at)));
        case 3 -> {
          int v = in.get(at + 4 + i) & 0x7F;
          double magnitude = v == 0 ? 0 : (16 + v % 16) * Math.pow(2, v >> 4);
          double sign = in.get(at + 4 + i) < 0 ? -1 : 1;
          out[i] = (float) (sign * magnitude * Math.pow(2, in.get(at)));
        }
        default -> {
          boolean negated = (in.get(at + 4 + i / 8) >> (7 - i % 8) & 1) == 1;
          out[i] = negated ? -in.getFloat(at) : in.getFloat(at);
        }
      }
    }
    return out;
  }

  /** IEEE 754 binary16 by its definition. */
  static double half(short bits) {
    int exponent = bits >> 10 & 0x1F;
    int fraction = bits & 0x3FF;
    double magnitude =
        exponent == 0
            ? fraction * Math.pow(2, -24)
            : (1024 + fraction) * Math.pow(2, exponent - 25);
    return bits < 0 ? -magnitude : magnitude;
  }

  // Section 9.

  private static byte[] element(float value, int dtype) {
    Bytes out = new Bytes();
    switch (dtype) {
      case 1 -> out.f32(value);
      case 2 -> out.u16(narrow(value, 10, 5));
      case 3 -> out.u16(narrow(value, 7, 8));
      case 4 -> out.u64(Double.doubleToRawLongBits(value));
      default -> throw new IllegalArgumentException("element type " + dtype);
    }
    return out.toArray();
  }

  /** The nearest number with so many bits of fraction and exponent, as 16 bits. */
  static int narrow(float value, int fractionBits, int exponentBits) {
    int sign = Float.floatToRawIntBits(value) < 0 ? 0x8000 : 0;
    int bias = (1 << (exponentBits - 1)) - 1;
    int infinity = ((1 << exponentBits) - 1) << fractionBits;
    double magnitude = Math.abs((double) value);
    if (Double.isInfinite(magnitude)) {
      return sign | infinity;
    }
    int exponent = Math.max(magnitude == 0 ? 1 - bias : Math.getExponent(magnitude), 1 - bias);
    double unit = Math.pow(2, exponent - fractionBits);
    long units = (long) Math.rint(magnitude / unit);
    if (units == 2L << fractionBits) {
      exponent++;
      units /= 2;
    }
    if (exponent > bias) {
      return sign | infinity;
    }
    if (units < 1L << fractionBits) {
      return sign | (int) units;
    }
    return sign | (exponent + bias) << fractionBits | (int) (units - (1L << fractionBits));
  }
}
