package io.pseed.converter.encode;

import io.pseed.codec.poincare.PoincareDecoder;
import io.pseed.codec.poincare.PoincareTiles;
import io.pseed.converter.encode.poincare.FittedSeed;
import io.pseed.converter.encode.poincare.MatrixRows;
import io.pseed.converter.encode.poincare.PoincareSearch;
import io.pseed.converter.encode.poincare.ShapeTotals;
import io.pseed.format.LayerSeed;
import io.pseed.format.View;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Decides whether a layer seed pays. Its 16 bytes stand in every record, so any gain would be free
 * in the file; but it costs time at each load and cannot be folded by a plain ONNX Runtime, so it
 * must take {@link #WORTH} of the layer's energy away.
 */
final class LayerSeedSearch {
  /**
   * 2 % of the energy: 0.09 dB, what 0.015 bits a weight would buy. Random matrices of 4096 weights
   * never reach it.
   */
  static final double WORTH = 0.02;

  /**
   * A layer's seed.
   *
   * @param seed the seed, or {@link LayerSeed#NONE}
   * @param enough whether the seed alone has no more error than the trellis would have
   */
  record Fit(LayerSeed seed, boolean enough) {
    static final Fit NONE = new Fit(LayerSeed.NONE, false);

    /** What is left for the trellis. */
    WeightMatrix residual(WeightMatrix matrix) {
      if (!seed.isPresent()) {
        return matrix;
      }
      return new WeightMatrix(matrix.rows(), matrix.cols()) {
        @Override
        public void read(int first, int count, float[] out) throws IOException {
          matrix.read(first, count, out);
          float[] layer = new float[Math.multiplyExact(count, cols())];
          PoincareDecoder.fill(
              seed.seed(),
              seed.amplitude(),
              seed.shift(),
              rows(),
              cols(),
              first,
              first + count,
              layer,
              0);
          for (int i = 0; i < layer.length; i++) {
            out[i] -= layer[i];
          }
        }
      };
    }

    /** The body of a record that has the seed and nothing else. */
    ByteBuffer body(View view) {
      PoincareTiles none = PoincareTiles.none(view.rows(), view.cols());
      ByteBuffer body =
          ByteBuffer.allocate(View.LENGTH + (int) none.bytes()).order(ByteOrder.LITTLE_ENDIAN);
      view.write(body);
      none.write(body);
      return body.flip();
    }
  }

  /** Who makes the sums over a matrix: the CPU or a device. */
  interface Summation {
    ShapeTotals totals(MatrixRows matrix) throws IOException;
  }

  /**
   * The best seed, if it is worth its time.
   *
   * @param bits rate of the trellis that would code the matrix
   * @param summation makes the sums that rank shapes
   */
  Fit find(WeightMatrix matrix, double bits, Summation summation) throws IOException {
    Optional<FittedSeed> found;
    try {
      MatrixRows rows = rows(matrix);
      found = PoincareSearch.improve(rows, summation.totals(rows), WORTH);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    if (found.isEmpty()) {
      return Fit.NONE;
    }
    double left = 1 - found.get().relativeEnergyReduction();
    LayerSeed seed =
        new LayerSeed(found.get().seed(), found.get().amplitude(), found.get().shift());
    return new Fit(seed, left <= StrictMath.pow(2, -2 * bits));
  }

  /** The matrix row by row, in bands that are read once. */
  private static MatrixRows rows(WeightMatrix matrix) {
    return new MatrixRows() {
      private final int step = Math.max(1, (1 << 18) / matrix.cols());
      private final float[] band = new float[Math.min(step, matrix.rows()) * matrix.cols()];
      private int first = -1;

      @Override
      public int rows() {
        return matrix.rows();
      }

      @Override
      public int cols() {
        return matrix.cols();
      }

      @Override
      public void row(int r, float[] dst) {
        if (first < 0 || r < first || r >= first + step) {
          first = r - r % step;
          try {
            matrix.read(first, Math.min(step, matrix.rows() - first), band);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        }
        System.arraycopy(band, (r - first) * matrix.cols(), dst, 0, matrix.cols());
      }
    };
  }
}
