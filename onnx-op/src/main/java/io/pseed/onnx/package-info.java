/**
 * Opens a {@code .pseed} model as an ordinary ONNX Runtime session: {@link
 * io.pseed.onnx.PseedSession} is the door, for applications. No native code of ours, no protobuf
 * library; the converter and the tools stay outside of an application that only runs models.
 */
package io.pseed.onnx;
