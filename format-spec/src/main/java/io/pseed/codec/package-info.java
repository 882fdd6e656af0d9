/**
 * From records to tensors. {@link io.pseed.codec.TensorDecoder} is the door; the codecs stand in
 * the packages below, one each, and call nothing but {@code io.pseed.format}'s records and errors.
 */
package io.pseed.codec;
