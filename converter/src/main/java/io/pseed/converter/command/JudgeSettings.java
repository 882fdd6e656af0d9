package io.pseed.converter.command;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Who judges a model, and whether the judgement becomes a page.
 *
 * @param data a path, a word of {@link InputSettings}, or empty for what pseed has
 * @param report the page to write; empty for none
 */
public record JudgeSettings(Optional<String> data, Optional<Path> report) {
  /** Judges by what pseed has, without a page. */
  public static final JudgeSettings DEFAULT = new JudgeSettings(Optional.empty(), Optional.empty());
}
