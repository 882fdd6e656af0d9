package io.pseed.codec.poincare;

import io.pseed.format.CorruptException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/**
 * The grid of tiles of a {@code poincare} record (specification, section 7): each tile is a matrix
 * of its own with its own seed. A view without tiles is a grid of tileRows = tileCols = 0.
 *
 * <pre>
 *  offset in the body (after the 16 bytes of the view)
 *  16            20            24
 *  +-------------+-------------+--------------------------------------------+-- - -
 *  | tileRows u32| tileCols u32| seed u64 | amplitude f32 | shift i8 | 0 0 0 | next tile
 *  +-------------+-------------+--------------------------------------------+-- - -
 * </pre>
 *
 * @param rows rows of the view, at least 1
 * @param cols columns of the view, at least 1
 * @param tileRows rows of a tile, 1 to rows; 0 if there are no tiles
 * @param tileCols columns of a tile, 1 to cols; 0 if there are no tiles
 * @param tiles row after row of tiles; those at the right and bottom edge may be smaller
 */
public record PoincareTiles(int rows, int cols, int tileRows, int tileCols, List<Tile> tiles) {
  /** Bytes of the two sizes. */
  public static final int HEAD_BYTES = 8;

  /** Bytes of one tile. */
  public static final int TILE_BYTES = 16;

  /**
   * One tile.
   *
   * @param seed its seed; 0: the tile is all zeros
   * @param amplitude weight of code 1; +0 if the seed is 0
   * @param shift scale of the codes; 0 if the seed is 0
   */
  public record Tile(long seed, float amplitude, int shift) {
    /** A tile of zeros. */
    public static final Tile ZERO = new Tile(0, 0f, 0);

    /**
     * Checks the tile.
     *
     * @throws IllegalArgumentException if the amplitude is not finite, the shift out of range, or
     *     one of them not 0 with seed 0
     */
    public Tile {
      boolean inRange =
          Float.isFinite(amplitude)
              && shift >= PoincareCodes.MIN_SHIFT
              && shift <= PoincareCodes.MAX_SHIFT;
      boolean zero = Float.floatToRawIntBits(amplitude) == 0 && shift == 0;
      if (!inRange || (seed == 0 && !zero)) {
        throw new IllegalArgumentException(
            "tile with seed 0x%016X has amplitude %s and shift %d, expected a finite one and %d to %d; +0 and 0 for seed 0"
                .formatted(
                    seed, amplitude, shift, PoincareCodes.MIN_SHIFT, PoincareCodes.MAX_SHIFT));
      }
    }
  }

  /**
   * Checks the grid.
   *
   * @throws IllegalArgumentException if sizes or the number of tiles do not fit
   */
  public PoincareTiles {
    tiles = List.copyOf(tiles);
    if (rows < 1 || cols < 1) {
      throw new IllegalArgumentException(
          "view is %d x %d, expected at least 1 x 1".formatted(rows, cols));
    }
    String trouble = sizeTrouble(rows, cols, tileRows, tileCols);
    if (trouble != null) {
      throw new IllegalArgumentException(trouble);
    }
    long expected = count(rows, cols, tileRows, tileCols);
    if (tiles.size() != expected) {
      throw new IllegalArgumentException(
          "grid has %d tiles, expected %d".formatted(tiles.size(), expected));
    }
  }

  /** A view without tiles. */
  public static PoincareTiles none(int rows, int cols) {
    return new PoincareTiles(rows, cols, 0, 0, List.of());
  }

  /** What is wrong with the sizes, or null. */
  private static String sizeTrouble(int rows, int cols, long tileRows, long tileCols) {
    if (tileRows < 0 || tileRows > rows) {
      return "tileRows is %d, expected 0 to %d".formatted(tileRows, rows);
    }
    if (tileCols < 0 || tileCols > cols) {
      return "tileCols is %d, expected 0 to %d".formatted(tileCols, cols);
    }
    if ((tileRows == 0) != (tileCols == 0)) {
      return "tileRows is %d and tileCols %d, expected both or none to be 0"
          .formatted(tileRows, tileCols);
    }
    return null;
  }

  private static long count(int rows, int cols, int tileRows, int tileCols) {
    return tileRows == 0 ? 0 : ceilDiv(rows, tileRows) * ceilDiv(cols, tileCols);
  }

  private static long ceilDiv(int a, int b) {
    return (a + (long) b - 1) / b;
  }

  /**
   * Reads a grid from the rest of a record's body.
   *
   * @param body from offset 16 of the body to its end; nothing may be left after the tiles. Read
   *     little-endian whatever its order; its position moves to the end
   * @param rows rows of the view
   * @param cols columns of the view
   * @throws CorruptException if a size, a reserved byte, an amplitude or a shift is out of range,
   *     or the bytes are too few or too many; nothing is allocated for tiles that are not there
   */
  public static PoincareTiles read(ByteBuffer body, int rows, int cols) throws CorruptException {
    ByteBuffer in = body.slice().order(ByteOrder.LITTLE_ENDIAN);
    if (in.remaining() < HEAD_BYTES) {
      throw new CorruptException(
          "poincare body has %d bytes after the view, expected at least %d"
              .formatted(in.remaining(), HEAD_BYTES));
    }
    long tileRows = Integer.toUnsignedLong(in.getInt());
    long tileCols = Integer.toUnsignedLong(in.getInt());
    String trouble = sizeTrouble(rows, cols, tileRows, tileCols);
    if (trouble != null) {
      throw new CorruptException(trouble);
    }
    long count = count(rows, cols, (int) tileRows, (int) tileCols);
    // At most 2^62 tiles: compare without multiplying.
    if (in.remaining() % TILE_BYTES != 0 || in.remaining() / TILE_BYTES != count) {
      throw new CorruptException(
          "poincare body has %d bytes of tiles, expected %d tiles of %d bytes"
              .formatted(in.remaining(), count, TILE_BYTES));
    }
    Tile[] tiles = new Tile[(int) count];
    for (int k = 0; k < tiles.length; k++) {
      tiles[k] = readTile(in, k);
    }
    body.position(body.limit());
    return new PoincareTiles(rows, cols, (int) tileRows, (int) tileCols, List.of(tiles));
  }

  private static Tile readTile(ByteBuffer in, int index) throws CorruptException {
    long seed = in.getLong();
    float amplitude = in.getFloat();
    int last = in.getInt();
    int shift = (byte) last;
    if (last >>> 8 != 0) {
      throw new CorruptException("tile %d has reserved bytes that are not 0".formatted(index));
    }
    try {
      PoincareDecoder.checkAmplitude(amplitude);
      PoincareCodes.checkShift(shift);
    } catch (CorruptException e) {
      throw new CorruptException("tile %d: %s".formatted(index, e.getMessage()), e);
    }
    if (seed == 0 && (Float.floatToRawIntBits(amplitude) != 0 || shift != 0)) {
      throw new CorruptException(
          "tile %d has seed 0 with amplitude %s and shift %d, expected +0 and 0"
              .formatted(index, amplitude, shift));
    }
    return new Tile(seed, amplitude, shift);
  }

  /** Bytes that {@link #write} writes. */
  public long bytes() {
    return HEAD_BYTES + (long) TILE_BYTES * tiles.size();
  }

  /**
   * Writes the sizes and the tiles, little-endian whatever the buffer's order.
   *
   * @throws java.nio.BufferOverflowException if fewer than {@link #bytes} remain
   */
  public void write(ByteBuffer dst) {
    ByteOrder order = dst.order();
    dst.order(ByteOrder.LITTLE_ENDIAN);
    dst.putInt(tileRows).putInt(tileCols);
    for (Tile tile : tiles) {
      dst.putLong(tile.seed()).putFloat(tile.amplitude()).putInt(tile.shift() & 0xFF);
    }
    dst.order(order);
  }

  /**
   * Writes the weights of rows [rowFrom, rowTo) of the view, row after row; zeros if there are no
   * tiles.
   *
   * @param dst receives (rowTo - rowFrom) * cols weights
   * @param offset where in dst the first one goes
   * @throws CorruptException if a code is beyond {@value PoincareCodes#LARGEST_CODE}; the message
   *     names the tile
   * @throws IndexOutOfBoundsException if the rows are not in the view or dst is too short
   */
  public void fill(int rowFrom, int rowTo, float[] dst, int offset) throws CorruptException {
    Objects.checkFromToIndex(rowFrom, rowTo, rows);
    Objects.checkFromIndexSize((long) offset, (long) (rowTo - rowFrom) * cols, (long) dst.length);
    if (tileRows == 0) {
      Arrays.fill(dst, offset, offset + (rowTo - rowFrom) * cols, 0f);
      return;
    }
    int across = (int) ceilDiv(cols, tileCols);
    for (int top = rowFrom - rowFrom % tileRows; top < rowTo; top += tileRows) {
      int height = Math.min(tileRows, rows - top);
      int from = Math.max(rowFrom, top);
      int to = Math.min(rowTo, top + height);
      for (int k = 0; k < across; k++) {
        int left = k * tileCols;
        int width = Math.min(tileCols, cols - left);
        int index = top / tileRows * across + k;
        Tile tile = tiles.get(index);
        try {
          PoincareDecoder.decode(
              tile.seed(),
              tile.amplitude(),
              tile.shift(),
              height,
              width,
              from - top,
              to - top,
              dst,
              offset + (from - rowFrom) * cols + left,
              cols,
              false);
        } catch (CorruptException e) {
          throw new CorruptException("tile %d: %s".formatted(index, e.getMessage()), e);
        }
      }
      if (height < tileRows) {
        break;
      }
    }
  }
}
