package io.pseed.converter.export;

import io.pseed.converter.export.SafetensorsWriter.Entry;
import io.pseed.converter.source.safetensors.SafetensorsFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Tensors with random bytes, and a file of them written in random pieces. */
record RandomTensors(List<Entry> entries, Map<String, byte[]> data, Random random) {
  static RandomTensors of(List<Entry> entries, long seed) {
    Random random = new Random(seed);
    Map<String, byte[]> data = new HashMap<>();
    for (Entry entry : entries) {
      long size = entry.dtype().byteSize(SafetensorsFormat.elements(entry.shape()));
      byte[] bytes = new byte[Math.toIntExact(size)];
      random.nextBytes(bytes);
      data.put(entry.name(), bytes);
    }
    return new RandomTensors(entries, data, random);
  }

  void write(Path target, Map<String, String> metadata) throws IOException {
    try (SafetensorsWriter writer = SafetensorsWriter.create(target, entries, metadata)) {
      for (Entry entry : writer.entries()) {
        byte[] bytes = data.get(entry.name());
        List<ByteBuffer> pieces = new ArrayList<>();
        int from = 0;
        while (from < bytes.length) {
          int length = 1 + random.nextInt(bytes.length - from);
          pieces.add(ByteBuffer.wrap(bytes, from, length));
          from += length;
        }
        if (random.nextBoolean()) {
          writer.write(entry.name(), pieces.toArray(new ByteBuffer[0]));
        } else {
          for (int i = pieces.size() - 1; i >= 0; i--) {
            writer.writeAt(entry.name(), pieces.get(i).position(), pieces.get(i));
          }
        }
      }
      writer.finish();
    }
  }
}
