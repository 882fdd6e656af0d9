package io.pseed.converter.source;

/**
 * What a graph does with a weight, as far as it decides how the weight is seen as a matrix (input
 * by output dimension).
 */
public enum TensorRole {
  /** Right operand of a MatMul: [..., input, output]. */
  MATMUL,
  /** [output, input]: Gemm with transB, a torch Linear. */
  LINEAR_TRANSPOSED,
  /** [output channels, input channels / groups, kernel...]. */
  CONV,
  /** [input channels, output channels / groups, kernel...]. */
  CONV_TRANSPOSE,
  /** Rows are looked up: [vocabulary, dimension]. */
  EMBEDDING,
  /** Nothing is known about it. */
  OTHER
}
