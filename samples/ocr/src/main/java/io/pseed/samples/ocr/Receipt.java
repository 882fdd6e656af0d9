package io.pseed.samples.ocr;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.List;

/** A picture with text: what stands in it is known. */
final class Receipt {
  static final List<String> LINES =
      List.of("GARDEN SHOP", "Tomato seeds", "Sunflower seeds", "Total 17.40", "2026-11-24");

  private Receipt() {}

  static BufferedImage draw() {
    BufferedImage picture = new BufferedImage(480, 352, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = picture.createGraphics();
    g.setRenderingHint(
        RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    g.setColor(new Color(245, 242, 230));
    g.fillRect(0, 0, picture.getWidth(), picture.getHeight());
    g.setColor(new Color(30, 30, 60));
    for (int i = 0; i < LINES.size(); i++) {
      g.setFont(new Font(Font.SANS_SERIF, i == 0 ? Font.BOLD : Font.PLAIN, i == 0 ? 36 : 28));
      g.drawString(LINES.get(i), 40 + 20 * (i % 2), 60 + 62 * i);
    }
    g.dispose();
    return picture;
  }
}
