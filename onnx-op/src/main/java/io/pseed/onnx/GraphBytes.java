package io.pseed.onnx;

import io.pseed.format.CorruptException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * The little of the protobuf wire format that a session needs of an ONNX model: which initializers
 * are external, and how to put bytes in place of such a reference. Everything else is copied as it
 * stands, so no protobuf library is needed.
 *
 * <pre>
 * ModelProto  graph = 7
 * GraphProto  initializer = 5
 * TensorProto name = 8, raw_data = 9, external_data = 13, data_location = 14 (EXTERNAL = 1)
 * external_data entry: key = 1, value = 2
 * </pre>
 */
final class GraphBytes {
  /** The external_data location of a tensor that the {@code .pseed} file holds. */
  static final String LOCATION = "pseed";

  private static final int MODEL_GRAPH = 7;
  private static final int MODEL_FUNCTIONS = 25;
  private static final int GRAPH_NODE = 1;
  private static final int GRAPH_INITIALIZER = 5;
  private static final int GRAPH_SPARSE_INITIALIZER = 15;
  private static final int FUNCTION_NODE = 7;
  private static final int FUNCTION_ATTRIBUTE_PROTO = 11;
  private static final int NODE_ATTRIBUTE = 5;
  private static final int ATTRIBUTE_T = 5;
  private static final int ATTRIBUTE_G = 6;
  private static final int ATTRIBUTE_TENSORS = 10;
  private static final int ATTRIBUTE_GRAPHS = 11;
  private static final int ATTRIBUTE_SPARSE_TENSOR = 22;
  private static final int ATTRIBUTE_SPARSE_TENSORS = 23;
  private static final int SPARSE_VALUES = 1;
  private static final int SPARSE_INDICES = 2;

  /** How deep graphs may stand in one another, as in protobuf's own readers. */
  private static final int MAX_DEPTH = 100;

  private static final int TENSOR_NAME = 8;
  private static final int TENSOR_RAW_DATA = 9;
  private static final int TENSOR_EXTERNAL_DATA = 13;
  private static final int TENSOR_DATA_LOCATION = 14;

  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int LENGTH_DELIMITED = 2;
  private static final int FIXED32 = 5;

  private final String label;
  private final byte[] model;

  /**
   * @param model a serialized ModelProto; not copied
   * @param label where it came from, for messages
   */
  GraphBytes(byte[] model, String label) {
    this.model = model;
    this.label = label;
  }

  /**
   * Refuses a model with external data that are not in this file. A runtime would look for them in
   * the folder where it runs, or take a number in them for an address in memory.
   */
  void requireOwnData() throws CorruptException {
    Cursor top = new Cursor(0, model.length);
    while (top.next()) {
      if (top.is(MODEL_GRAPH)) {
        checkGraph(top.inside(), true, 1);
      } else if (top.is(MODEL_FUNCTIONS)) {
        Cursor function = top.inside();
        while (function.next()) {
          if (function.is(FUNCTION_NODE)) {
            checkNode(function.inside(), 2);
          } else if (function.is(FUNCTION_ATTRIBUTE_PROTO)) {
            checkAttribute(function.inside(), 2);
          }
        }
      }
    }
  }

  private void checkGraph(Cursor graph, boolean main, int depth) throws CorruptException {
    requireDepth(depth);
    while (graph.next()) {
      if (graph.is(GRAPH_NODE)) {
        checkNode(graph.inside(), depth + 1);
      } else if (graph.is(GRAPH_INITIALIZER)) {
        checkTensor(graph.inside(), main);
      } else if (graph.is(GRAPH_SPARSE_INITIALIZER)) {
        checkSparse(graph.inside());
      }
    }
  }

  private void checkNode(Cursor node, int depth) throws CorruptException {
    while (node.next()) {
      if (node.is(NODE_ATTRIBUTE)) {
        checkAttribute(node.inside(), depth + 1);
      }
    }
  }

  private void checkAttribute(Cursor attribute, int depth) throws CorruptException {
    while (attribute.next()) {
      if (attribute.is(ATTRIBUTE_T) || attribute.is(ATTRIBUTE_TENSORS)) {
        checkTensor(attribute.inside(), false);
      } else if (attribute.is(ATTRIBUTE_G) || attribute.is(ATTRIBUTE_GRAPHS)) {
        checkGraph(attribute.inside(), false, depth + 1);
      } else if (attribute.is(ATTRIBUTE_SPARSE_TENSOR) || attribute.is(ATTRIBUTE_SPARSE_TENSORS)) {
        checkSparse(attribute.inside());
      }
    }
  }

  private void checkSparse(Cursor sparse) throws CorruptException {
    while (sparse.next()) {
      if (sparse.is(SPARSE_VALUES) || sparse.is(SPARSE_INDICES)) {
        checkTensor(sparse.inside(), false);
      }
    }
  }

  private void checkTensor(Cursor tensor, boolean mayBeHere) throws CorruptException {
    int start = tensor.at;
    Reference found = reference(tensor);
    if (found.external && (!mayBeHere || !found.here || found.elsewhere)) {
      throw new CorruptException(
          String.format(
              "%s: the ONNX graph has a tensor '%s' with external data at location '%s' (byte %d of"
                  + " the graph), expected no external data but initializers with location '%s'",
              label, shown(found.name), shown(found.location), start, LOCATION));
    }
  }

  private void requireDepth(int depth) throws CorruptException {
    if (depth > MAX_DEPTH) {
      throw new CorruptException(
          label + ": the ONNX graph has graphs in one another more than " + MAX_DEPTH + " deep");
    }
  }

  /** Text of the file for a message: not long, and nothing that moves a terminal's cursor. */
  private static String shown(String text) {
    String cut = text.length() > 100 ? text.substring(0, 100) + "..." : text;
    return cut.replaceAll("\\p{Cntrl}", "?");
  }

  /** Names of the top-level initializers that refer to this file, in the graph's order. */
  Set<String> references() throws CorruptException {
    Set<String> names = new LinkedHashSet<>();
    Cursor top = new Cursor(0, model.length);
    while (top.next()) {
      if (!top.is(MODEL_GRAPH)) {
        continue;
      }
      Cursor graph = top.inside();
      while (graph.next()) {
        if (graph.is(GRAPH_INITIALIZER)) {
          String name = referenceName(graph.inside());
          if (name != null) {
            names.add(name);
          }
        }
      }
    }
    return names;
  }

  /**
   * The model with the named references replaced by the elements themselves.
   *
   * @param elements by name of the initializer, each from position to limit
   */
  byte[] embed(Map<String, ByteBuffer> elements) throws CorruptException {
    if (elements.isEmpty()) {
      return model;
    }
    Out out = new Out();
    Cursor top = new Cursor(0, model.length);
    while (top.next()) {
      if (!top.is(MODEL_GRAPH)) {
        out.copy(top);
        continue;
      }
      Out graphOut = new Out();
      Cursor graph = top.inside();
      while (graph.next()) {
        String name = graph.is(GRAPH_INITIALIZER) ? referenceName(graph.inside()) : null;
        ByteBuffer bytes = name == null ? null : elements.get(name);
        if (bytes == null) {
          graphOut.copy(graph);
        } else {
          graphOut.message(GRAPH_INITIALIZER, embedOne(graph.inside(), bytes));
        }
      }
      out.message(MODEL_GRAPH, graphOut);
    }
    return out.toByteArray();
  }

  private Out embedOne(Cursor tensor, ByteBuffer bytes) throws CorruptException {
    Out out = new Out();
    while (tensor.next()) {
      if (tensor.field != TENSOR_EXTERNAL_DATA && tensor.field != TENSOR_DATA_LOCATION) {
        out.copy(tensor);
      }
    }
    out.tag(TENSOR_RAW_DATA);
    out.varint(bytes.remaining());
    byte[] raw = new byte[bytes.remaining()];
    bytes.duplicate().get(raw);
    out.writeBytes(raw);
    return out;
  }

  /** The name of an initializer that refers to this file; null for any other. */
  private String referenceName(Cursor tensor) throws CorruptException {
    Reference found = reference(tensor);
    return found.external && found.here ? found.name : null;
  }

  /**
   * What a tensor says of where its data are.
   *
   * @param location the last one, in words for messages
   * @param here whether a location is this file
   * @param elsewhere whether a location is another one
   */
  private record Reference(
      String name, boolean external, String location, boolean here, boolean elsewhere) {}

  private Reference reference(Cursor tensor) throws CorruptException {
    String name = "";
    String location = "";
    boolean external = false;
    boolean here = false;
    boolean elsewhere = false;
    while (tensor.next()) {
      if (tensor.is(TENSOR_NAME)) {
        name = tensor.text();
      } else if (tensor.field == TENSOR_DATA_LOCATION && tensor.wireType == VARINT) {
        external |= (int) tensor.value == 1;
      } else if (tensor.is(TENSOR_EXTERNAL_DATA)) {
        String key = "";
        String value = "";
        Cursor entry = tensor.inside();
        while (entry.next()) {
          if (entry.is(1)) {
            key = entry.text();
          } else if (entry.is(2)) {
            value = entry.text();
          }
        }
        if (key.equals("location")) {
          location = value;
          here |= value.equals(LOCATION);
          elsewhere |= !value.equals(LOCATION);
        }
      }
    }
    return new Reference(name, external, location, here, elsewhere);
  }

  /** Walks the fields of one message. */
  private final class Cursor {
    private final int end;
    private int at;
    private int start;
    private int field;
    private int wireType;
    private long value;
    private int contentStart;

    Cursor(int start, int end) {
      this.at = start;
      this.end = end;
    }

    /** Goes to the next field; false at the end. */
    boolean next() throws CorruptException {
      if (at == end) {
        return false;
      }
      start = at;
      long tag = varint();
      if (tag >>> 3 == 0 || tag >>> 3 > 0x1FFFFFFF) {
        throw broken("field number " + (tag >>> 3));
      }
      field = (int) (tag >>> 3);
      wireType = (int) (tag & 7);
      switch (wireType) {
        case VARINT -> value = varint();
        case FIXED64 -> skip(8);
        case FIXED32 -> skip(4);
        case LENGTH_DELIMITED -> {
          long length = varint();
          contentStart = at;
          skip(length);
        }
        default -> throw broken("wire type " + wireType);
      }
      return true;
    }

    /** Whether the field has that number and is length-delimited. */
    boolean is(int number) {
      return field == number && wireType == LENGTH_DELIMITED;
    }

    Cursor inside() {
      return new Cursor(contentStart, at);
    }

    String text() {
      return new String(model, contentStart, at - contentStart, StandardCharsets.UTF_8);
    }

    private long varint() throws CorruptException {
      long result = 0;
      for (int shift = 0; shift < 64; shift += 7) {
        if (at == end) {
          throw broken("end of a message inside a number");
        }
        byte b = model[at++];
        result |= (long) (b & 0x7F) << shift;
        if (b >= 0) {
          return result;
        }
      }
      throw broken("number of more than 10 bytes");
    }

    private void skip(long length) throws CorruptException {
      if (length < 0 || length > end - at) {
        throw broken("field of " + Long.toUnsignedString(length) + " bytes");
      }
      at += (int) length;
    }

    private CorruptException broken(String found) {
      return new CorruptException(
          label + ": " + found + " at byte " + start + ", expected an ONNX model");
    }
  }

  /** Bytes being written. */
  private final class Out extends ByteArrayOutputStream {
    void copy(Cursor cursor) {
      write(model, cursor.start, cursor.at - cursor.start);
    }

    void message(int field, Out content) {
      tag(field);
      varint(content.size());
      content.writeTo(this);
    }

    private void writeTo(Out other) {
      other.write(buf, 0, count);
    }

    void tag(int field) {
      varint(((long) field << 3) | LENGTH_DELIMITED);
    }

    void varint(long value) {
      long rest = value;
      while ((rest & ~0x7FL) != 0) {
        write((int) ((rest & 0x7F) | 0x80));
        rest >>>= 7;
      }
      write((int) rest);
    }
  }
}
