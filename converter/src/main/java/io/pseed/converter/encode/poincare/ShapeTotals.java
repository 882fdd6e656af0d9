package io.pseed.converter.encode.poincare;

import java.util.Arrays;

/**
 * The sums over a matrix by which the search for a layer seed ranks all shapes ({@code ShapeSums}
 * says what they are for). Each is made in a fixed order, row after row and cell after cell, with
 * no product and sum contracted, so that whoever makes them, the CPU or a device, gets the same
 * bits.
 */
public final class ShapeTotals {
  /**
   * Sums over all cells: for each of the {@link ShapeGeometry#LINEAR} linear shapes the cosine's
   * and the sine's half, then bases 4 to 7.
   */
  public static final int CHAINS = 2 * ShapeGeometry.LINEAR + 4;

  /** Sums of an angular bin: for each curvature w tanh, w sech, and w sech v; v is the angle. */
  public static final int BIN_SUMS = 3 * ShapeGeometry.CURVATURES;

  private final double energy;
  private final double[] chains;
  private final double[] bins;

  /**
   * Sums that were made elsewhere. Arrays are not copied.
   *
   * @param rowEnergies sums of the squared weights of each row
   * @param chains {@link #CHAINS} sums
   * @param bins {@link #BIN_SUMS} sums for each of the {@link ShapeGeometry#BINS} bins
   * @throws IllegalArgumentException if a row's energy is not finite; the message names the row
   */
  public ShapeTotals(double[] rowEnergies, double[] chains, double[] bins) {
    if (chains.length != CHAINS || bins.length != BIN_SUMS * ShapeGeometry.BINS) {
      throw new IllegalArgumentException("%d and %d sums".formatted(chains.length, bins.length));
    }
    double sum = 0;
    for (int r = 0; r < rowEnergies.length; r++) {
      if (!Double.isFinite(rowEnergies[r])) {
        throw new IllegalArgumentException(
            "row %d of the matrix has a weight that is not finite".formatted(r));
      }
      sum += rowEnergies[r];
    }
    this.energy = sum;
    this.chains = chains;
    this.bins = bins;
  }

  /**
   * One pass over a matrix.
   *
   * @throws IllegalArgumentException if a weight is not finite; the message names the row
   */
  public static ShapeTotals of(MatrixRows matrix) {
    ShapeGeometry geometry = ShapeGeometry.of(matrix.rows(), matrix.cols());
    double[] energies = new double[matrix.rows()];
    double[] chains = new double[CHAINS];
    double[] bins = new double[BIN_SUMS * ShapeGeometry.BINS];
    float[] row = new float[matrix.cols()];
    double[] sums = new double[geometry.gridCols()];
    int cell = 0;
    for (int a = 0; a < geometry.gridRows(); a++) {
      Arrays.fill(sums, 0);
      for (int r = geometry.rowEdge(a); r < geometry.rowEdge(a + 1); r++) {
        matrix.row(r, row);
        energies[r] = addRow(geometry, row, sums);
      }
      for (double sum : sums) {
        addCell(geometry, cell++, sum, chains, bins);
      }
    }
    return new ShapeTotals(energies, chains, bins);
  }

  /** Adds a row to the sums of its cells; its energy. */
  private static double addRow(ShapeGeometry geometry, float[] row, double[] sums) {
    double energy = 0;
    int to = 0;
    for (int b = 0; b < sums.length; b++) {
      int from = to;
      to = geometry.colEdge(b + 1);
      double sum = 0;
      for (int j = from; j < to; j++) {
        double w = row[j];
        sum += w;
        energy += w * w;
      }
      sums[b] += sum;
    }
    return energy;
  }

  private static void addCell(
      ShapeGeometry geometry, int cell, double w, double[] chains, double[] bins) {
    double[] cells = geometry.cells();
    int at = ShapeGeometry.FIELDS * cell;
    double cos = cells[at + ShapeGeometry.COS];
    double sin = cells[at + ShapeGeometry.SIN];
    chains[0] += w * cos;
    chains[1] += w * sin;
    for (int k = 0; k < 4; k++) {
      chains[2 * ShapeGeometry.LINEAR + k] += w * cells[at + ShapeGeometry.BESSEL + k];
    }
    chains[2 * ShapeGeometry.LINEAR - 2] += w * cells[at + ShapeGeometry.COS5];
    chains[2 * ShapeGeometry.LINEAR - 1] += w * cells[at + ShapeGeometry.SIN5];
    int turned = geometry.bins()[cell];
    int bin = BIN_SUMS * (turned & Integer.MAX_VALUE);
    double signed = turned < 0 ? -w : w;
    double v = cells[at + ShapeGeometry.ANGLE];
    double decay = cells[at + ShapeGeometry.DECAY];
    for (int k = 0; k < ShapeGeometry.CURVATURES; k++) {
      chains[2 + 2 * k] += w * (decay * cos);
      chains[3 + 2 * k] += w * (decay * sin);
      double squared = decay * decay;
      double divided = 1 / (1 + squared);
      double tanh = (1 - squared) * divided;
      bins[bin + 3 * k] += signed * tanh;
      double sech = 2 * decay * divided;
      double ws = w * sech;
      bins[bin + 3 * k + 1] += ws;
      bins[bin + 3 * k + 2] += ws * v;
      decay = squared;
    }
  }

  /** Sum of the squared weights. */
  public double energy() {
    return energy;
  }

  /** A linear shape's sum over its cosine's half (0) or sine's (1). */
  double linear(int shape, int half) {
    return chains[2 * shape + half];
  }

  /** The sum of basis 4 + k. */
  double bessel(int k) {
    return chains[2 * ShapeGeometry.LINEAR + k];
  }

  /** The sum of w tanh in a bin. */
  double step(int curvature, int bin) {
    return bins[BIN_SUMS * bin + 3 * curvature];
  }

  /** The sum of w sech in a bin. */
  double wave(int curvature, int bin) {
    return bins[BIN_SUMS * bin + 3 * curvature + 1];
  }

  /** The sum of w sech v in a bin. */
  double waveMoment(int curvature, int bin) {
    return bins[BIN_SUMS * bin + 3 * curvature + 2];
  }

  /** Whether all sums have the same bits. */
  public boolean sameBits(ShapeTotals other) {
    return Double.doubleToRawLongBits(energy) == Double.doubleToRawLongBits(other.energy)
        && Arrays.equals(chains, other.chains)
        && Arrays.equals(bins, other.bins);
  }
}
