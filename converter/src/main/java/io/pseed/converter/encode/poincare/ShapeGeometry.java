package io.pseed.converter.encode.poincare;

import io.pseed.codec.poincare.BesselFunctions;
import io.pseed.codec.poincare.PoincareGenerator;
import java.lang.ref.SoftReference;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What the search for a layer seed needs of a matrix's size alone: the values of all shapes at its
 * places, and sums of their squares. Transcendental functions are nearly all of the search's work,
 * and layers share few sizes, so geometries are kept: those used last, of up to {@value
 * #KEPT_PLACES} places (about 90 MB), as long as memory lasts.
 */
public final class ShapeGeometry {
  /** Places up to which a matrix is taken place by place; a larger one is averaged over blocks. */
  static final int LARGEST_EXACT = 1 << 18;

  /** Lines of a grid of averages that is limited in both directions. */
  private static final int SIDE = 1 << 9;

  /** Angular bins in [0, pi). */
  public static final int BINS = 1 << 13;

  /**
   * Where the first bin starts, in bins: off the angles that rows, columns and diagonals have, so
   * that a line through the centre does not hit places.
   */
  static final double BIN_OFFSET = 0.381966;

  /** Curvatures 2^-4 to 2^3. */
  public static final int CURVATURES = 8;

  /** Linear shapes: bases 0 to 3, basis 10 by curvature, basis 11. */
  public static final int LINEAR = CURVATURES + 2;

  /** Fields of a cell: cosine and sine of its angle. */
  static final int COS = 0;

  static final int SIN = 1;

  /** Bases 4 to 7; 0 where they have no value. */
  static final int BESSEL = 2;

  /** Basis 11: the values for a turn by nothing and by a quarter of its period. */
  static final int COS5 = 6;

  static final int SIN5 = 7;

  /** exp(-radius / 16), whose repeated squares are those of the larger curvatures. */
  static final int DECAY = 8;

  /** The angle over pi, in [0, 1) from the first bin's start. */
  static final int ANGLE = 9;

  /** Numbers of a cell. */
  public static final int FIELDS = 10;

  private static final int KEPT_PLACES = 1 << 20;

  private record Size(int rows, int cols) {}

  /** In the order of their last use. */
  private static final Map<Size, Kept> CACHE = new LinkedHashMap<>(16, 0.75f, true);

  /** One geometry, made by the first that asks while others for it wait. */
  private static final class Kept {
    private final Size size;
    private SoftReference<ShapeGeometry> made = new SoftReference<>(null);

    private Kept(Size size) {
      this.size = size;
    }

    private synchronized ShapeGeometry get() {
      ShapeGeometry geometry = made.get();
      if (geometry == null) {
        geometry = new ShapeGeometry(size.rows, size.cols);
        made = new SoftReference<>(geometry);
      }
      return geometry;
    }

    private long places() {
      long cells = (long) gridRows(size.rows, size.cols) * gridRows(size.cols, size.rows);
      // The sums of the bins take as much as some 2^14 places.
      return cells + (1 << 14);
    }
  }

  private final int rows;
  private final int cols;
  private final int gridRows;
  private final int gridCols;
  private final double[] cells;

  /** Per cell its bin, and the sign bit if the angle was turned by half a turn. */
  private final int[] bins;

  /** Per linear shape the Gram matrix of its halves: cos cos, cos sin, sin sin. */
  private final double[][] gram = new double[LINEAR][3];

  private final double[] besselSquares = new double[4];
  private final double[] stepSquares = new double[CURVATURES];

  /** Per curvature and bin: sums of s^2, s^2 v, s^2 v^2; v is the angle over pi. */
  private final double[][] waveSquares = new double[CURVATURES][3 * BINS];

  private ShapeGeometry(int rows, int cols) {
    this.rows = rows;
    this.cols = cols;
    gridRows = gridRows(rows, cols);
    gridCols = gridRows(cols, rows);
    int count = Math.multiplyExact(gridRows, gridCols);
    cells = new double[FIELDS * count];
    bins = new int[count];
    int cell = 0;
    for (int a = 0; a < gridRows; a++) {
      int top = rowEdge(a);
      int bottom = rowEdge(a + 1);
      double y = centre(top, bottom, rows);
      for (int b = 0; b < gridCols; b++, cell++) {
        int left = colEdge(b);
        int right = colEdge(b + 1);
        set(cell, centre(left, right, cols), y, (double) (bottom - top) * (right - left));
      }
    }
  }

  /** The geometry of a size, made or kept. */
  public static ShapeGeometry of(int rows, int cols) {
    Kept kept;
    synchronized (CACHE) {
      Size size = new Size(rows, cols);
      kept = CACHE.computeIfAbsent(size, Kept::new);
      long places = 0;
      for (Kept each : CACHE.values()) {
        places += each.places();
      }
      for (Iterator<Kept> each = CACHE.values().iterator(); places > KEPT_PLACES; ) {
        places -= each.next().places();
        each.remove();
      }
    }
    return kept.get();
  }

  /** Cells along one side of a matrix, given its other side; of columns, with the two swapped. */
  private static int gridRows(int side, int other) {
    boolean exact = (long) side * other <= LARGEST_EXACT;
    return exact ? side : Math.min(side, Math.max(SIDE, LARGEST_EXACT / other));
  }

  private static double centre(int from, int to, int count) {
    return count == 1 ? 0 : ((double) from + to - count) / (count - 1.0);
  }

  private static int edge(int cell, int count, int cells) {
    return (int) ((long) cell * count / cells);
  }

  private void set(int cell, double x, double y, double count) {
    int at = FIELDS * cell;
    double rho = Math.sqrt(x * x + y * y);
    double radius = Math.min(rho, PoincareGenerator.LARGEST_LOCAL_RADIUS);
    double cos = rho == 0 ? 1 : x / rho;
    double sin = rho == 0 ? 0 : y / rho;
    cells[at + COS] = cos;
    cells[at + SIN] = sin;
    addGram(0, count, cos, sin);

    double x10 = 10 * radius;
    setBessel(at, 0, count, BesselFunctions.j0(x10));
    setBessel(at, 1, count, BesselFunctions.i0(x10));
    if (radius > 0) {
      setBessel(at, 2, count, BesselFunctions.k0(x10));
      setBessel(at, 3, count, BesselFunctions.y0(x10));
    }

    double gauss = StrictMath.exp(-2.5 * radius * radius);
    double cos2 = cos * cos;
    double sin2 = sin * sin;
    cells[at + COS5] = gauss * cos * (5 + cos2 * (16 * cos2 - 20));
    cells[at + SIN5] = gauss * sin * (5 + sin2 * (16 * sin2 - 20));
    addGram(LINEAR - 1, count, cells[at + COS5], cells[at + SIN5]);

    // The angle in [0, pi) from the first bin's start; flipped counts the half turns left out.
    double v = StrictMath.atan2(y, x) / Math.PI;
    boolean flipped = v < 0;
    v = (flipped ? v + 1 : v) - BIN_OFFSET / BINS;
    if (v < 0) {
      v += 1;
      flipped = !flipped;
    } else if (v >= 1) {
      v -= 1;
      flipped = !flipped;
    }
    int bin = Math.min(BINS - 1, (int) (v * BINS));
    cells[at + ANGLE] = v;
    bins[cell] = flipped ? bin | Integer.MIN_VALUE : bin;

    // exp(-c radius) for the smallest curvature, then squared again and again.
    double decay = StrictMath.exp(-radius / 16);
    cells[at + DECAY] = decay;
    for (int k = 0; k < CURVATURES; k++) {
      addGram(1 + k, count, decay * cos, decay * sin);
      double squared = decay * decay;
      double divided = 1 / (1 + squared);
      double tanh = (1 - squared) * divided;
      stepSquares[k] += count * tanh * tanh;
      double sech = 2 * decay * divided;
      double ss = count * sech * sech;
      double[] squares = waveSquares[k];
      squares[3 * bin] += ss;
      squares[3 * bin + 1] += ss * v;
      squares[3 * bin + 2] += ss * v * v;
      decay = squared;
    }
  }

  private void addGram(int shape, double count, double cos, double sin) {
    gram[shape][0] += count * cos * cos;
    gram[shape][1] += count * cos * sin;
    gram[shape][2] += count * sin * sin;
  }

  private void setBessel(int at, int k, double count, double f) {
    cells[at + BESSEL + k] = f;
    besselSquares[k] += count * f * f;
  }

  /** Whether each place is a cell. */
  boolean exact() {
    return (long) rows * cols <= LARGEST_EXACT;
  }

  /** Rows of cells. */
  public int gridRows() {
    return gridRows;
  }

  /** Columns of cells. */
  public int gridCols() {
    return gridCols;
  }

  /** The first row of a row of cells; of the one behind the last, the number of rows. */
  int rowEdge(int a) {
    return edge(a, rows, gridRows);
  }

  int colEdge(int b) {
    return edge(b, cols, gridCols);
  }

  /** {@link #FIELDS} numbers a cell, row after row of cells. Not to be changed. */
  public double[] cells() {
    return cells;
  }

  /** Per cell its bin, and the sign bit if its angle was turned by half a turn. */
  public int[] bins() {
    return bins;
  }

  double[] gram(int shape) {
    return gram[shape];
  }

  double besselSquares(int k) {
    return besselSquares[k];
  }

  double stepSquares(int k) {
    return stepSquares[k];
  }

  double[] waveSquares(int k) {
    return waveSquares[k];
  }
}
