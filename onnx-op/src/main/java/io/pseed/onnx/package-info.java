/**
 * Opens a {@code .pseed} model as an ordinary ONNX Runtime session: {@link
 * io.pseed.onnx.PseedSession} is the door, for applications. It needs no protobuf library; the
 * converter and the tools stay outside of an application that only runs models. {@link
 * io.pseed.onnx.RecordDecoder} decodes natively where it can, and does without where it cannot;
 * {@link io.pseed.onnx.PseedOpLibrary} hands out the native library for exported models.
 */
package io.pseed.onnx;
