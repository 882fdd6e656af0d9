package io.pseed.codec;

import io.pseed.codec.poincare.PoincareDecoder;
import io.pseed.codec.poincare.PoincareTiles;
import io.pseed.format.CorruptException;
import io.pseed.format.LayerSeed;
import io.pseed.format.TensorRecord;
import io.pseed.format.View;
import java.nio.ByteBuffer;

/**
 * What Poincaré seeds contribute to a record: its layer seed, its tiles, or both (specification,
 * sections 7 and 9).
 */
final class PoincarePart {
  private final TensorRecord record;
  private final View view;
  private final LayerSeed layer;
  private final PoincareTiles tiles;

  private PoincarePart(TensorRecord record, View view, PoincareTiles tiles) {
    this.record = record;
    this.view = view;
    this.layer = record.layerSeed();
    this.tiles = tiles;
  }

  /** The part of a record of codec poincare. */
  static PoincarePart ofBody(TensorRecord record, View view) throws CorruptException {
    ByteBuffer body = record.body().position(View.LENGTH);
    PoincareTiles tiles;
    try {
      tiles = PoincareTiles.read(body, view.rows(), view.cols());
    } catch (CorruptException e) {
      throw inPlace(record, e);
    }
    boolean tiled = tiles.tileRows() > 0;
    if (!tiled && !record.layerSeed().isPresent()) {
      throw record.corruptBody(View.LENGTH, "body", "without layer seed and tiles", "one of them");
    }
    return new PoincarePart(record, view, tiled ? tiles : null);
  }

  /** The layer seed of a record of another codec, or null where it has none. */
  static PoincarePart ofLayer(TensorRecord record, View view) {
    return record.layerSeed().isPresent() ? new PoincarePart(record, view, null) : null;
  }

  /**
   * Adds this part to one row: layer seed first, then the body, each sum rounded once.
   *
   * @param row of the view
   * @param values C of them from {@code at}: the body's part where {@code hasBody}
   */
  void addRow(int row, float[] values, int at, boolean hasBody) throws CorruptException {
    try {
      if (tiles != null) {
        tiles.fill(row, row + 1, values, at);
      }
      if (!layer.isPresent()) {
        return;
      }
      if (tiles != null || hasBody) {
        PoincareDecoder.add(
            layer.seed(),
            layer.amplitude(),
            layer.shift(),
            view.rows(),
            view.cols(),
            row,
            row + 1,
            values,
            at);
      } else {
        PoincareDecoder.fill(
            layer.seed(),
            layer.amplitude(),
            layer.shift(),
            view.rows(),
            view.cols(),
            row,
            row + 1,
            values,
            at);
      }
    } catch (CorruptException e) {
      throw inPlace(record, e);
    }
  }

  private static CorruptException inPlace(TensorRecord record, CorruptException e) {
    return new CorruptException(
        String.format(
            "%s: %s (record at file offset %d)",
            record.place().label(), e.getMessage(), record.place().offset()),
        e);
  }
}
