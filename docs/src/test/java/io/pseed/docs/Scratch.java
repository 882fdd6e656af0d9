package io.pseed.docs;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A folder with what the documents take for granted: a model, a checkpoint, a tokenizer, inputs.
 */
final class Scratch {
  private static final Path MODELS = Path.of("..", "maven-plugin", "src", "it", "models");

  private Scratch() {}

  static void fill(Path folder) throws IOException {
    Files.copy(MODELS.resolve("tiny.onnx"), folder.resolve("model.onnx"));
    Path checkpoint = Files.createDirectory(folder.resolve("checkpoint"));
    Files.copy(MODELS.resolve("tiny.safetensors"), checkpoint.resolve("model.safetensors"));
    try (ZipOutputStream zip =
        new ZipOutputStream(Files.newOutputStream(folder.resolve("inputs.npz")))) {
      zip.putNextEntry(new ZipEntry("input_ids.npy"));
      Files.copy(MODELS.resolve("tokens.npy"), zip);
    }
    Files.write(
        folder.resolve("texts.txt"),
        Collections.nCopies(40, "the cat sat on the mat and saw a dog"),
        StandardCharsets.UTF_8);
    Files.writeString(folder.resolve("tokenizer.json"), tokenizer());
    Files.createDirectories(folder.resolve("com").resolve("acme"));
  }

  /** A word is a token. */
  private static String tokenizer() {
    StringBuilder vocabulary = new StringBuilder("\"[UNK]\": 0");
    int id = 1;
    for (String word : new String[] {"the", "cat", "sat", "on", "mat", "and", "saw", "a", "dog"}) {
      vocabulary.append(", \"").append(word).append("\": ").append(id++);
    }
    return """
        {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
         "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null, "decoder": null,
         "model": {"type": "WordLevel", "vocab": {%s}, "unk_token": "[UNK]"}}
        """
        .formatted(vocabulary);
  }
}
