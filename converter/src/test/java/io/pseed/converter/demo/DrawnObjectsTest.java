package io.pseed.converter.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.onnxruntime.OrtEnvironment;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Pictures of an object, and where it is. */
class DrawnObjectsTest {
  private static final int SIDE = 96;

  private final DrawnObjects objects = new DrawnObjects(8, SIDE);

  private static FloatBuffer mask(boolean[] inside) {
    FloatBuffer mask = FloatBuffer.allocate(inside.length);
    for (boolean pixel : inside) {
      mask.put(pixel ? 0.9f : 0.1f);
    }
    return mask.flip();
  }

  @Test
  void everyPictureHasAnObjectAndRoomAroundIt() throws Exception {
    Set<Integer> different = new HashSet<>();
    for (int i = 0; i < objects.count(); i++) {
      DrawnObjects.Scene scene = objects.scene(OrtEnvironment.getEnvironment(), i);
      int covered = 0;
      for (boolean pixel : scene.inside()) {
        covered += pixel ? 1 : 0;
      }
      assertThat((double) covered / (SIDE * SIDE)).isBetween(0.05, 0.5);
      try (var picture = scene.picture()) {
        assertThat(picture.getInfo().getShape()).containsExactly(1, 3, SIDE, SIDE);
        float[] levels = new float[3 * SIDE * SIDE];
        picture.getFloatBuffer().get(levels);
        different.add(Arrays.hashCode(levels));
        for (float level : levels) {
          assertThat(level).isBetween(-0.5f, 0.5f);
        }
      }
    }
    assertThat(different).hasSize(objects.count());
  }

  @Test
  void aMaskIsMeasuredByWhatItShares() throws Exception {
    DrawnObjects.Scene scene = objects.scene(OrtEnvironment.getEnvironment(), 3);
    scene.picture().close();
    boolean[] inside = scene.inside();
    assertThat(DrawnObjects.overlap(mask(inside), inside)).isEqualTo(1);
    boolean[] half = inside.clone();
    int covered = 0;
    for (int i = 0; i < half.length; i++) {
      covered += half[i] ? 1 : 0;
      half[i] &= covered % 2 == 0;
    }
    assertThat(DrawnObjects.overlap(mask(half), inside)).isCloseTo(0.5, within(0.01));
    assertThat(DrawnObjects.overlap(mask(new boolean[inside.length]), inside)).isZero();
  }
}
