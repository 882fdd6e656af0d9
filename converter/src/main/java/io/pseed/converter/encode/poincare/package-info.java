/**
 * Finds the best 64-bit Poincaré seed for a matrix, nearly exactly, and reproduces the paper's
 * table. The planner asks {@code PoincareSearch} whether a layer seed is worth having; nothing here
 * knows files or tensors.
 */
package io.pseed.converter.encode.poincare;
