package io.pseed.maven;

import java.nio.file.Path;

/**
 * One file to convert, and what it becomes.
 *
 * @param source the model's file
 * @param label the source as the POM has it, for sentences
 * @param name the result's name below the output directory, with {@code /} and without suffix
 * @param model its parameters
 * @param settings the same, checked
 * @param pseed where the {@code .pseed} file stands, also where only ONNX is asked for
 * @param onnx where the ONNX model stands, if one is asked for
 */
record Work(
    Path source,
    String label,
    String name,
    Model model,
    ModelSettings settings,
    Path pseed,
    Path onnx) {}
