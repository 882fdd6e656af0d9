package io.pseed.converter.fuzz;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.pseed.converter.onnx.proto.AttributeProto;
import io.pseed.converter.onnx.proto.FunctionProto;
import io.pseed.converter.onnx.proto.GraphProto;
import io.pseed.converter.onnx.proto.ModelProto;
import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.onnx.proto.OperatorSetIdProto;
import io.pseed.converter.onnx.proto.StringStringEntryProto;
import io.pseed.converter.onnx.proto.TensorProto;
import io.pseed.converter.plan.Plan;
import io.pseed.converter.plan.PlanJson;
import io.pseed.converter.plan.TensorPlan;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Every file that a fuzzer starts from, and every finding, through the target that read it. The
 * seeds are made again with {@code -Dpseed.writeSeeds=true}; findings lie beside them.
 */
class FuzzTargetsTest {
  private static final Path CORPUS = Path.of("src", "test", "fuzz");

  private static void replay(String name, Consumer<byte[]> target) throws IOException {
    int count = 0;
    try (Stream<Path> files = Files.list(CORPUS.resolve(name))) {
      for (Path file : files.sorted().toList()) {
        target.accept(Files.readAllBytes(file));
        count++;
      }
    }
    assertThat(count).isGreaterThan(3);
  }

  @Test
  void onnx() throws IOException {
    replay("onnx", OnnxFuzzer::fuzzerTestOneInput);
  }

  @Test
  void safetensors() throws IOException {
    replay("safetensors", SafetensorsFuzzer::fuzzerTestOneInput);
  }

  @Test
  void plans() throws IOException {
    replay("plan", PlanFuzzer::fuzzerTestOneInput);
  }

  @BeforeAll
  static void writeIfAsked() throws IOException {
    if (Boolean.getBoolean("pseed.writeSeeds")) {
      seeds();
    }
  }

  private static void write(String name, byte[] bytes) throws IOException {
    Path file = CORPUS.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, bytes);
  }

  private static void seeds() throws IOException {
    TensorProto.Builder weight =
        TensorProto.newBuilder().setName("w").setDataType(1).addDims(16).addDims(16);
    TensorProto raw = weight.clone().setRawData(ByteString.copyFrom(new byte[1024])).build();
    TensorProto.Builder floats = weight.clone();
    TensorProto.Builder ints = TensorProto.newBuilder().setName("i").setDataType(6).addDims(256);
    for (int i = 0; i < 256; i++) {
      floats.addFloatData(i);
      ints.addInt32Data(i);
    }
    TensorProto external =
        weight
            .clone()
            .setDataLocation(TensorProto.DataLocation.EXTERNAL)
            .addExternalData(
                StringStringEntryProto.newBuilder().setKey("location").setValue("w.bin"))
            .build();
    NodeProto matMul = node("MatMul", "y", "x", "w");
    write("onnx/raw", model(GraphProto.newBuilder().addInitializer(raw).addNode(matMul)));
    write("onnx/floats", model(GraphProto.newBuilder().addInitializer(floats).addNode(matMul)));
    write("onnx/ints", model(GraphProto.newBuilder().addInitializer(ints)));
    write("onnx/external", model(GraphProto.newBuilder().addInitializer(external).addNode(matMul)));
    NodeProto constant =
        node("Constant", "w").toBuilder()
            .addAttribute(AttributeProto.newBuilder().setName("value").setT(raw))
            .build();
    GraphProto branch = GraphProto.newBuilder().addNode(constant).addNode(matMul).build();
    NodeProto condition =
        node("If", "y", "c").toBuilder()
            .addAttribute(AttributeProto.newBuilder().setName("then_branch").setG(branch))
            .addAttribute(AttributeProto.newBuilder().setName("else_branch").setG(branch))
            .build();
    write("onnx/branches", model(GraphProto.newBuilder().addNode(condition)));
    FunctionProto function =
        FunctionProto.newBuilder()
            .setDomain("f")
            .setName("F")
            .addInput("x")
            .addOutput("y")
            .addNode(constant)
            .addNode(matMul)
            .build();
    write(
        "onnx/function",
        ModelProto.parseFrom(
                model(
                    GraphProto.newBuilder()
                        .addNode(node("F", "y", "x").toBuilder().setDomain("f"))))
            .toBuilder()
            .addFunctions(function)
            .build()
            .toByteArray());
    write("safetensors/empty", safetensors("{}", 0));
    write(
        "safetensors/two",
        safetensors(
            "{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,2],"
                + "\"data_offsets\":[0,16]},\"b\":{\"dtype\":\"I8\",\"shape\":[3],"
                + "\"data_offsets\":[16,19]}}",
            19));
    write(
        "safetensors/scalar",
        safetensors("{\"s\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[0,2]}}  ", 2));
    write(
        "safetensors/packed",
        safetensors("{\"q\":{\"dtype\":\"F4\",\"shape\":[2,0],\"data_offsets\":[0,0]}}", 0));
    write(
        "safetensors/long",
        safetensors(
            "{\"n\":{\"dtype\":\"U64\",\"shape\":[1,1,1,1,1,1,1,1],\"data_offsets\":[0,8]}}", 8));
    write(
        "plan/raw", text(List.of(TensorPlan.raw("a", "small"), TensorPlan.raw("b", "an integer"))));
    String trellis =
        "{\"pseedPlan\":1,\"tensors\":[{\"name\":\"w\",\"codec\":\"trellis\",\"rows\":128,"
            + "\"cols\":256,\"transposed\":false,\"L\":12,\"rowBlock\":128,\"colBlock\":64,"
            + "\"rowScale\":\"auto\",\"colScale\":\"f16\",\"panels\":{\"axis\":\"columns\","
            + "\"lengths\":[200,56],\"rates\":[4,3]},\"layerSeed\":true,\"minSnrDb\":19.5}]}";
    write("plan/trellis", trellis.getBytes(StandardCharsets.UTF_8));
    write(
        "plan/disk",
        trellis
            .replace("\"L\":12", "\"L\":16,\"kappa\":200")
            .replace("columns", "rows")
            .replace("[200,56]", "[64,64]")
            .getBytes(StandardCharsets.UTF_8));
    write("plan/empty", text(List.of()));
  }

  private static byte[] text(List<TensorPlan> tensors) {
    return PlanJson.write(new Plan(tensors)).getBytes(StandardCharsets.UTF_8);
  }

  private static NodeProto node(String op, String output, String... inputs) {
    return NodeProto.newBuilder()
        .setOpType(op)
        .addOutput(output)
        .addAllInput(List.of(inputs))
        .build();
  }

  private static byte[] model(GraphProto.Builder graph) {
    return ModelProto.newBuilder()
        .setIrVersion(8)
        .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(17))
        .setGraph(graph.setName("g"))
        .build()
        .toByteArray();
  }

  private static byte[] safetensors(String header, int data) {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer file = ByteBuffer.allocate(8 + text.length + data).order(ByteOrder.LITTLE_ENDIAN);
    return file.putLong(text.length).put(text).array();
  }
}
