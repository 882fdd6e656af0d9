package io.pseed.converter.encode;

import io.pseed.format.LayerSeed;
import io.pseed.format.View;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Decides whether a layer seed pays, and takes its contribution out of the matrix. Placeholder
 * until search lands.
 */
final class LayerSeedSearch {
  record Fit(LayerSeed seed, boolean enough) {
    static final Fit NONE = new Fit(LayerSeed.NONE, false);

    WeightMatrix residual(WeightMatrix matrix) {
      return matrix;
    }

    ByteBuffer body(View view) {
      ByteBuffer body = ByteBuffer.allocate(View.LENGTH + 8).order(ByteOrder.LITTLE_ENDIAN);
      view.write(body);
      return body.putLong(0).flip();
    }
  }

  Fit find(WeightMatrix matrix, double bits) {
    return Fit.NONE;
  }
}
