package io.pseed.format;

/**
 * Where a record lies, for messages.
 *
 * @param file name of the file or of whatever holds the bytes
 * @param tensor name of the tensor; empty where it has none
 * @param offset offset of the record's first byte in the file
 */
public record RecordPlace(String file, String tensor, long offset) {
  /** A record that stands for itself, for example the data of an ONNX node. */
  public static RecordPlace standalone(String label) {
    return new RecordPlace(label, "", 0);
  }

  /** {@code file: tensor 'name'}; of a long name the end, and nothing unprintable. */
  public String label() {
    return tensor.isEmpty() ? file : file + ": tensor '" + Names.shown(tensor) + "'";
  }

  /** A {@link CorruptException} about the bytes at {@code local} of the record. */
  public CorruptException corrupt(long local, String what, Object found, Object expected) {
    return new CorruptException(
        String.format(
            "%s: %s is %s, expected %s (record offset %d, file offset %d)",
            label(), what, found, expected, local, offset + local));
  }
}
