package io.pseed.converter.plan;

import java.util.List;

/**
 * What is done with each tensor of a source, in the source's order.
 *
 * @param tensors one for each tensor
 */
public record Plan(List<TensorPlan> tensors) {
  public Plan {
    tensors = List.copyOf(tensors);
  }
}
