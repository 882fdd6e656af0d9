package io.pseed.converter.export.onnx;

import io.pseed.codec.trellis.Panels;
import io.pseed.codec.trellis.Scales;
import io.pseed.codec.trellis.TrellisBody;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.format.DType;
import io.pseed.format.TensorRecord;
import io.pseed.format.View;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Writes the decoder of one trellis record in standard operators (specification, section 8).
 *
 * <pre>
 * record ─ Slice ─ Cast ─ Reshape ─ Conv ─ Cast ─ Mod ─ Gather ─ Reshape ─ Einsum ─ Mul ─ Mul ─ ... ─ weights
 *          payload float  [R,1,B]   8 seeds  int  2^L   code     blocks    H Q H    row   column
 * </pre>
 *
 * <p>Every step is exact: sums of powers of two times bytes below 2^24 in the convolution, integers
 * below 2^24 (or in double) in the Einsum, and the two products in the order of the specification.
 *
 * <p>Input 0 is the whole record, which says everything: a native implementation of the operator
 * needs no other input and of the attributes only {@code dtype} and {@code shape}, for inference.
 */
final class SeedDecode {
  private static final int PHASES = StreamWindows.PHASES;

  /** Bits of the newer of two windows, where one window is not exact. */
  private static final int LOW_BITS = 12;

  private final SharedConstants constants;
  private final TensorRecord record;
  private final TrellisBody body;
  private final View view;
  private final Panels panels;
  private final ExactSums sums;
  private final Pieces pieces;
  private final String step;
  private final FunctionBody f = new FunctionBody();
  private final String recordName;
  private final long payloadOffset;
  private final long payloadEnd;
  private String columnPayload;

  /** How bytes of the record become a tensor of their own. */
  @FunctionalInterface
  interface Pieces {
    /**
     * Makes the tensor.
     *
     * @param offset of {@code bytes} in the record
     */
    TensorProto tensor(TensorProto.DataType type, long[] dims, ByteBuffer bytes, long offset);
  }

  /**
   * @param recordName the value with the record's bytes
   * @param step a value [1] (int64) that is known when this tensor's turn to be decoded comes
   */
  SeedDecode(
      SharedConstants constants,
      TensorRecord record,
      TrellisBody body,
      ExactSums sums,
      String recordName,
      Pieces pieces,
      String step) {
    this.constants = constants;
    this.record = record;
    this.body = body;
    this.view = body.view();
    this.panels = body.panels();
    this.sums = sums;
    this.pieces = pieces;
    this.step = step;
    this.recordName = recordName;
    this.payloadOffset =
        record.bodyOffset() + (long) record.body().remaining() - body.payload().remaining();
    this.payloadEnd = payloadOffset + body.payload().remaining();
  }

  /**
   * Writes the function.
   *
   * @param layerCodes the codes of the record's layer seed as an int16 constant of the tensor's
   *     shape; null where it has none
   */
  FunctionBody write(String layerCodes) {
    f.input("record", recordName);
    f.attribute(Protos.number("dtype", Protos.type(record.dtype()).getNumber()));
    f.attribute(Protos.numbers("shape", record.shape()));
    String weights = scaled(transformed());
    if (layerCodes != null) {
      String codes = cast(f.input("layer_codes", layerCodes), TensorProto.DataType.FLOAT);
      String amplitude =
          constants.add("amplitude", Protos.floats(new long[] {1}, record.layerSeed().amplitude()));
      weights = f.node("Add", weights, f.node("Mul", codes, f.input("amplitude", amplitude)));
    }
    if (record.dtype() != DType.F32) {
      weights = cast(weights, Protos.type(record.dtype()));
    }
    return f;
  }

  /** Z of the specification, as [row blocks, rows, columns, columns], or the other way round. */
  private String transformed() {
    boolean whole =
        view.cols() % PHASES == 0
            && (panels.byRows() || panels.count() == 1)
            && (body.colBlockLog2() == 0 || body.colBlockLog2() >= 3);
    return whole ? transformedByPhase() : transformedByColumn();
  }

  /** Where eight weights of a group stay apart until the Einsum puts them in order. */
  private String transformedByPhase() {
    int blockRows = 1 << body.rowBlockLog2();
    int blockCols = 1 << body.colBlockLog2();
    List<String> parts = new ArrayList<>();
    int first = 0;
    for (int p = 0; p < (panels.byRows() ? panels.count() : 1); p++) {
      int rows = panels.byRows() ? panels.lengths()[p] : view.rows();
      parts.add(
          panels.rates()[p] == 0
              ? zeros(p, rows, PHASES, view.cols() / PHASES)
              : codes(p, rowSlice(p, first, rows), rows, view.cols()));
      first += rows;
    }
    String codes = concat(parts, 0);
    long rowBlocks = view.rows() / blockRows;
    if (body.colBlockLog2() == 0) {
      String blocks = reshape(codes, "blocks", rowBlocks, blockRows, PHASES, view.cols() / PHASES);
      return einsum(blocks, "aipg", "gp", null, null);
    }
    String blocks =
        reshape(
            codes,
            "blocks",
            rowBlocks,
            blockRows,
            PHASES,
            view.cols() / blockCols,
            blockCols / PHASES);
    String matrix = constants.hadamard(body.colBlockLog2(), blockCols / PHASES, PHASES, blockCols);
    return einsum(blocks, "aipbg", "bq", "gpq", matrix);
  }

  /** Any panels and any number of columns: codes are put in order first. */
  private String transformedByColumn() {
    int blockCols = 1 << body.colBlockLog2();
    List<String> parts = new ArrayList<>();
    int first = 0;
    for (int p = 0; p < panels.count(); p++) {
      int rows = panels.byRows() ? panels.lengths()[p] : view.rows();
      int cols = panels.byRows() ? view.cols() : panels.lengths()[p];
      if (panels.rates()[p] == 0) {
        parts.add(zeros(p, rows, cols));
      } else {
        String payload = panels.byRows() ? rowSlice(p, first, rows) : columnSlice(p);
        parts.add(ordered(p, codes(p, payload, rows, cols), rows, cols));
      }
      first += panels.lengths()[p];
    }
    String codes = concat(parts, panels.byRows() ? 0 : 1);
    String blocks =
        reshape(
            codes,
            "blocks",
            view.rows() >> body.rowBlockLog2(),
            1 << body.rowBlockLog2(),
            view.cols() / blockCols,
            blockCols);
    if (body.colBlockLog2() == 0) {
      return body.rowBlockLog2() == 0 && !view.transposed()
          ? wideToFloat(blocks)
          : einsum(blocks, "aibq", "bq", null, null);
    }
    String matrix = constants.hadamard(body.colBlockLog2(), blockCols, blockCols);
    return einsum(blocks, "aibr", "bq", "rq", matrix);
  }

  /**
   * Both Hadamard transforms and the order of the output.
   *
   * @param in letters of the input: a and i are the rows
   * @param columns letters of the columns in the output
   * @param matrixLetters letters of the columns' matrix, or null
   */
  private String einsum(
      String blocks, String in, String columns, String matrixLetters, String matrix) {
    boolean rowTransform = body.rowBlockLog2() > 0;
    String rows = rowTransform ? "aj" : "ai";
    String out = view.transposed() ? columns + rows : rows + columns;
    String rowMatrix =
        rowTransform
            ? constants.hadamard(
                body.rowBlockLog2(), 1L << body.rowBlockLog2(), 1L << body.rowBlockLog2())
            : null;
    if (sums == ExactSums.DOUBLE) {
      rowMatrix = rowMatrix == null ? null : constants.asDouble(rowMatrix);
      matrix = matrix == null ? null : constants.asDouble(matrix);
    }
    String value = blocks;
    String letters = in;
    if (rowTransform && matrix != null && sums == ExactSums.ROWS_FIRST) {
      String middle = in.replace('i', 'j');
      value = einsumNode("rows_equation", in + ",ij->" + middle, value, "row_matrix", rowMatrix);
      letters = middle;
      rowTransform = false;
    }
    StringBuilder equation = new StringBuilder(letters);
    List<String> arguments = new ArrayList<>(List.of(value));
    if (rowTransform) {
      equation.append(",ij");
      arguments.add(f.input("row_matrix", rowMatrix));
    }
    if (matrix != null) {
      equation.append(',').append(matrixLetters);
      arguments.add(f.input("column_matrix", matrix));
    }
    equation.append("->").append(out);
    AttributeProto attribute = f.forward("equation", Protos.text("equation", equation.toString()));
    return wideToFloat(f.node("Einsum", arguments, attribute));
  }

  private String einsumNode(
      String attribute, String equation, String value, String formal, String matrix) {
    return f.node(
        "Einsum",
        List.of(value, f.input(formal, matrix)),
        f.forward("equation", Protos.text(attribute, equation)));
  }

  private String wideToFloat(String value) {
    return sums == ExactSums.DOUBLE ? cast(value, TensorProto.DataType.FLOAT) : value;
  }

  /** The payload bytes of a panel of rows as [rows * bytes]. */
  private String rowSlice(int p, int firstRow, int rows) {
    long bytes = segmentBytes(view.cols(), panels.rates()[p]);
    long begin = payloadOffset;
    if (panels.byRows()) {
      for (int before = 0; before < p; before++) {
        begin += panels.lengths()[before] * segmentBytes(view.cols(), panels.rates()[before]);
      }
    } else {
      begin += firstRow * bytes;
    }
    return slice("record", "part" + p, 0, begin, begin + rows * bytes);
  }

  /** The payload bytes of a panel of columns as [rows, bytes]. */
  private String columnSlice(int p) {
    long rowBytes = 0;
    long begin = 0;
    for (int i = 0; i < panels.count(); i++) {
      if (i == p) {
        begin = rowBytes;
      }
      rowBytes += segmentBytes(panels.lengths()[i], panels.rates()[i]);
    }
    if (columnPayload == null) {
      String all = slice("record", "payload", 0, payloadOffset, payloadEnd);
      columnPayload = reshape(all, "payload_shape", view.rows(), rowBytes);
    }
    long end = begin + segmentBytes(panels.lengths()[p], panels.rates()[p]);
    return slice(columnPayload, "part" + p, 1, begin, end);
  }

  /** Codes of a panel, a group of eight weights in each place: [rows, 8, ceil(cols / 8)]. */
  private String codes(int p, String payload, int rows, int cols) {
    int rate = panels.rates()[p];
    int bits = body.code().bits();
    String stream =
        reshape(
            cast(payload, TensorProto.DataType.FLOAT),
            "streams" + p,
            rows,
            1,
            segmentBytes(cols, rate));
    String seeds;
    if (StreamWindows.exact(bits, rate)) {
      seeds = windows("", p, stream, StreamWindows.of(bits, rate, 0), cols);
    } else {
      String low = windows("low_", p, stream, StreamWindows.of(LOW_BITS, rate, 0), cols);
      String high =
          windows("high_", p, stream, StreamWindows.of(bits - LOW_BITS, rate, LOW_BITS), cols);
      String shift = f.input("low_modulus", modulus(LOW_BITS));
      seeds = f.node("Add", f.node("Mul", high, shift), low);
    }
    String table = constants.codeTable(body.code(), body.law(), body.kappa());
    String values = sums == ExactSums.DOUBLE ? constants.asDouble(table) : table;
    return f.node("Gather", f.input("codes", values), seeds);
  }

  private String windows(String prefix, int p, String stream, StreamWindows windows, int cols) {
    String taps =
        constants.add(
            "taps." + windows.bits() + "." + windows.rate() + "." + windows.older(),
            windows.tensor());
    String sums24 =
        f.node(
            "Conv",
            List.of(stream, f.input(prefix + "taps" + p, taps)),
            f.forward("strides", Protos.numbers("strides" + p, windows.rate())),
            f.forward("pads", Protos.numbers(prefix + "pads" + p, windows.pads(cols))));
    return f.node(
        "Mod",
        cast(sums24, TensorProto.DataType.INT32),
        f.input(prefix + "modulus", modulus(windows.bits())));
  }

  private String modulus(int bits) {
    return constants.add("modulus." + bits, Protos.ints(new long[] {1}, 1 << bits));
  }

  /** [rows, 8, groups] to [rows, cols]. */
  private String ordered(int p, String codes, int rows, int cols) {
    int groups = (cols + PHASES - 1) / PHASES;
    String byGroup = f.node("Transpose", List.of(codes), Protos.numbers("perm", 0, 2, 1));
    String padded = reshape(byGroup, "matrix" + p, rows, (long) groups * PHASES);
    return groups * PHASES == cols ? padded : slice(padded, "columns" + p, 1, 0, cols);
  }

  private String zeros(int p, long... shape) {
    TensorProto zero =
        sums == ExactSums.DOUBLE
            ? Protos.tensor(TensorProto.DataType.DOUBLE, new long[] {1}, Protos.buffer(8))
            : Protos.floats(new long[] {1}, 0f);
    return f.node(
        "ConstantOfShape",
        List.of(f.input("zeros" + p, constants.longs("shape", shape))),
        Protos.tensor("value", zero));
  }

  /** (Z * rowScale) * colScale, permuted, in the tensor's shape. */
  private String scaled(String z) {
    boolean transposed = view.transposed();
    int blockRows = 1 << body.rowBlockLog2();
    // The columns stand in two dimensions, as the Einsum left them: blocks and columns of a block,
    // or groups and phases.
    int inner = columnsInner();
    long[] rowShape = {view.rows() / blockRows, blockRows};
    long[] colShape = {view.cols() / inner, inner};
    String row = scale("row", body.rowScaleKind(), body.rowScales(), rowShape, !transposed);
    String col = scale("column", body.colScaleKind(), body.colScales(), colShape, transposed);
    String v = f.node("Mul", f.node("Mul", z, row), col);
    if (body.permutation() != null) {
      long[] matrix =
          transposed
              ? new long[] {view.cols(), view.rows()}
              : new long[] {view.rows(), view.cols()};
      int axis = panels.byRows() == transposed ? 1 : 0;
      v =
          f.node(
              "Gather",
              List.of(reshape(v, "matrix", matrix), f.input("order", order(body.permutation()))),
              Protos.number("axis", axis));
      if (Arrays.equals(matrix, record.shape())) {
        return v;
      }
    }
    return reshape(v, "final", record.shape());
  }

  private int columnsInner() {
    boolean byPhase =
        view.cols() % PHASES == 0
            && (panels.byRows() || panels.count() == 1)
            && body.colBlockLog2() == 0;
    return byPhase ? PHASES : 1 << body.colBlockLog2();
  }

  /** Which line of the coded matrix stands at each line of the view. */
  private String order(int[] permutation) {
    int n = permutation.length;
    int[] inverse = new int[n];
    for (int i = 0; i < n; i++) {
      inverse[permutation[i]] = i;
    }
    if (n > 1 << 16) {
      return constants.addOwn("order", Protos.ints(new long[] {n}, inverse));
    }
    short[] small = new short[n];
    for (int i = 0; i < n; i++) {
      small[i] = (short) inverse[i];
    }
    String name =
        constants.addOwn(
            "order", Protos.shorts(TensorProto.DataType.UINT16, new long[] {n}, small));
    return castOutside(name, TensorProto.DataType.INT32);
  }

  /**
   * The scales of one axis, ready to be multiplied with the four dimensions of Z.
   *
   * @param shape two dimensions of the axis
   * @param padded whether two dimensions of one follow
   */
  private String scale(String axis, Scales kind, float[] scales, long[] shape, boolean padded) {
    if (kind == Scales.CONSTANT) {
      String constant = constants.add("scale", Protos.floats(new long[] {1}, scales[0]));
      return f.input(axis + "_scale", constant);
    }
    long[] full = padded ? new long[] {shape[0], shape[1], 1, 1} : shape;
    return reshape(
        f.input(axis + "_scale", scaleVector(axis, kind, scales)), axis + "_shape", full);
  }

  /** All scales of an axis as floats, computed in the model from as few bytes as they take here. */
  private String scaleVector(String axis, Scales kind, float[] scales) {
    int n = scales.length;
    long[] dims = {n};
    int offset = scaleOffset(axis);
    ByteBuffer in = record.body();
    String hint = axis + "_scales";
    return switch (kind) {
      case F16 -> {
        TensorProto halfs =
            pieces.tensor(
                TensorProto.DataType.FLOAT16,
                dims,
                in.slice(offset + 4, 2 * n),
                record.bodyOffset() + offset + 4L);
        String stored = constants.addOwn(hint, halfs);
        yield times(castOutside(stored, TensorProto.DataType.FLOAT), unit(in, offset));
      }
      case F8 -> {
        long begin = record.bodyOffset() + offset + 4L;
        String bytes = constants.unique("pseed." + hint);
        constants.node(
            Protos.node(
                constants.unique(bytes + ".slice"),
                "Slice",
                List.of(recordName, constants.longs("at", begin), constants.longs("at", begin + n)),
                bytes));
        String index = castOutside(bytes, TensorProto.DataType.INT32);
        String values = constants.unique("pseed." + hint);
        constants.node(
            Protos.node(
                constants.unique(values + ".gather"),
                "Gather",
                List.of(constants.add("scale8", scale8()), index),
                values));
        yield times(values, unit(in, offset));
      }
      case SIGNS -> {
        int value = in.getInt(offset);
        ByteBuffer signs = ByteBuffer.allocate(n);
        for (int i = 0; i < n; i++) {
          signs.put(i, (byte) (Float.floatToRawIntBits(scales[i]) == value ? 1 : -1));
        }
        String stored =
            constants.addOwn(hint, Protos.tensor(TensorProto.DataType.INT8, dims, signs));
        // The record stores the value without the signs.
        yield times(castOutside(stored, TensorProto.DataType.FLOAT), in.getFloat(offset));
      }
      case F32 ->
          constants.addOwn(
              hint,
              pieces.tensor(
                  TensorProto.DataType.FLOAT,
                  dims,
                  in.slice(offset, 4 * n),
                  (long) record.bodyOffset() + offset));
      case CONSTANT -> constants.addOwn(hint, Protos.floats(dims, scales));
    };
  }

  private static float unit(ByteBuffer in, int offset) {
    return Math.scalb(1f, in.get(offset));
  }

  /** The values of 8-bit scales without their common exponent (specification, section 8.6). */
  private static TensorProto scale8() {
    float[] values = new float[256];
    for (int code = 0; code < 256; code++) {
      int v = code & 0x7F;
      float magnitude = v == 0 ? 0 : (16 + (v & 15)) << (v >> 4);
      values[code] = code > 0x7F ? -magnitude : magnitude;
    }
    return Protos.floats(new long[] {256}, values);
  }

  /** Where the scales of an axis start in the body: they end where the payload starts. */
  private int scaleOffset(String axis) {
    int axisLength = panels.byRows() ? view.rows() : view.cols();
    long end = (long) record.body().remaining() - body.payload().remaining();
    end -= body.permutation() == null ? 0 : 4L * axisLength;
    end -= body.colScaleKind().paddedSize(view.cols());
    return (int) (axis.equals("row") ? end - body.rowScaleKind().paddedSize(view.rows()) : end);
  }

  private String times(String value, float factor) {
    if (factor == 1) {
      return value;
    }
    String output = constants.unique(value + ".scaled");
    return constants.node(
        Protos.node(
            constants.unique(output + ".mul"),
            "Mul",
            List.of(value, constants.add("unit", Protos.floats(new long[] {1}, factor))),
            output));
  }

  private String castOutside(String value, TensorProto.DataType type) {
    String output = constants.unique(value + ".cast");
    return constants.node(
        Protos.node(
            constants.unique(output + ".node"),
            "Cast",
            List.of(value),
            output,
            Protos.number("to", type.getNumber())));
  }

  private String cast(String value, TensorProto.DataType type) {
    return f.node("Cast", List.of(value), Protos.number("to", type.getNumber()));
  }

  private String reshape(String value, String formal, long... shape) {
    return f.node("Reshape", value, f.input(formal, constants.longs("shape", shape)));
  }

  private String slice(String value, String formal, int axis, long begin, long end) {
    return f.node(
        "Slice",
        value,
        f.input(formal + "_begin", constants.longs("at", begin)),
        f.input(formal + "_end", constants.longs("at", end)),
        f.input("axis" + axis, constants.longs("at", axis)),
        f.input("step", step));
  }

  private String concat(List<String> parts, int axis) {
    return parts.size() == 1 ? parts.get(0) : f.node("Concat", parts, Protos.number("axis", axis));
  }

  private static long segmentBytes(long n, int rate) {
    return (n * rate + 7) / 8;
  }
}
