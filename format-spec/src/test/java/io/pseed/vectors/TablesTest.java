package io.pseed.vectors;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.pseed.codec.trellis.TrellisCode;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The tables of section 8.3 are the same integers with any mathematical library. */
class TablesTest {
  /** A library with errors below 2^-45 of the largest entry rounds all entries alike. */
  private static final double SAFE = 1e-7;

  @Test
  void noEntryLiesNearATie() {
    double smallest = 1;
    String where = "";
    for (int bits = 8; bits <= 20; bits++) {
      double[] phi = Reference.realPhi(bits);
      for (int kappa = 0; kappa <= 255; kappa++) {
        double[] psi = Reference.realPsi(bits, kappa == 0 ? 0 : 1, kappa);
        double distance = Math.min(distance(psi), distance(phi));
        if (distance < smallest) {
          smallest = distance;
          where = "L = " + bits + (kappa == 0 ? ", law 0" : ", law 1, kappa " + kappa);
        }
      }
    }
    System.out.printf(
        "smallest distance of a table entry from a tie: %.3g (%s)%n", smallest, where);
    assertThat(smallest).as(where).isGreaterThan(SAFE);
  }

  private static double distance(double[] values) {
    double smallest = 1;
    for (double value : values) {
      // Entries beyond the cap are 16383 whatever their last digits.
      if (value < 16384) {
        smallest = Math.min(smallest, Math.abs(value - Math.floor(value) - 0.5));
      }
    }
    return smallest;
  }

  @ParameterizedTest
  @CsvSource({"8,0,0", "9,0,0", "12,0,0", "15,0,0", "20,0,0", "8,1,1", "13,1,128", "20,1,255"})
  void theProductHasTheReferencesTables(int bits, int law, int kappa) {
    TrellisCode code = TrellisCode.of(bits, law, kappa);
    int[] psi = Reference.psi(bits, law, kappa);
    int[] phi = Reference.phi(bits);
    assertThat(code.copyOfRadii()).isEqualTo(shorts(psi));
    assertThat(code.copyOfAngles()).isEqualTo(shorts(phi));
    for (int state = 0; state < 1 << bits; state++) {
      if (code.code(state) != Reference.code(state, bits, psi, phi)) {
        assertThat(code.code(state))
            .as("code of state %d", state)
            .isEqualTo(Reference.code(state, bits, psi, phi));
      }
    }
  }

  /** Every table in tables.json, made by the product. */
  @Test
  void theProductHasThePublishedSums() throws IOException {
    JsonNode tables = new JsonMapper().readTree(Path.of("testdata/tables.json").toFile());
    assertThat(tables).hasSizeGreaterThan(12);
    for (JsonNode table : tables) {
      TrellisCode code =
          TrellisCode.of(
              table.get("L").intValue(),
              table.get("law").intValue(),
              table.get("kappa").intValue());
      Bytes bytes = new Bytes();
      for (short value : code.copyOfRadii()) {
        bytes.u16(value);
      }
      for (short value : code.copyOfAngles()) {
        bytes.u16(value);
      }
      assertThat(Integer.toUnsignedLong(Bytes.crc32c(bytes.toArray())))
          .as(table.toString())
          .isEqualTo(table.get("crc32c").longValue());
    }
  }

  /** The mix must be a bijection, else some seeds would be used twice and others never. */
  @ParameterizedTest
  @ValueSource(ints = {8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void everyRadiusAndAngleComesOnce(int bits) {
    int[] index = new int[1 << (bits / 2)];
    int[] other = new int[1 << (bits - bits / 2)];
    // With psi = 2^15 and phi = the angle's index the code is that index, and the other way round.
    boolean[] seen = new boolean[1 << bits];
    for (int i = 0; i < index.length; i++) {
      index[i] = 1 << 15;
    }
    int[] angle = new int[other.length];
    for (int a = 0; a < angle.length; a++) {
      angle[a] = a;
      other[a] = 1 << 15;
    }
    int[] radius = new int[index.length];
    for (int i = 0; i < radius.length; i++) {
      radius[i] = i;
    }
    for (int state = 0; state < 1 << bits; state++) {
      int a = Reference.code(state, bits, index, angle);
      int r = Reference.code(state, bits, radius, other);
      assertThat(seen[r << (bits - bits / 2) | a]).isFalse();
      seen[r << (bits - bits / 2) | a] = true;
    }
  }

  private static short[] shorts(int[] values) {
    short[] out = new short[values.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (short) values[i];
    }
    return out;
  }
}
