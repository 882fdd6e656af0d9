package io.pseed.converter.inputs;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.inputs.InputSignature.Input;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Arrays of a file, named like the model's inputs. With r the rank of an input, its array has
 *
 * <ul>
 *   <li>r dimensions, the first being the samples: each run takes one of them, or as many as the
 *       model's first dimension asks for;
 *   <li>or r + 1 dimensions, the first being the runs, each with the whole shape of the input.
 * </ul>
 *
 * An array with one run's worth is repeated in every run; the others have equally many runs. Only
 * the runs that are used are kept in memory.
 */
final class ArrayInputs implements CalibrationInputs {
  private final String description;
  private final int size;
  private final Map<String, Column> columns = new LinkedHashMap<>();
  private final List<String> notices = new ArrayList<>();

  /** The runs of one input. */
  @SuppressWarnings("ArrayRecordComponent") // A value of this class alone; nobody changes it.
  private record Column(OnnxJavaType type, long[] shape, List<ByteBuffer> runs) {}

  /** How an array is divided into runs. */
  @SuppressWarnings("ArrayRecordComponent") // A value of this class alone; nobody changes it.
  private record Division(StoredArray array, Input input, long runs, long[] shape) {
    long elements() {
      long count = 1;
      for (long dim : shape) {
        count *= dim;
      }
      return count;
    }
  }

  /**
   * Reads the arrays.
   *
   * @param most runs that are used, evenly spread over the file
   * @throws InputException where an array does not fit its input, or one is missing
   */
  static ArrayInputs read(Path file, InputSignature signature, int most) throws IOException {
    try (ArrayFiles files = ArrayFiles.open(file)) {
      return new ArrayInputs(file, files.arrays(), signature, most);
    }
  }

  private ArrayInputs(Path file, List<StoredArray> arrays, InputSignature signature, int most)
      throws IOException {
    Map<String, StoredArray> named = named(file, arrays, signature);
    List<Division> divisions = new ArrayList<>();
    for (Input input : signature.inputs()) {
      divisions.add(divide(named.get(input.name()), input));
    }
    long runs = divisions.stream().mapToLong(Division::runs).max().orElse(0);
    for (Division division : divisions) {
      if (division.runs != 1 && division.runs != runs) {
        throw new InputException(
            division.array.place()
                + ": is enough for "
                + division.runs
                + " runs, but other arrays of the file for "
                + runs
                + "; give as many samples in each, or one that is repeated");
      }
    }
    size = (int) Math.min(runs, most);
    long[] chosen = new long[size];
    for (int i = 0; i < size; i++) {
      chosen[i] = (long) ((double) i * runs / size);
    }
    for (Division division : divisions) {
      columns.put(
          division.input.name(),
          new Column(
              division.input.type(),
              division.shape,
              new Reader(division, division.runs == 1 ? new long[1] : chosen).all()));
    }
    description =
        (size < runs ? size + " of the " + runs : String.valueOf(size))
            + (runs == 1 ? " run of " : " runs of ")
            + file;
  }

  private Map<String, StoredArray> named(
      Path file, List<StoredArray> arrays, InputSignature signature) throws InputException {
    Map<String, StoredArray> named = new LinkedHashMap<>();
    if (arrays.size() == 1 && arrays.get(0).name().isEmpty()) {
      if (signature.inputs().size() != 1) {
        throw new InputException(
            file,
            "is one array, but the model has "
                + signature.inputs().size()
                + " inputs ("
                + signature.text()
                + "); give them as .npz, with numpy.savez(file, name=array)");
      }
      named.put(signature.inputs().get(0).name(), arrays.get(0));
      return named;
    }
    arrays.forEach(array -> named.put(array.name(), array));
    for (Input input : signature.inputs()) {
      if (!named.containsKey(input.name())) {
        throw new InputException(
            file,
            "has no array '"
                + input.name()
                + "', which the model takes as "
                + input.text()
                + "; it has "
                + new TreeSet<>(named.keySet())
                + ", and arrays must be named like the model's inputs");
      }
    }
    List<String> others =
        named.keySet().stream()
            .filter(name -> signature.input(name) == null)
            .sorted()
            .collect(Collectors.toList());
    if (!others.isEmpty()) {
      notices.add(file + ": the model has no inputs " + others + "; these arrays are left aside");
    }
    return named;
  }

  private static Division divide(StoredArray array, Input input) throws InputException {
    requireType(array, input);
    List<Long> found = array.shape();
    int rank = input.ranked() ? input.shape().size() : Math.max(1, found.size());
    List<Long> wanted = input.ranked() ? input.shape() : found.stream().map(d -> -1L).toList();
    if (found.size() != rank && found.size() != rank + 1) {
      throw unfit(array, input, "has " + found.size() + " dimensions");
    }
    boolean whole = found.size() == rank + 1;
    long[] shape = new long[rank];
    for (int d = 0; d < rank; d++) {
      shape[d] = found.get(whole ? d + 1 : d);
    }
    long runs = whole ? found.get(0) : 1;
    if (!whole && rank > 0) {
      long group = wanted.get(0) < 0 ? 1 : wanted.get(0);
      if (group == 0 || found.get(0) % group != 0) {
        throw unfit(
            array, input, "has " + found.get(0) + " samples, which is no multiple of " + group);
      }
      runs = found.get(0) / group;
      shape[0] = group;
    }
    if (runs == 0) {
      throw new InputException(
          array.place()
              + ": has no samples (shape "
              + InputSignature.text(found)
              + "); give at least one");
    }
    for (int d = 0; d < rank; d++) {
      if (wanted.get(d) >= 0 && wanted.get(d) != shape[d]) {
        throw unfit(
            array,
            input,
            "has "
                + shape[d]
                + " in dimension "
                + (whole ? d + 1 : d)
                + " where the model takes "
                + wanted.get(d));
      }
    }
    return new Division(array, input, runs, shape);
  }

  private static void requireType(StoredArray array, Input input) throws InputException {
    boolean numbers = input.type() != OnnxJavaType.UNKNOWN && input.type() != OnnxJavaType.STRING;
    boolean real = array.element().kind() == Element.Kind.REAL;
    if (!numbers || real != input.real()) {
      throw new InputException(
          array.place()
              + ": is "
              + array.element().label()
              + ", expected "
              + InputSignature.label(input.type())
              + " for the input '"
              + input.name()
              + "'"
              + (numbers
                  ? "; convert it with .astype('" + InputSignature.label(input.type()) + "')"
                  : ", which cannot be given in a file"));
    }
  }

  private static InputException unfit(StoredArray array, Input input, String trouble) {
    return new InputException(
        array.place()
            + ": "
            + trouble
            + ": found "
            + InputSignature.text(array.shape())
            + ", but the input '"
            + input.name()
            + "' is "
            + input.text()
            + "; give samples along the first dimension, or runs along one more before it");
  }

  /** Takes the chosen runs out of an array and checks and converts their elements. */
  private static final class Reader {
    private static final int PIECE = 1 << 16;

    private final StoredArray array;
    private final Input input;
    private final long[] chosen;
    private final long elements;
    private final long perRun;

    Reader(Division division, long[] chosen) throws InputException {
      this.array = division.array;
      this.input = division.input;
      this.chosen = chosen;
      this.elements = division.elements();
      this.perRun = elements * array.element().size();
      if (elements * 8 > Integer.MAX_VALUE) {
        throw new InputException(
            array.place() + ": has " + elements + " elements a run, too many for one tensor");
      }
    }

    List<ByteBuffer> all() throws IOException {
      List<ByteBuffer> runs = new ArrayList<>();
      try (InputStream in = array.data().open()) {
        if (array.columnMajor() && array.shape().size() > 1) {
          byte[] whole = take(in, array.count() * array.element().size());
          for (long run : chosen) {
            runs.add(convert(gather(whole, run), run));
          }
        } else {
          long at = 0;
          for (long run : chosen) {
            skip(in, (run - at) * perRun);
            runs.add(convert(take(in, perRun), run));
            at = run + 1;
          }
        }
        // To the end, where a damaged archive is found out.
        byte[] rest = new byte[PIECE];
        int more;
        do {
          more = in.read(rest, 0, PIECE);
        } while (more >= 0);
      }
      return runs;
    }

    private void skip(InputStream in, long bytes) throws IOException {
      try {
        in.skipNBytes(bytes);
      } catch (java.io.EOFException e) {
        throw new InputException(array.place() + ": ends before its last sample");
      }
    }

    /** Grows with what is really there. */
    private byte[] take(InputStream in, long bytes) throws IOException {
      if (bytes > Integer.MAX_VALUE - 16) {
        throw new InputException(
            array.place()
                + ": takes "
                + bytes
                + " bytes in Fortran order; save it with numpy.ascontiguousarray, or fewer samples");
      }
      byte[] taken = in.readNBytes((int) bytes);
      if (taken.length < bytes) {
        throw new InputException(
            array.place() + ": ends " + (bytes - taken.length) + " bytes before its last sample");
      }
      return taken;
    }

    /** The elements of a run in C order. */
    private byte[] gather(byte[] whole, long run) {
      List<Long> shape = array.shape();
      int width = array.element().size();
      byte[] out = new byte[(int) perRun];
      for (int i = 0; i < elements; i++) {
        long flat = run * elements + i;
        long at = 0;
        long stride = array.count();
        for (int d = shape.size() - 1; d >= 0; d--) {
          stride /= shape.get(d);
          at += flat % shape.get(d) * stride;
          flat /= shape.get(d);
        }
        System.arraycopy(whole, (int) (at * width), out, i * width, width);
      }
      return out;
    }

    private ByteBuffer convert(byte[] bytes, long run) throws InputException {
      ByteBuffer in = ByteBuffer.wrap(bytes).order(array.order());
      ByteBuffer out = Values.allocate(input.type(), elements);
      int width = array.element().size();
      for (int i = 0; i < elements; i++) {
        if (input.real()) {
          double value = array.element().real(in, i * width);
          if (!Double.isFinite(value)) {
            throw wrong(run, i, String.valueOf(value), "finite numbers");
          }
          if (!Values.putReal(out, input.type(), value)) {
            throw wrong(
                run,
                i,
                String.valueOf(value),
                "numbers within " + InputSignature.label(input.type()));
          }
        } else {
          integer(in, i, run, out);
        }
      }
      return out.flip();
    }

    private void integer(ByteBuffer in, int i, long run, ByteBuffer out) throws InputException {
      long value = array.element().integer(in, i * array.element().size());
      boolean above = array.element() == Element.UINT64 && value < 0;
      String text = above ? Long.toUnsignedString(value) : String.valueOf(value);
      if (input.tableRows() > 0 && (above || value < 0 || value >= input.tableRows())) {
        throw wrong(
            run,
            i,
            text,
            "0 to "
                + (input.tableRows() - 1)
                + ", the rows of the table that the model looks it up in");
      }
      if (above || !Values.putInteger(out, input.type(), value)) {
        throw wrong(run, i, text, "numbers within " + InputSignature.label(input.type()));
      }
    }

    private InputException wrong(long run, int i, String found, String expected) {
      return new InputException(
          array.place()
              + ": element "
              + i
              + " of run "
              + run
              + " is "
              + found
              + ", expected "
              + expected);
    }
  }

  @Override
  public String description() {
    return description;
  }

  @Override
  public Origin origin() {
    return Origin.GIVEN;
  }

  @Override
  public int size() {
    return size;
  }

  @Override
  public List<String> notices() {
    return List.copyOf(notices);
  }

  @Override
  public Map<String, OnnxTensor> make(OrtEnvironment environment, int index) throws OrtException {
    Map<String, OnnxTensor> tensors = new LinkedHashMap<>();
    try {
      for (Map.Entry<String, Column> entry : columns.entrySet()) {
        Column column = entry.getValue();
        ByteBuffer run = column.runs.get(column.runs.size() == 1 ? 0 : index);
        tensors.put(
            entry.getKey(),
            OnnxTensor.createTensor(
                environment, run.duplicate().order(run.order()), column.shape, column.type));
      }
      return tensors;
    } catch (OrtException | RuntimeException e) {
      tensors.values().forEach(OnnxTensor::close);
      throw e;
    }
  }
}
