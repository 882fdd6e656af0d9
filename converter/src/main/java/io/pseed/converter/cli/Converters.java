package io.pseed.converter.cli;

import io.pseed.converter.command.Units;
import java.util.function.Function;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Values of options. */
final class Converters {
  private Converters() {}

  /** A number of bytes. */
  static final class Size implements ITypeConverter<Long> {
    @Override
    public Long convert(String value) {
      return said(Units::size, value);
    }
  }

  /** A name, as it stands. */
  static final class Name implements ITypeConverter<String> {
    @Override
    public String convert(String value) {
      return value;
    }
  }

  /** Dimensions. */
  static final class Shape implements ITypeConverter<long[]> {
    @Override
    public long[] convert(String value) {
      return said(Units::shape, value);
    }
  }

  private static <T> T said(Function<String, T> parser, String value) {
    try {
      return parser.apply(value);
    } catch (IllegalArgumentException e) {
      throw new TypeConversionException(e.getMessage());
    }
  }
}
