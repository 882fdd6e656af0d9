package io.pseed.maven;

import ai.onnxruntime.OrtEnvironment;
import io.pseed.converter.Converter;
import io.pseed.converter.Version;
import io.pseed.converter.command.InputSettings;
import io.pseed.converter.inputs.InputFiles;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.PseedReader;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.CodeSource;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Of all that decides the bytes of a conversion: what has the same fingerprint needs no conversion.
 * Threads decide nothing.
 */
final class Fingerprint {
  /** Changes when fingerprints of old caches must not be found any more. */
  private static final String SCHEME = "1";

  private final MessageDigest digest = SafeFiles.sha256();

  private Fingerprint() {}

  /** Of a conversion. */
  static String of(TensorSource source, Model model, ModelSettings settings) throws IOException {
    Fingerprint fingerprint = new Fingerprint();
    fingerprint.add("scheme", SCHEME);
    fingerprint.add("converter", Version.VERSION + program());
    fingerprint.add("onnxruntime", OrtEnvironment.class.getPackage().getImplementationVersion());
    // The name stands in the file.
    fingerprint.add("name", source.path().getFileName());
    fingerprint.add("format", source.format());
    for (Path file : source.files()) {
      fingerprint.add("source", SafeFiles.digest(file));
    }
    fingerprint.add("bits", model.bits);
    fingerprint.add("targetSize", model.targetSize);
    fingerprint.add("minCosine", model.minCosine);
    fingerprint.add("seedBits", model.seedBits);
    fingerprint.add("layerSeeds", model.layerSeeds);
    fingerprint.data("calibration", model.calibration, settings);
    fingerprint.add("calibrationInputs", model.calibrationInputs);
    Optional<Path> tokenizer =
        model.tokenizer == null
            ? InputFiles.tokenizerBeside(source.path())
            : Optional.of(settings.path(model.tokenizer));
    fingerprint.add("tokenizer", tokenizer.isPresent() ? SafeFiles.digest(tokenizer.get()) : "");
    fingerprint.add("inputShapes", model.inputShapes == null ? List.of() : model.inputShapes);
    fingerprint.add("imageLevels", model.imageLevels);
    fingerprint.add("bgr", model.bgr);
    fingerprint.data("judge", model.judge, settings);
    fingerprint.add("plan", model.plan == null ? "" : SafeFiles.digest(settings.path(model.plan)));
    return fingerprint.end();
  }

  /** Of an export of a file with this digest. */
  static String ofExport(String digest, String format) throws IOException {
    return of(List.of(digest, format, Version.VERSION + program()));
  }

  /** Of parts that are known. */
  static String of(List<String> parts) {
    Fingerprint fingerprint = new Fingerprint();
    parts.forEach(part -> fingerprint.add("part", part));
    return fingerprint.end();
  }

  /** A path is what its files hold, wherever they are; a word is itself. */
  private void data(String key, String data, ModelSettings settings) throws IOException {
    if (data == null || InputSettings.isWord(data) || data.equals(ModelSettings.NO_CALIBRATION)) {
      add(key, data);
      return;
    }
    for (Map.Entry<String, Path> file : ModelFiles.filesOf(settings.path(data)).entrySet()) {
      add(key, file.getKey());
      add(key, SafeFiles.digest(file.getValue()));
    }
  }

  /** Each with its length, so that no two lists of parts give the same text. */
  private void add(String key, Object value) {
    String text = Objects.toString(value, "");
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    digest.update((key + " " + bytes.length + "\n").getBytes(StandardCharsets.UTF_8));
    digest.update(bytes);
  }

  private String end() {
    return HexFormat.of().formatHex(digest.digest());
  }

  /** A snapshot's version does not say what the program does, so its bytes must. */
  private static String program() throws IOException {
    if (!Version.VERSION.endsWith("-SNAPSHOT")) {
      return "";
    }
    Fingerprint fingerprint = new Fingerprint();
    for (Class<?> part : List.of(Converter.class, PseedReader.class)) {
      CodeSource code = part.getProtectionDomain().getCodeSource();
      if (code != null && code.getLocation() != null) {
        try {
          Path place = Path.of(code.getLocation().toURI());
          if (Files.exists(place)) {
            for (Path file : ModelFiles.filesOf(place).values()) {
              fingerprint.add("program", SafeFiles.digest(file));
            }
          }
        } catch (URISyntaxException e) {
          throw new IOException(code.getLocation() + ": is no place of files", e);
        }
      }
    }
    return " " + fingerprint.end();
  }
}
