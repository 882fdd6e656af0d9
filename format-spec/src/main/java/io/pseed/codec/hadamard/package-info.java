/**
 * The block Hadamard transform that makes weights Gaussian before they are coded (specification,
 * section 8.4).
 */
package io.pseed.codec.hadamard;
