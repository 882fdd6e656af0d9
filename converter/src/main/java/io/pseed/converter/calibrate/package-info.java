/**
 * Finds out what a model's weights are used for: runs it in ONNX Runtime, looks at what reaches
 * every weight and how much the outputs depend on what leaves it. Knows sources and encoders'
 * metrics; nothing here writes files.
 */
package io.pseed.converter.calibrate;
