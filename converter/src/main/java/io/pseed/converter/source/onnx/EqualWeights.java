package io.pseed.converter.source.onnx;

import io.pseed.converter.source.onnx.WeightHoister.Weight;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds weights that are equal, bit by bit: exporters repeat them in the branches of an If and for
 * layers that share theirs. Weights that differ do so early, so few bytes are read.
 */
final class EqualWeights {
  /** Bytes that are looked at first. */
  private static final int START = 4096;

  private static final int PIECE = 1 << 20;

  /** Smaller ones are not worth a name of another. */
  private static final int SMALLEST = 2048;

  /** Of the weights that begin alike; comparing each with all would have no bound. */
  private static final int MOST_ALIKE = 16;

  private final Map<List<Object>, List<Weight>> known = new HashMap<>();

  /** Remembers a weight, but not more than a few that begin alike. */
  void add(Weight weight) throws IOException {
    List<Weight> alike = known.computeIfAbsent(key(weight), key -> new ArrayList<>());
    if (alike.size() < MOST_ALIKE) {
      alike.add(weight);
    }
  }

  /** The first that was added and is equal in type, shape and all elements, or null. */
  Weight find(Weight weight) throws IOException {
    if (weight.bytes().size() < SMALLEST) {
      return null;
    }
    for (Weight other : known.getOrDefault(key(weight), List.of())) {
      if (equal(weight.bytes(), other.bytes())) {
        return other;
      }
    }
    return null;
  }

  private static List<Object> key(Weight weight) throws IOException {
    int start = (int) Math.min(START, weight.bytes().size());
    return List.of(weight.dtype(), weight.shape(), read(weight.bytes(), 0, start));
  }

  private static boolean equal(TensorBytes a, TensorBytes b) throws IOException {
    if (a.size() != b.size()) {
      return false;
    }
    for (long at = 0; at < a.size(); at += PIECE) {
      int count = (int) Math.min(PIECE, a.size() - at);
      if (!read(a, at, count).equals(read(b, at, count))) {
        return false;
      }
    }
    return true;
  }

  private static ByteBuffer read(TensorBytes bytes, long at, int count) throws IOException {
    ByteBuffer piece = ByteBuffer.allocate(count);
    bytes.read(at, piece);
    return piece.flip();
  }
}
