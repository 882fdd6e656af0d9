package io.pseed.converter.calibrate;

import java.util.Arrays;

/**
 * The vectors that one use of a weight sees in one run, by position: what a matrix of positions x
 * size holds, made from the activations in pieces.
 */
abstract class Vectors {
  private final int positions;
  private final int size;

  Vectors(int positions, int size) {
    this.positions = positions;
    this.size = size;
  }

  /** How many vectors there are. */
  final int positions() {
    return positions;
  }

  /** Numbers of a vector. */
  final int size() {
    return size;
  }

  /** Writes vectors {@code first} to {@code first + count - 1} of a group, one behind another. */
  abstract void read(int group, int first, int count, float[] out);

  /** Vectors that stand one behind another. */
  static Vectors rows(float[] values, int size) {
    return new Vectors(values.length / size, size) {
      @Override
      void read(int group, int first, int count, float[] out) {
        System.arraycopy(values, first * size, out, 0, count * size);
      }
    };
  }

  /** Vectors in columns: [..., size, places]. */
  static Vectors columns(float[] values, int size, int places) {
    return new Vectors(values.length / size, size) {
      @Override
      void read(int group, int first, int count, float[] out) {
        for (int t = 0; t < count; t++) {
          int batch = (first + t) / places;
          int place = (first + t) % places;
          for (int i = 0; i < size; i++) {
            out[t * size + i] = values[(batch * size + i) * places + place];
          }
        }
      }
    };
  }

  /**
   * Patches of [N, C, spatial...], one for each place of a window; a patch has the channels of a
   * group in order, each with the window's elements in row-major order.
   *
   * @param shape of the values
   * @param places of the window along each spatial dimension
   * @param groups into which the channels are divided
   */
  static Vectors patches(
      float[] values, long[] shape, ConvWindow window, int[] places, int groups) {
    int rank = places.length;
    int channels = Math.toIntExact(shape[1] / groups);
    int area = 1;
    int each = 1;
    int plane = 1;
    for (int d = 0; d < rank; d++) {
      area *= window.kernel()[d];
      each *= places[d];
      plane = Math.toIntExact(plane * shape[d + 2]);
    }
    int perImage = each;
    int kernel = area;
    int image = plane;
    return new Vectors(Math.toIntExact(shape[0] * each), channels * area) {
      @Override
      void read(int group, int first, int count, float[] out) {
        int[] offset = new int[kernel];
        for (int t = 0; t < count; t++) {
          int at = (first + t) % perImage;
          int n = (first + t) / perImage;
          offsets(at, offset);
          int base = (int) (n * shape[1] + (long) group * channels) * image;
          int to = t * size();
          for (int c = 0; c < channels; c++) {
            for (int k = 0; k < kernel; k++) {
              out[to++] = offset[k] < 0 ? 0 : values[base + offset[k]];
            }
            base += image;
          }
        }
      }

      /** Where in its plane each element of the window stands; -1: in the padding. */
      private void offsets(int place, int[] offset) {
        Arrays.fill(offset, 0);
        int rest = place;
        int stride = 1;
        int inner = 1;
        for (int d = rank - 1; d >= 0; d--) {
          int start = rest % places[d] * window.strides()[d] - window.pads()[d];
          rest /= places[d];
          for (int k = 0; k < kernel; k++) {
            int at = start + k / inner % window.kernel()[d] * window.dilations()[d];
            offset[k] =
                offset[k] < 0 || at < 0 || at >= shape[d + 2] ? -1 : offset[k] + at * stride;
          }
          stride *= (int) shape[d + 2];
          inner *= window.kernel()[d];
        }
      }
    };
  }
}
