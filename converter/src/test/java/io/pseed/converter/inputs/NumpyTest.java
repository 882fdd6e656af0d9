package io.pseed.converter.inputs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.onnx.proto.TensorProto.DataType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that numpy wrote. */
class NumpyTest {
  private static final String SCRIPT =
      """
      import sys, zipfile, numpy as np
      x = np.arange(24).reshape(4, 3, 2)
      for t in ['f2', '<f4', '>f4', 'f8']:
          np.savez(sys.argv[1] + '/s' + t[-2:] + t[0].replace('<', 'l').replace('>', 'b') + '.npz', x=x.astype(t))
      np.savez_compressed(sys.argv[1] + '/packed.npz', x=np.asfortranarray(x.astype('f4')))
      with zipfile.ZipFile(sys.argv[1] + '/zip64.npz', 'w') as z:
          with z.open('x.npy', 'w', force_zip64=True) as f:
              np.lib.format.write_array(f, x.astype('f4'), version=(3, 0))
      """;

  @TempDir Path dir;

  @Test
  void areReadAsTheyWereMeant() throws Exception {
    try {
      Process python =
          new ProcessBuilder("python3", "-c", SCRIPT, dir.toString())
              .redirectErrorStream(true)
              .start();
      String said =
          new String(
              python.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
      assertThat(python.waitFor(60, TimeUnit.SECONDS)).isTrue();
      if (said.contains("No module named")) {
        System.out.println("NumpyTest skipped: " + said.strip());
      }
      assumeTrue(!said.contains("No module named"), said);
      assertThat(python.exitValue()).as(said).isZero();
    } catch (IOException e) {
      System.out.println("NumpyTest skipped: python3 cannot be started: " + e);
      assumeTrue(false, e.toString());
    }
    InputSignature signature = new Signatures().input("x", DataType.FLOAT, -1, 3, 2).signature();
    for (String name : new String[] {"sf2f", "sf4l", "sf4b", "sf8f", "packed", "zip64"}) {
      CalibrationInputs inputs = ArrayInputs.read(dir.resolve(name + ".npz"), signature, 9);
      assertThat(inputs.size()).as(name).isEqualTo(4);
      Map<String, OnnxTensor> made = inputs.make(OrtEnvironment.getEnvironment(), 2);
      for (int i = 0; i < 6; i++) {
        assertThat(made.get("x").getFloatBuffer().get(i)).as(name).isEqualTo(12f + i);
      }
      made.values().forEach(OnnxTensor::close);
    }
  }
}
