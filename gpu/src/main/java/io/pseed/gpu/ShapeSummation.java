package io.pseed.gpu;

import io.pseed.converter.encode.poincare.MatrixRows;
import io.pseed.converter.encode.poincare.ShapeGeometry;
import io.pseed.converter.encode.poincare.ShapeTotals;
import java.util.Optional;
import java.util.SplittableRandom;
import jcuda.Pointer;

/**
 * The sums over a matrix by which shapes for a layer seed are ranked, on a device: the kernels of
 * {@code poincare_sums.cu}. The first use compares a small matrix's with the CPU's.
 */
final class ShapeSummation {
  /** Smaller matrices are left to the CPU, which has done them before they are uploaded. */
  private static final long LEAST_WEIGHTS = 1 << 16;

  /** Threads of a block where any number does. */
  private static final int THREADS = 128;

  /** Of {@code pseed_poincare_linear}. */
  private static final int LINEAR_THREADS = 256;

  private final CudaDevice device;
  private boolean checked;

  ShapeSummation(CudaDevice device) {
    this.device = device;
  }

  /** The sums; empty where the CPU is better, or memory is too small. */
  Optional<ShapeTotals> totals(MatrixRows matrix) throws CudaFailure, InterruptedException {
    if ((long) matrix.rows() * matrix.cols() < LEAST_WEIGHTS) {
      return Optional.empty();
    }
    Layout layout = new Layout(matrix);
    if (layout.bytes > device.arena().limit()) {
      return Optional.empty();
    }
    check();
    return Optional.of(run(layout));
  }

  private synchronized void check() throws CudaFailure, InterruptedException {
    if (checked) {
      return;
    }
    int rows = 37;
    int cols = 41;
    SplittableRandom random = new SplittableRandom(1);
    float[] weights = new float[rows * cols];
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (random.nextDouble() - 0.5);
    }
    MatrixRows matrix = MatrixRows.of(weights, rows, cols);
    if (!run(new Layout(matrix)).sameBits(ShapeTotals.of(matrix))) {
      throw new CudaFailure(
          "finds other sums than the CPU in a test, so its driver or its memory is not to be"
              + " trusted");
    }
    checked = true;
  }

  /** What lies where in a slice of memory. */
  private static final class Layout {
    final MatrixRows matrix;
    final ShapeGeometry geometry;
    final int cells;
    final long ofCells;
    final long energies;
    final long fields;
    final long order;
    final long starts;
    final long chains;
    final long bins;
    final long bytes;

    Layout(MatrixRows matrix) {
      this.matrix = matrix;
      geometry = ShapeGeometry.of(matrix.rows(), matrix.cols());
      cells = geometry.bins().length;
      ofCells = SearchLayout.round256(4L * matrix.rows() * matrix.cols());
      energies = ofCells + SearchLayout.round256(8L * cells);
      fields = energies + SearchLayout.round256(8L * matrix.rows());
      order = fields + SearchLayout.round256(8L * geometry.cells().length);
      starts = order + SearchLayout.round256(4L * cells);
      chains = starts + SearchLayout.round256(4L * (ShapeGeometry.BINS + 1));
      bins = chains + SearchLayout.round256(8L * ShapeTotals.CHAINS);
      bytes = bins + 8L * ShapeTotals.BIN_SUMS * ShapeGeometry.BINS;
    }
  }

  private ShapeTotals run(Layout layout) throws CudaFailure, InterruptedException {
    CudaDevice.Lane lane = device.lane();
    try {
      DeviceArena.Slice<DevicePointer> slice = device.arena().take(layout.bytes, layout.bytes);
      try {
        upload(layout, lane, slice);
        launch(layout, lane, slice.memory().address() + slice.offset());
        return new ShapeTotals(
            doubles(lane, slice, layout.energies, layout.matrix.rows()),
            doubles(lane, slice, layout.chains, ShapeTotals.CHAINS),
            doubles(lane, slice, layout.bins, ShapeTotals.BIN_SUMS * ShapeGeometry.BINS));
      } finally {
        lane.settle();
        device.arena().give(slice);
      }
    } finally {
      device.giveBack(lane);
    }
  }

  private static void upload(
      Layout layout, CudaDevice.Lane lane, DeviceArena.Slice<DevicePointer> slice)
      throws CudaFailure {
    MatrixRows matrix = layout.matrix;
    int cols = matrix.cols();
    float[] row = new float[cols];
    int[] read = {-1};
    lane.upload(
        slice,
        0,
        4L * matrix.rows() * cols,
        (to, at) -> {
          while (to.hasRemaining()) {
            long weight = (at + to.position()) / 4;
            int r = (int) (weight / cols);
            if (r != read[0]) {
              matrix.row(r, row);
              read[0] = r;
            }
            int column = (int) (weight % cols);
            int n = Math.min(cols - column, to.remaining() / 4);
            to.asFloatBuffer().put(row, column, n);
            to.position(to.position() + 4 * n);
          }
        });
    double[] fields = layout.geometry.cells();
    lane.upload(
        slice,
        layout.fields,
        8L * fields.length,
        (to, at) -> to.asDoubleBuffer().put(fields, (int) (at / 8), to.remaining() / 8));
    int[] starts = starts(layout.geometry.bins());
    ints(lane, slice, layout.order, order(layout.geometry.bins(), starts));
    ints(lane, slice, layout.starts, starts);
  }

  /** Where each bin's cells begin among the cells by bin, and their number. */
  private static int[] starts(int[] bins) {
    int[] starts = new int[ShapeGeometry.BINS + 1];
    for (int bin : bins) {
      starts[(bin & Integer.MAX_VALUE) + 1]++;
    }
    for (int b = 0; b < ShapeGeometry.BINS; b++) {
      starts[b + 1] += starts[b];
    }
    return starts;
  }

  /** The cells by bin, ascending in each; with the sign bit where the angle was turned. */
  private static int[] order(int[] bins, int[] starts) {
    int[] next = starts.clone();
    int[] order = new int[bins.length];
    for (int cell = 0; cell < bins.length; cell++) {
      order[next[bins[cell] & Integer.MAX_VALUE]++] = cell | (bins[cell] & Integer.MIN_VALUE);
    }
    return order;
  }

  private static void ints(
      CudaDevice.Lane lane, DeviceArena.Slice<DevicePointer> slice, long offset, int[] values)
      throws CudaFailure {
    lane.upload(
        slice,
        offset,
        4L * values.length,
        (to, at) -> to.asIntBuffer().put(values, (int) (at / 4), to.remaining() / 4));
  }

  private void launch(Layout layout, CudaDevice.Lane lane, long base) throws CudaFailure {
    Pointer weights = address(base);
    Pointer cells = address(base + layout.ofCells);
    Pointer fields = address(base + layout.fields);
    Pointer rows = number(layout.matrix.rows());
    Pointer cols = number(layout.matrix.cols());
    Pointer count = number(layout.cells);
    launch(
        lane,
        "pseed_poincare_cells",
        blocks(layout.cells),
        THREADS,
        Pointer.to(
            weights,
            rows,
            cols,
            number(layout.geometry.gridRows()),
            number(layout.geometry.gridCols()),
            cells));
    launch(
        lane,
        "pseed_poincare_energy",
        blocks(layout.matrix.rows()),
        THREADS,
        Pointer.to(weights, rows, cols, address(base + layout.energies)));
    launch(
        lane,
        "pseed_poincare_linear",
        1,
        LINEAR_THREADS,
        Pointer.to(cells, fields, count, address(base + layout.chains)));
    launch(
        lane,
        "pseed_poincare_bins",
        blocks(ShapeGeometry.BINS),
        THREADS,
        Pointer.to(
            cells,
            fields,
            count,
            address(base + layout.order),
            address(base + layout.starts),
            address(base + layout.bins)));
    lane.await(1);
  }

  private void launch(
      CudaDevice.Lane lane, String kernel, int blocks, int threads, Pointer parameters)
      throws CudaFailure {
    lane.launch(0, device.function("poincare_sums", kernel), blocks, threads, 0, parameters);
  }

  private static int blocks(int count) {
    return (count + THREADS - 1) / THREADS;
  }

  private static Pointer address(long address) {
    return Pointer.to(new long[] {address});
  }

  private static Pointer number(int value) {
    return Pointer.to(new int[] {value});
  }

  private static double[] doubles(
      CudaDevice.Lane lane, DeviceArena.Slice<DevicePointer> slice, long offset, int count)
      throws CudaFailure {
    double[] values = new double[count];
    lane.download(
        slice,
        offset,
        8L * count,
        (from, at) -> from.asDoubleBuffer().get(values, (int) (at / 8), from.remaining() / 8));
    return values;
  }
}
