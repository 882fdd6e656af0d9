/**
 * From a {@code .pseed} file to one {@code model.onnx} that any ONNX Runtime opens: {@link
 * io.pseed.converter.export.onnx.OnnxExporter} is the door. The decoder travels inside the model as
 * a function of standard operators, and ONNX Runtime folds it into weights when it loads the model.
 */
package io.pseed.converter.export.onnx;
