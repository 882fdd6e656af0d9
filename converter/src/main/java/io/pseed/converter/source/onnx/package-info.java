/**
 * ONNX models as a source of weights: finds every weight wherever a model hides it, moves it to the
 * top level of the graph and gives the graph without weights as a section of the container. {@link
 * io.pseed.converter.source.onnx.OnnxModels} is the way back, for exporters.
 */
package io.pseed.converter.source.onnx;
