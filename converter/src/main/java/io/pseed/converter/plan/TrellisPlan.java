package io.pseed.converter.plan;

import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.Scales;
import io.pseed.format.View;
import java.util.Optional;

/**
 * How a tensor is coded by the trellis. An empty scale kind leaves the choice to the encoder, which
 * decides by the tensor's statistics: the same tensor gives the same choice.
 *
 * @param view the tensor as a matrix: rows are its input dimension where that is known
 * @param seedBits L, 8 to 20
 * @param law radial law of the generator
 * @param kappa its parameter
 * @param rowBlockLog2 Hadamard block on the rows, 0 to 7
 * @param colBlockLog2 Hadamard block on the columns, 0 to 7
 * @param rowScale kind of the rows' factors
 * @param colScale kind of the columns' factors
 * @param panels rates
 */
public record TrellisPlan(
    View view,
    int seedBits,
    int law,
    int kappa,
    int rowBlockLog2,
    int colBlockLog2,
    Optional<Scales> rowScale,
    Optional<Scales> colScale,
    Panels panels) {
  /** The same with other rates. */
  public TrellisPlan withPanels(Panels other) {
    return new TrellisPlan(
        view, seedBits, law, kappa, rowBlockLog2, colBlockLog2, rowScale, colScale, other);
  }
}
