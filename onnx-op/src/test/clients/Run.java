import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import io.pseed.onnx.PseedOpLibrary;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * java Run.java MODEL.onnx OUT [library]: the same inputs as run.mjs and run.py, the first output
 * to OUT.
 */
public class Run {
  public static void main(String[] args) throws Exception {
    OrtEnvironment env = OrtEnvironment.getEnvironment();
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    if (args.length > 2) {
      PseedOpLibrary.register(options);
    }
    try (OrtSession session = env.createSession(args[0], options)) {
      Map<String, OnnxTensor> inputs = new HashMap<>();
      for (String name : session.getInputNames()) {
        long[] values = new long[2 * 24];
        for (int i = 0; i < values.length; i++) {
          values[i] =
              name.equals("input_ids") ? 1000 + 37 * i : name.equals("attention_mask") ? 1 : 0;
        }
        inputs.put(name, OnnxTensor.createTensor(env, LongBuffer.wrap(values), new long[] {2, 24}));
      }
      try (OrtSession.Result result = session.run(inputs)) {
        ByteBuffer bytes =
            ((OnnxTensor) result.get(0)).getByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        byte[] out = new byte[bytes.remaining()];
        bytes.get(out);
        Files.write(Path.of(args[1]), out);
      }
    }
    System.out.println("ONNX Runtime " + env.getVersion());
  }
}
