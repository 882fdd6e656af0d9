package io.pseed.vectors;

import java.util.Arrays;

/** Writes DEFLATE streams block by block from the text of RFC 1951: no match is searched for. */
final class Deflated {
  private final Bytes out = new Bytes();
  private int bits;
  private int count;

  /** A block without compression, of at most 65535 bytes. */
  Deflated stored(byte[] content, boolean last) {
    header(0, last);
    align();
    out.u16(content.length).u16(~content.length).raw(content);
    return this;
  }

  /** Begins a block of fixed Huffman codes. */
  Deflated fixed(boolean last) {
    return header(1, last);
  }

  /** The three bits that a block begins with. */
  Deflated header(int type, boolean last) {
    return bits(last ? 1 : 0, 1).bits(type, 2);
  }

  /** A literal or length symbol by its fixed code (section 3.2.6); 256 ends the block. */
  Deflated symbol(int symbol) {
    if (symbol < 144) {
      return code(0x30 + symbol, 8);
    }
    if (symbol < 256) {
      return code(0x190 + symbol - 144, 9);
    }
    return symbol < 280 ? code(symbol - 256, 7) : code(0xC0 + symbol - 280, 8);
  }

  Deflated literals(byte[] content) {
    for (byte b : content) {
      symbol(Byte.toUnsignedInt(b));
    }
    return this;
  }

  /** A distance symbol by its fixed code. */
  Deflated distance(int symbol) {
    return code(symbol, 5);
  }

  /** 258 bytes from {@code distanceSymbol}, which has no extra bits, {@code times} times. */
  Deflated longest(int distanceSymbol, int times) {
    for (int i = 0; i < times; i++) {
      symbol(285).distance(distanceSymbol);
    }
    return this;
  }

  /** Bits as a number, the least significant first. */
  Deflated bits(int value, int width) {
    for (int i = 0; i < width; i++) {
      bits |= (value >> i & 1) << count++;
      if (count == 8) {
        out.u8(bits);
        bits = 0;
        count = 0;
      }
    }
    return this;
  }

  /** A Huffman code: the most significant bit first. */
  private Deflated code(int value, int width) {
    for (int i = width - 1; i >= 0; i--) {
      bits(value >> i & 1, 1);
    }
    return this;
  }

  /** Zero bits to the next byte. */
  private void align() {
    bits(0, (8 - count) % 8);
  }

  byte[] toArray() {
    align();
    return out.toArray();
  }

  /** Decodes a valid stream bit by bit, as section 3.2 of the RFC reads. */
  static byte[] slowly(byte[] stream) {
    Bytes out = new Bytes();
    Input in = new Input(stream);
    boolean last;
    do {
      last = in.bits(1) == 1;
      int type = in.bits(2);
      if (type == 0) {
        in.at = (in.at + 7) / 8 * 8;
        int length = in.bits(16);
        in.bits(16);
        for (int i = 0; i < length; i++) {
          out.u8(in.bits(8));
        }
      } else {
        int[][] lengths = type == 1 ? fixedLengths() : in.dynamicLengths();
        in.block(lengths[0], lengths[1], out);
      }
    } while (!last);
    return out.toArray();
  }

  private static int[][] fixedLengths() {
    int[] literals = new int[288];
    Arrays.fill(literals, 0, 144, 8);
    Arrays.fill(literals, 144, 256, 9);
    Arrays.fill(literals, 256, 280, 7);
    Arrays.fill(literals, 280, 288, 8);
    int[] distances = new int[30];
    Arrays.fill(distances, 5);
    return new int[][] {literals, distances};
  }

  private static final class Input {
    private static final int[] ORDER = {
      16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15
    };

    private final byte[] stream;
    private int at;

    Input(byte[] stream) {
      this.stream = stream;
    }

    int bits(int width) {
      int value = 0;
      for (int i = 0; i < width; i++, at++) {
        value |= (stream[at / 8] >> at % 8 & 1) << i;
      }
      return value;
    }

    /** Reads a symbol of the canonical code with these lengths. */
    int symbol(int[] lengths) {
      int code = 0;
      int first = 0;
      for (int width = 1; width <= 15; width++) {
        code = code << 1 | bits(1);
        int rank = code - first;
        int ofWidth = 0;
        for (int symbol = 0; symbol < lengths.length; symbol++) {
          if (lengths[symbol] == width && ofWidth++ == rank) {
            return symbol;
          }
        }
        first = (first + ofWidth) << 1;
      }
      throw new IllegalStateException("no code");
    }

    int[][] dynamicLengths() {
      int literals = bits(5) + 257;
      int distances = bits(5) + 1;
      int codes = bits(4) + 4;
      int[] codeLengths = new int[19];
      for (int i = 0; i < codes; i++) {
        codeLengths[ORDER[i]] = bits(3);
      }
      int[] all = new int[literals + distances];
      for (int i = 0; i < all.length; ) {
        int symbol = symbol(codeLengths);
        int value = symbol < 16 ? symbol : symbol == 16 ? all[i - 1] : 0;
        int times =
            switch (symbol) {
              case 16 -> 3 + bits(2);
              case 17 -> 3 + bits(3);
              case 18 -> 11 + bits(7);
              default -> 1;
            };
        Arrays.fill(all, i, i + times, value);
        i += times;
      }
      return new int[][] {
        Arrays.copyOf(all, literals), Arrays.copyOfRange(all, literals, all.length)
      };
    }

    void block(int[] literals, int[] distances, Bytes out) {
      for (int symbol = symbol(literals); symbol != 256; symbol = symbol(literals)) {
        if (symbol < 256) {
          out.u8(symbol);
          continue;
        }
        int length;
        if (symbol < 265) {
          length = symbol - 254;
        } else if (symbol == 285) {
          length = 258;
        } else {
          int extra = (symbol - 261) / 4;
          length = 3 + ((4 + (symbol - 261) % 4) << extra) + bits(extra);
        }
        int code = symbol(distances);
        int extra = Math.max(0, code / 2 - 1);
        int distance = code < 4 ? code + 1 : 1 + ((2 + code % 2) << extra) + bits(extra);
        byte[] before = out.toArray();
        for (int i = 0; i < length; i++) {
          out.u8(before[before.length - distance + i % distance]);
        }
      }
    }
  }
}
