package io.pseed.converter.inputs;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The head of a {@code .npy} file, versions 1.0, 2.0 and 3.0:
 *
 * <pre>
 *   0  6  \x93NUMPY
 *   6  1  major version
 *   7  1  minor version
 *   8  2  length of the text, little endian (version 1.0; later ones: 4 bytes)
 *  10     {'descr': '&lt;f4', 'fortran_order': False, 'shape': (3, 4), }, spaces, line feed
 * </pre>
 *
 * @param element type of the elements
 * @param order of an element's bytes
 * @param columnMajor Fortran order
 * @param shape dimensions
 * @param bytes of the head: where the data begins
 */
record NpyHeader(
    Element element, ByteOrder order, boolean columnMajor, List<Long> shape, long bytes) {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};

  /** A text that numpy writes has some 100 bytes. */
  private static final long LONGEST_TEXT = 1 << 16;

  private static final int MOST_DIMENSIONS = 32;

  /**
   * Reads the head and leaves the stream at the first element.
   *
   * @param place of the array, for sentences
   * @throws InputException where it is none
   */
  static NpyHeader read(InputStream in, String place) throws IOException {
    byte[] start = in.readNBytes(8);
    for (int i = 0; i < MAGIC.length; i++) {
      if (start.length < 8 || start[i] != MAGIC[i]) {
        throw new InputException(
            place
                + ": is no .npy array: the first bytes are not \\x93NUMPY; write it with"
                + " numpy.save or numpy.savez");
      }
    }
    int major = start[6];
    if (major < 1 || major > 3 || start[7] != 0) {
      throw new InputException(
          String.format(
              "%s: has .npy version %d.%d at byte 6, expected 1.0, 2.0 or 3.0",
              place, major & 0xFF, start[7] & 0xFF));
    }
    int width = major == 1 ? 2 : 4;
    byte[] sized = in.readNBytes(width);
    long length = 0;
    for (int i = sized.length - 1; i >= 0; i--) {
      length = length << 8 | (sized[i] & 0xFF);
    }
    if (sized.length < width || length > LONGEST_TEXT) {
      throw new InputException(
          String.format(
              "%s: the header at byte 8 has a length of %d, expected at most %d",
              place, length, LONGEST_TEXT));
    }
    byte[] text = in.readNBytes((int) length);
    if (text.length < length) {
      throw new InputException(
          String.format(
              "%s: ends at byte %d, within its header of %d bytes",
              place, 8 + width + text.length, length));
    }
    return new Parser(new String(text, StandardCharsets.UTF_8), place, 8 + width)
        .header(8 + width + length);
  }

  /** Reads the text, a Python dictionary of three known keys, and nothing else. */
  private static final class Parser {
    private final String text;
    private final String place;
    private final int offset;
    private int at;

    Parser(String text, String place, int offset) {
      this.text = text;
      this.place = place;
      this.offset = offset;
    }

    NpyHeader header(long bytes) throws InputException {
      String descr = null;
      Boolean columnMajor = null;
      List<Long> shape = null;
      Set<String> seen = new HashSet<>();
      expect('{');
      while (!next('}')) {
        String key = string();
        if (!seen.add(key)) {
          throw wrong("the key '" + key + "' twice", "each once");
        }
        expect(':');
        switch (key) {
          case "descr" -> {
            if (next('[')) {
              throw new InputException(
                  place + ": holds records of several fields; save one array of numbers a name");
            }
            descr = string();
          }
          case "fortran_order" -> columnMajor = truth();
          case "shape" -> shape = shape();
          default -> throw wrong("the key '" + key + "'", "descr, fortran_order or shape");
        }
        if (!next(',')) {
          expect('}');
          break;
        }
      }
      blanks();
      if (at < text.length()) {
        throw wrong("'" + text.charAt(at) + "'", "the end of the header");
      }
      if (descr == null || columnMajor == null || shape == null) {
        throw wrong("only the keys " + seen, "descr, fortran_order and shape");
      }
      return new NpyHeader(element(descr), order(descr), columnMajor, shape, bytes);
    }

    private Element element(String descr) throws InputException {
      String code =
          descr.isEmpty() || "<>|=".indexOf(descr.charAt(0)) < 0 ? "" : descr.substring(1);
      Element element = Element.ofCode(code);
      if (element == null) {
        throw new InputException(
            place
                + ": has elements of type '"
                + descr
                + "'"
                + (code.startsWith("O") ? ", pickled Python objects, which are never loaded" : "")
                + "; expected float16, float32, float64, int8 to int64, uint8 to uint64 or bool");
      }
      return element;
    }

    private static ByteOrder order(String descr) {
      return switch (descr.charAt(0)) {
        case '>' -> ByteOrder.BIG_ENDIAN;
        case '=' -> ByteOrder.nativeOrder();
        default -> ByteOrder.LITTLE_ENDIAN;
      };
    }

    private List<Long> shape() throws InputException {
      List<Long> shape = new ArrayList<>();
      expect('(');
      long count = 1;
      while (!next(')')) {
        blanks();
        int start = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
          at++;
        }
        if (at == start || at - start > 18 || shape.size() == MOST_DIMENSIONS) {
          throw wrong("no dimension", "at most 32 whole numbers, none below 0");
        }
        long dim = Long.parseLong(text.substring(start, at));
        if (count > 0 && dim > Long.MAX_VALUE / 8 / count) {
          throw wrong("a shape of more than 2^60 elements", "one that fits a file");
        }
        count *= dim;
        shape.add(dim);
        if (!next(',')) {
          expect(')');
          break;
        }
      }
      return List.copyOf(shape);
    }

    private boolean truth() throws InputException {
      blanks();
      for (String word : List.of("True", "False")) {
        if (text.startsWith(word, at)) {
          at += word.length();
          return word.equals("True");
        }
      }
      throw wrong(here(), "True or False");
    }

    private String string() throws InputException {
      blanks();
      char quote = at < text.length() ? text.charAt(at) : ' ';
      int end = quote == '\'' || quote == '"' ? text.indexOf(quote, at + 1) : -1;
      if (end < 0 || text.substring(at, end).indexOf('\\') >= 0) {
        throw wrong(here(), "a string in quotes");
      }
      String value = text.substring(at + 1, end);
      at = end + 1;
      return value;
    }

    private boolean next(char wanted) {
      blanks();
      if (at < text.length() && text.charAt(at) == wanted) {
        at++;
        return true;
      }
      return false;
    }

    private void expect(char wanted) throws InputException {
      if (!next(wanted)) {
        throw wrong(here(), "'" + wanted + "'");
      }
    }

    private void blanks() {
      while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\n')) {
        at++;
      }
    }

    private String here() {
      return at < text.length() ? "'" + text.charAt(at) + "'" : "the end";
    }

    private InputException wrong(String found, String expected) {
      return new InputException(
          place
              + ": the .npy header has "
              + found
              + " at byte "
              + (offset + at)
              + ", expected "
              + expected);
    }
  }
}
