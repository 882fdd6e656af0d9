package io.pseed.converter.source.safetensors;

import static io.pseed.converter.source.safetensors.RawFiles.tensor;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.pseed.converter.source.SourceException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every file that must be refused, with the words that the message must have. */
class SafetensorsBadInputTest {
  private static final String OK = tensor("a", "F32", "[2]", 0, 8);

  @TempDir Path folder;

  static Stream<Arguments> headers() {
    return Stream.of(
        arguments("duplicate tensor", "{" + OK + "," + OK + "}", 8, "Duplicate field 'a'"),
        arguments(
            "duplicate member",
            "{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
            8,
            "Duplicate field 'dtype'"),
        arguments(
            "duplicate by escape",
            "{" + OK + "," + OK.replace("\"a\"", "\"\\u0061\"") + "}",
            8,
            "Duplicate field 'a'"),
        arguments(
            "duplicate in metadata",
            "{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}," + OK + "}",
            8,
            "Duplicate field 'k'"),
        arguments(
            "two metadata",
            "{\"__metadata__\":{},\"__metadata__\":{}}",
            0,
            "Duplicate field '__metadata__'"),
        arguments("cut JSON", "{" + OK, 8, "header is not strict JSON"),
        arguments("comment", "{/* */" + OK + "}", 8, "header is not strict JSON"),
        arguments("trailing comma", "{" + OK + ",}", 8, "header is not strict JSON"),
        arguments("single quotes", "{'a':1}", 0, "header is not strict JSON"),
        arguments("after the object", "{" + OK + "} {}", 8, "after its JSON object"),
        arguments("NUL padding", "{" + OK + "}\0\0", 8, "header is not strict JSON"),
        arguments("leading space", " {" + OK + "}", 8, "begins with byte 0x20 at file offset 8"),
        arguments("array", "[1]", 0, "begins with byte 0x5b at file offset 8, expected '{'"),
        arguments(
            "deep", "{\"a\":" + "[".repeat(100) + "]".repeat(100) + "}", 0, "expected an object"),
        arguments(
            "deep in shape",
            "{\"a\":{\"shape\":" + "[".repeat(100) + "]".repeat(100) + "}}",
            0,
            "shape has an array at index 0, expected an integer"),
        arguments(
            "tensor is a number", "{\"a\":3}", 0, "tensor 'a': its description is the number"),
        arguments("tensor is null", "{\"a\":null}", 0, "tensor 'a': its description is null"),
        arguments("empty name", "{" + tensor("", "U8", "[0]", 0, 0) + "}", 0, "empty name"),
        arguments(
            "high half of a pair in a name",
            "{" + tensor("\\ud800", "U8", "[0]", 0, 0) + "}",
            0,
            "header is not strict JSON"),
        arguments(
            "low half of a pair in a name",
            "{" + tensor("\\udc00", "U8", "[0]", 0, 0) + "}",
            0,
            "surrogate"),
        arguments(
            "high half of a pair in metadata",
            "{\"__metadata__\":{\"k\":\"\\ud800\"}}",
            0,
            "surrogate"),
        arguments(
            "low half of a pair in metadata",
            "{\"__metadata__\":{\"k\":\"\\udc00x\"}}",
            0,
            "surrogate"),
        arguments(
            "unknown member",
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0],\"x\":1}}",
            0,
            "tensor 'a': unknown member 'x', expected dtype, shape and data_offsets"),
        arguments(
            "no dtype", "{\"a\":{\"shape\":[0],\"data_offsets\":[0,0]}}", 0, "dtype is missing"),
        arguments(
            "no shape", "{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,0]}}", 0, "shape is missing"),
        arguments(
            "no offsets", "{\"a\":{\"dtype\":\"U8\",\"shape\":[0]}}", 0, "data_offsets is missing"),
        arguments(
            "unknown dtype",
            "{" + tensor("a", "F99", "[2]", 0, 8) + "}",
            8,
            "tensor 'a': unknown dtype 'F99', expected one of [BOOL, F4"),
        arguments("pseed-only dtype", "{" + tensor("a", "I4", "[2]", 0, 1) + "}", 1, "dtype 'I4'"),
        arguments("lower case", "{" + tensor("a", "f32", "[2]", 0, 8) + "}", 8, "dtype 'f32'"),
        arguments("dtype number", "{\"a\":{\"dtype\":3}}", 0, "dtype is the number '3'"),
        arguments("shape string", "{\"a\":{\"shape\":\"2\"}}", 0, "shape is the string '2'"),
        arguments(
            "negative dimension",
            "{" + tensor("a", "F32", "[-2]", 0, 8) + "}",
            8,
            "shape has the number '-2' at index 0, expected an integer of 0 or more"),
        arguments("minus zero", "{" + tensor("a", "F32", "[-0]", 0, 0) + "}", 0, "'-0' at index 0"),
        arguments("fraction", "{" + tensor("a", "F32", "[2.0]", 0, 8) + "}", 8, "number '2.0'"),
        arguments("exponent", "{" + tensor("a", "F32", "[2e0]", 0, 8) + "}", 8, "number '2e0'"),
        arguments("bool in shape", "{" + tensor("a", "F32", "[true]", 0, 8) + "}", 8, "has true"),
        arguments(
            "2^64",
            "{" + tensor("a", "F32", "[18446744073709551616]", 0, 8) + "}",
            8,
            "shape has '18446744073709551616', expected less than 2^63"),
        arguments(
            "very long number",
            "{" + tensor("a", "F32", "[" + "9".repeat(5000) + "]", 0, 8) + "}",
            8,
            "(5000"),
        arguments(
            "product overflow",
            "{" + tensor("a", "U8", "[4294967296,4294967296,4294967296]", 0, 8) + "}",
            8,
            "tensor 'a': shape [4294967296, 4294967296, 4294967296] of U8 overflows"),
        arguments(
            "byte size overflow",
            "{" + tensor("a", "F64", "[4611686018427387904]", 0, 0) + "}",
            0,
            "overflows"),
        arguments(
            "overflow hidden by 0",
            "{" + tensor("a", "U8", "[4294967296,4294967296,0]", 0, 0) + "}",
            0,
            "overflows"),
        arguments(
            "9 dimensions",
            "{" + tensor("a", "U8", "[1,1,1,1,1,1,1,1,1]", 0, 1) + "}",
            1,
            "shape has more than 8 dimensions"),
        arguments(
            "wrong size",
            "{" + tensor("a", "F32", "[3]", 0, 8) + "}",
            8,
            "data_offsets [0, 8] hold 8 bytes, but shape [3] of F32 takes 12"),
        arguments(
            "half a byte",
            "{" + tensor("a", "F4", "[3]", 0, 2) + "}",
            2,
            "shape [3] of F4 (4 bits) does not fill whole bytes"),
        arguments(
            "three offsets",
            "{" + tensor("a", "F32", "[2]", 0, 8).replace("[0,8]", "[0,8,8]") + "}",
            8,
            "more than 2 numbers"),
        arguments(
            "one offset",
            "{" + tensor("a", "F32", "[2]", 0, 8).replace("[0,8]", "[8]") + "}",
            8,
            "data_offsets are [8], expected [begin, end]"),
        arguments(
            "end before begin",
            "{" + tensor("a", "F32", "[2]", 8, 0) + "}",
            8,
            "data_offsets are [8, 0], expected an end not before the begin"),
        arguments(
            "hole at the start",
            "{" + tensor("a", "F32", "[2]", 4, 12) + "}",
            12,
            "data begins at byte 4, expected 0 (file offset"),
        arguments(
            "hole",
            "{" + OK + "," + tensor("b", "U8", "[1]", 9, 10) + "}",
            10,
            "tensor 'b': data begins at byte 9, expected 8"),
        arguments(
            "overlap",
            "{" + OK + "," + tensor("b", "U8", "[4]", 4, 8) + "}",
            8,
            "tensor 'b': data begins at byte 4, expected 8"),
        arguments(
            "the same bytes twice",
            "{" + OK + "," + tensor("b", "F32", "[2]", 0, 8) + "}",
            8,
            "it overlaps tensor 'a'"),
        arguments(
            "truncated data",
            "{" + OK + "}",
            7,
            "tensor 'a' ends at byte 8 of the data, but the data has 7 bytes"),
        arguments("trailing bytes", "{" + OK + "}", 11, "end of the file, but 3 bytes follow"),
        arguments("data without tensors", "{}", 1, "the tensors end at byte 0"),
        arguments("metadata list", "{\"__metadata__\":[]}", 0, "__metadata__ is an array"),
        arguments("metadata null", "{\"__metadata__\":null}", 0, "__metadata__ is null"),
        arguments(
            "metadata number",
            "{\"__metadata__\":{\"k\":1}}",
            0,
            "__metadata__ member 'k' is the number '1', expected a string"),
        arguments(
            "control characters in a name",
            "{" + tensor("a\\u001b[2J\\u202e", "F99", "[2]", 0, 8) + "}",
            8,
            "tensor 'a\\u001b[2J\\u202e': unknown dtype"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("headers")
  void refusesHeader(String what, String header, int dataBytes, String expected) throws Exception {
    Path file = RawFiles.write(folder.resolve("bad.safetensors"), header, dataBytes);

    assertThatThrownBy(() -> SafetensorsSource.open(file))
        .as(what)
        .isInstanceOf(SourceException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContaining(expected)
        .satisfies(e -> assertThat(e.getMessage()).hasSizeLessThan(1500));
    // The reader let go of the file: Windows could not delete it otherwise.
    Files.delete(file);
  }

  static Stream<Arguments> lengths() {
    return Stream.of(
        arguments(0xFFFFFFFFFFFFFFFFL, "header length at file offset 0 is 18446744073709551615"),
        arguments(0xFFFFFF000000003CL, "is 18446742974197923900, expected at most 100000000"),
        arguments(0x8000000000000000L, "is 9223372036854775808, expected at most 100000000"),
        arguments(100_000_001L, "is 100000001, expected at most 100000000"),
        arguments(100_000_000L, "is 100000000, but only 64 bytes follow"),
        arguments(65L, "is 65, but only 64 bytes follow: the file is truncated"),
        arguments(0L, "is 0, expected at least 2"));
  }

  @ParameterizedTest
  @MethodSource("lengths")
  void refusesHeaderLength(long length, String expected) throws Exception {
    byte[] bytes = RawFiles.bytes("{" + OK + "}" + " ".repeat(20), 8);
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
    byte[] file = Arrays.copyOf(bytes, 72);

    refused("bad.safetensors", file, expected);
  }

  @Test
  void refusesShortFiles() throws Exception {
    refused("bad.safetensors", new byte[0], "the file has 0 bytes, expected at least 8");
    refused("bad.safetensors", new byte[7], "the file has 7 bytes, expected at least 8");
    refused("bad.safetensors", new byte[8], "is 0, expected at least 2");
  }

  @Test
  void refusesMalformedUtf8() throws Exception {
    for (String bad : new String[] {"ff", "c0af", "eda080", "f4908080", "e282"}) {
      byte[] header = ("{" + tensor("#", "U8", "[0]", 0, 0) + "}").getBytes(StandardCharsets.UTF_8);
      byte[] name = HexFormat.of().parseHex(bad);
      byte[] broken = new byte[header.length - 1 + name.length];
      System.arraycopy(header, 0, broken, 0, 2);
      System.arraycopy(name, 0, broken, 2, name.length);
      System.arraycopy(header, 3, broken, 2 + name.length, header.length - 3);

      refused(
          "bad.safetensors",
          RawFiles.bytes(broken, 0),
          "header is not UTF-8: byte 0x" + bad.substring(0, 2) + " at file offset 10");
    }
  }

  @Test
  void refusesUtf16WhoseFirstByteIsABrace() throws Exception {
    refused(
        "bad.safetensors",
        RawFiles.bytes("{}".getBytes(StandardCharsets.UTF_16LE), 0),
        "header is not strict JSON");
  }

  static Stream<Arguments> foreign() {
    return Stream.of(
        arguments("080712077079746f7263681a0331", "looks like an ONNX model"),
        arguments("504b03041400000008080000", "looks like a PyTorch checkpoint"),
        arguments("80027d7100580500000061", "looks like a PyTorch checkpoint"),
        arguments("474755460300000000000000", "looks like a GGUF file"),
        arguments("894844460d0a1a0a00000000", "looks like an HDF5 file"),
        arguments("895053440d0a1a0a01000000", "looks like a .pseed file"),
        arguments(hex("version https://git-lfs.github.com/spec/v1\n"), "a Git LFS pointer"),
        arguments(hex("<!DOCTYPE html><html>"), "looks like a web page"),
        arguments(hex("{\"metadata\": {}}"), "must have a name that ends with .safetensors.index"));
  }

  @ParameterizedTest
  @MethodSource("foreign")
  void namesOtherFormats(String hex, String expected) throws Exception {
    refused(
        "model.onnx",
        HexFormat.of().parseHex(hex),
        "this is no safetensors file, it looks like",
        expected);
  }

  @Test
  void aHeaderLengthThatLooksLikeAnotherFormatIsStillRead() throws Exception {
    // Little-endian 08 01 12 00: the first bytes of an ONNX model.
    String header = "{" + OK + "}";
    Path file =
        RawFiles.write(
            folder.resolve("odd.safetensors"), header + " ".repeat(0x120108 - header.length()), 8);

    try (SafetensorsSource source = SafetensorsSource.open(file)) {
      assertThat(source.tensors()).hasSize(1);
    }
  }

  @Test
  void refusesWhatIsNoFile() throws Exception {
    assertThatThrownBy(() -> SafetensorsSource.open(folder.resolve("none.safetensors")))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("none.safetensors: no such file");
    assertThatThrownBy(() -> SafetensorsSource.open(folder))
        .isInstanceOf(SourceException.class)
        .hasMessageContaining("the folder holds no *.safetensors file");
  }

  private void refused(String name, byte[] bytes, String... expected) throws IOException {
    Path file = Files.write(folder.resolve(name), bytes);
    Throwable thrown = catchThrowable(() -> SafetensorsSource.open(file));
    assertThat(thrown)
        .isInstanceOf(SourceException.class)
        .hasMessageStartingWith(file + ": ")
        .hasMessageContainingAll(expected);
  }

  private static String hex(String text) {
    return HexFormat.of().formatHex(text.getBytes(StandardCharsets.UTF_8));
  }
}
