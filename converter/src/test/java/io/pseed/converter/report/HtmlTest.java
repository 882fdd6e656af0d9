package io.pseed.converter.report;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HtmlTest {
  @Test
  void textIsNoMarkup() {
    assertThat(Html.escape("<script>alert('x' & \"y\")</script>"))
        .isEqualTo("&lt;script&gt;alert(&#39;x&#39; &amp; &quot;y&quot;)&lt;/script&gt;");
    assertThat(new Html().element("td class=\"t\"", "a<b").toString())
        .isEqualTo("<td class=\"t\">a&lt;b</td>");
  }

  @Test
  void whatCannotBeSeenIsMarked() {
    assertThat(Html.escape("a\u0000b\u202Ec\uD800d\u0085e\n"))
        .isEqualTo("a\uFFFDb\uFFFDc\uFFFDd\uFFFDe\uFFFD");
    assertThat(Html.escape("层.权重 🧠")).isEqualTo("层.权重 🧠");
  }
}
