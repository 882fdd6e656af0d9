package io.pseed.converter.report;

import io.pseed.converter.calibrate.CalibrationInputs.Origin;
import io.pseed.converter.verify.Judgement;
import io.pseed.converter.verify.Quality;
import io.pseed.converter.verify.RoundToNearest;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A report as one HTML page: no network, no other file, readable without its script, which only
 * sorts and filters. A content security policy lets that script run and no other.
 */
public final class ReportHtml {
  /** How every report begins. */
  public static final String START = "<!doctype html><!-- pseed report -->";

  /** Layers that get a row. */
  private static final int MOST_LAYERS = 60;

  /** Tensors from which on a field filters them. */
  private static final int MANY = 20;

  private final Report report;
  private final Html out = new Html();

  private ReportHtml(Report report) {
    this.report = report;
  }

  /** The page; the same report gives the same page. */
  public static String of(Report report) {
    return new ReportHtml(report).page();
  }

  private String page() {
    String script = resource("report.js");
    out.raw(START).raw("\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    out.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    out.raw(
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src"
            + " 'unsafe-inline'; script-src 'sha256-"
            + sha256(script)
            + "'\">");
    out.element("title", report.target().name() + " · pseed report");
    out.raw("<style>\n").raw(resource("report.css")).raw("</style></head>\n<body>\n");
    head();
    out.raw("<main>\n");
    frontier();
    forms();
    outputs();
    map();
    layers();
    lossless();
    tensors();
    making();
    out.raw("</main>\n");
    foot();
    return out.raw("<script>" + script + "</script>\n</body></html>\n").toString();
  }

  private static String resource(String name) {
    try (InputStream in = ReportHtml.class.getResourceAsStream(name)) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).replace("\r\n", "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(name + " is missing from the jar", e);
    }
  }

  private static String sha256(String text) {
    try {
      return Base64.getEncoder()
          .encodeToString(
              MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }

  private void head() {
    Report.Target target = report.target();
    double share = (double) target.bytes() / report.source().bytes();
    out.raw("<header><h1>").text(report.source().name());
    out.raw(" <span class=\"arrow\">→</span> ")
        .text(target.name())
        .raw("</h1>\n<ul class=\"cards\">");
    card("Size", Figures.bytes(target.bytes()), "of " + Figures.bytes(report.source().bytes()));
    card(
        "Ratio", Figures.fixed(1 / share, 2) + " : 1", Figures.percent(share) + " of the original");
    card(
        "Bits a weight",
        Figures.fixed(target.bitsPerWeight(), 2),
        "whole file, " + Figures.count(target.weights()) + " weights");
    if (report.judgement().isPresent()) {
      Quality worst = report.judgement().get().worst();
      card(
          "Mean " + worst.measure().label(),
          Figures.cosine(worst.mean()),
          Double.isNaN(worst.meanLow())
              ? "one input: no interval"
              : "95 %: "
                  + Figures.cosine(worst.meanLow())
                  + " – "
                  + Figures.cosine(worst.meanHigh()));
    } else {
      card("Outputs", "not judged", "");
    }
    out.raw("</ul>\n");
    verdict();
    out.raw("</header>\n");
  }

  private void card(String label, String value, String below) {
    out.raw("<li>").element("span class=\"label\"", label).element("b", value);
    out.element("small", below).raw("</li>");
  }

  private void verdict() {
    if (report.judgement().isEmpty()) {
      out.raw("<p class=\"note warn\">Outputs were not judged: ").text(report.notJudged());
      out.raw("</p>\n");
      return;
    }
    Judgement judgement = report.judgement().get();
    if (report.bound().isPresent()) {
      Report.Bound bound = report.bound().get();
      boolean passed = bound.passes(judgement);
      out.raw("<p class=\"note ").raw(passed ? "good" : "bad").raw("\"><b>");
      out.raw(passed ? "Passed" : "Failed").raw("</b>: ").text(asked(bound)).raw("</p>\n");
    }
    if (judgement.generated()) {
      out.raw("<p class=\"note warn\"><b>Judged on generated inputs</b>: ");
      out.text(
              judgement.runs()
                  + " inputs were made from the graph's signature, with a fixed seed. They exercise the"
                  + " model but are no data: what they say of its quality is a hint. Judge on inputs of"
                  + " your own before you ship.")
          .raw("</p>\n");
    } else if (judgement.origin() == Origin.SHIPPED) {
      out.raw("<p class=\"note good\"><b>Judged on texts that ship with pseed</b>: ");
      out.text(
          judgement.judges()
              + ". No calibration by default meets them. Judge on inputs of your own before you"
              + " ship.");
      out.raw("</p>\n");
    } else {
      out.raw("<p class=\"note good\"><b>Judged on real inputs</b>: ");
      out.text(judgement.judges() + ". A fair judge has not met them in calibration.");
      out.raw("</p>\n");
    }
    doubt();
  }

  /** Where even FP16 is far off, the inputs and not the files are at fault. */
  private void doubt() {
    for (Report.Other other : report.others()) {
      double mean = other.judgement().worst().mean();
      if (other.label().equals(RoundToNearest.FP16.label()) && mean < Report.TRUSTED_FP16) {
        out.raw("<p class=\"note bad\"><b>These inputs cannot judge this model</b>: ");
        out.text(
            "even FP16 reaches a mean cosine of only "
                + Figures.cosine(mean)
                + " on them; outputs near zero, for example, turn with every rounding. Judge on inputs"
                + " that the model is made for.");
        out.raw("</p>\n");
      }
    }
  }

  private static String asked(Report.Bound bound) {
    List<String> parts = new ArrayList<>();
    if (!Double.isNaN(bound.minCosine())) {
      parts.add("a mean cosine of at least " + bound.minCosine());
    }
    if (!Double.isNaN(bound.minWorst())) {
      parts.add("a cosine of at least " + bound.minWorst() + " for every input");
    }
    return String.join(" and ", parts) + " was asked for.";
  }

  private void section(String title) {
    out.element("h2", title).raw("\n");
  }

  private void frontier() {
    if (report.judgement().isEmpty()) {
      return;
    }
    section("Quality by size");
    out.raw("<figure><div class=\"scroll\">").raw(FrontierChart.svg(report));
    out.raw("</div><figcaption>");
    Quality worst = report.judgement().get().worst();
    out.text(
        "Mean "
            + worst.measure().label()
            + " of output '"
            + worst.output()
            + "' to the original's. Up and to the left is better. Whiskers: "
            + ReportJson.INTERVAL.replace("95 %", "95\u00a0%")
            + ".");
    if (report.others().isEmpty()) {
      out.text(" FP16, int8 and int4 were not measured in this run.");
    }
    if (!report.curve().points().isEmpty()) {
      out.text(" Dashed: " + report.curve().rule());
    }
    if (report.tries().size() > 1) {
      out.text(" Pale dots: files that were made and judged on the way.");
    }
    out.raw("</figcaption></figure>\n");
  }

  private void forms() {
    if (report.judgement().isEmpty()) {
      return;
    }
    section("The same model in other forms");
    out.raw("<div class=\"scroll\"><table><caption>");
    out.text(
        "Made from the same original and judged on the same inputs in the same run; only weights"
            + " are rounded.");
    out.raw("</caption><thead><tr><th class=\"t\" scope=\"col\">Form</th>");
    for (String title :
        List.of(
            "Size",
            "Of original",
            "Mean cosine",
            "95 % interval",
            "5 % below",
            "Worst",
            "Relative error")) {
      out.element("th scope=\"col\"", title);
    }
    out.raw("</tr></thead><tbody>\n");
    out.raw("<tr><th class=\"t\" scope=\"row\">original</th>");
    cell(Figures.bytes(report.source().bytes()))
        .cell("100 %")
        .cell("1")
        .cell("")
        .cell("1")
        .cell("1");
    cell("0").out.raw("</tr>\n");
    for (Report.Other other : report.others()) {
      form("", other.label(), other.bytes(), other.judgement().worst());
    }
    form(" class=\"own\"", "pseed", report.target().bytes(), report.judgement().get().worst());
    out.raw("</tbody></table></div>\n");
    if (!report.others().isEmpty()) {
      out.raw("<ul class=\"plain soft\">");
      for (Report.Other other : report.others()) {
        out.raw("<li><b>").text(other.label()).raw("</b>: ").text(other.rule()).raw("</li>");
      }
      out.raw("</ul><p class=\"rule\">");
      out.text(
          "int8 and int4 round the float tensors of at least 4,096 elements, FP16 all floats; the"
              + " rest stays as it is. Sizes count graph, weights and scales.");
      out.raw("</p>\n");
    }
    if (report.tries().size() > 1) {
      tries();
    }
  }

  private void tries() {
    out.raw("<details><summary>").text(report.tries().size() + " files were tried");
    out.raw("</summary><div class=\"scroll\"><table><thead><tr>");
    out.raw("<th class=\"t\" scope=\"col\">Try</th><th scope=\"col\">Size</th>");
    out.raw("<th scope=\"col\">Bits a weight</th><th scope=\"col\">Mean cosine</th>");
    out.raw("<th scope=\"col\">Passed</th></tr></thead><tbody>");
    int number = 1;
    for (Report.Attempt attempt : report.tries()) {
      out.raw("<tr>").element("td class=\"t\"", String.valueOf(number++));
      cell(Figures.bytes(attempt.bytes()));
      cell(Figures.fixed(8.0 * attempt.bytes() / Math.max(1, report.target().weights()), 2));
      cell(Figures.cosine(attempt.cosine())).cell(attempt.passes() ? "yes" : "no");
      out.raw("</tr>");
    }
    out.raw("</tbody></table></div></details>\n");
  }

  private void form(String attribute, String label, long bytes, Quality quality) {
    out.raw("<tr" + attribute + ">").element("th class=\"t\" scope=\"row\"", label);
    cell(Figures.bytes(bytes)).cell(Figures.percent((double) bytes / report.source().bytes()));
    quality(quality);
    cell(Figures.fixed(quality.relative(), 4)).out.raw("</tr>\n");
  }

  private void quality(Quality quality) {
    cell(Figures.cosine(quality.mean()));
    cell(
        Double.isNaN(quality.meanLow())
            ? "one input"
            : Figures.cosine(quality.meanLow()) + " – " + Figures.cosine(quality.meanHigh()));
    cell(Figures.cosine(quality.low5())).cell(Figures.cosine(quality.min()));
  }

  private ReportHtml cell(String text) {
    out.element("td", text);
    return this;
  }

  private void outputs() {
    if (report.judgement().isEmpty()) {
      return;
    }
    Judgement judgement = report.judgement().get();
    section("Every output");
    out.raw("<div class=\"scroll\"><table><caption>");
    out.text(
        "Against the original, over "
            + judgement.judges()
            + ". Relative error: root of the squared errors' sum over the original's squares.");
    out.raw("</caption><thead><tr><th class=\"t\" scope=\"col\">Output</th>");
    out.raw("<th class=\"t\" scope=\"col\">Measure</th>");
    for (String title :
        List.of("Mean", "95 % interval", "5 % below", "Worst", "Relative error", "Largest error")) {
      out.element("th scope=\"col\"", title);
    }
    out.raw("</tr></thead><tbody>\n");
    for (Quality quality : judgement.qualities()) {
      out.raw("<tr><th class=\"t\" scope=\"row\"><bdi>").text(quality.output()).raw("</bdi></th>");
      out.element("td class=\"t\"", quality.measure().label());
      quality(quality);
      cell(Figures.fixed(quality.relative(), 4));
      cell(
          Double.isFinite(quality.maxAbs())
              ? String.format(Locale.ROOT, "%.3g", quality.maxAbs())
              : Figures.fixed(quality.maxAbs(), 0));
      out.raw("</tr>\n");
    }
    out.raw("</tbody></table></div>\n");
  }

  private void map() {
    if (report.tensors().isEmpty()) {
      return;
    }
    section("Where the bytes are");
    out.raw("<figure>").raw(SizeMap.svg(report)).raw("<ul class=\"key\">");
    for (int colour = 0; colour <= 6; colour++) {
      out.raw(
          "<li><svg viewBox=\"0 0 12 12\" aria-hidden=\"true\"><rect class=\"f"
              + colour
              + "\" width=\"12\" height=\"12\" rx=\"2\"/></svg>");
      out.text(SizeMap.legend(colour)).raw("</li>");
    }
    out.raw("</ul></figure>\n");
  }

  private void layers() {
    List<Layers.Layer> layers = Layers.of(report.tensors());
    if (layers.size() < 2) {
      return;
    }
    boolean shares = layers.stream().anyMatch(layer -> !Double.isNaN(layer.share()));
    long most = layers.stream().mapToLong(Layers.Layer::bytes).max().orElse(1);
    double largest =
        layers.stream()
            .mapToDouble(Layers.Layer::share)
            .filter(s -> !Double.isNaN(s))
            .max()
            .orElse(1);
    section("Layers");
    out.raw("<div class=\"scroll\"><table class=\"sortable\"><caption>");
    out.text(
        "Grouped by what names have in common: those of the tensors, or of the nodes that read"
            + " them."
            + (shares
                ? " Error: share of the outputs' error that calibration predicts from this layer."
                : ""));
    out.raw("</caption><thead><tr><th class=\"t\" scope=\"col\">Layer</th>");
    out.raw("<th scope=\"col\">Tensors</th><th scope=\"col\">Size</th>");
    out.raw("<th scope=\"col\">Of file</th><th scope=\"col\">Bits a weight</th>");
    out.raw(shares ? "<th scope=\"col\">Error</th>" : "").raw("</tr></thead><tbody>\n");
    List<Layers.Layer> shown = layers;
    if (layers.size() > MOST_LAYERS) {
      shown = new ArrayList<>(layers);
      shown.sort(Comparator.comparingLong(Layers.Layer::bytes).reversed());
      shown = shown.subList(0, MOST_LAYERS);
    }
    for (Layers.Layer layer : shown) {
      out.raw("<tr><td class=\"t name\"><bdi>").text(layer.name()).raw("</bdi></td>");
      cell(String.valueOf(layer.tensors()));
      bar(Figures.bytes(layer.bytes()), (double) layer.bytes(), (double) layer.bytes() / most);
      double share = (double) layer.bytes() / report.target().bytes();
      out.raw("<td data-v=\"" + share + "\">").text(Figures.percent(share)).raw("</td>");
      cell(Figures.fixed(layer.bitsPerWeight(), 2));
      if (shares) {
        share(layer.share(), largest);
      }
      out.raw("</tr>\n");
    }
    out.raw("</tbody></table></div>\n");
    if (shown.size() < layers.size()) {
      out.element(
          "p class=\"rule\"",
          "The "
              + MOST_LAYERS
              + " largest of "
              + layers.size()
              + " layers; the table of tensors has all.");
    }
  }

  private void share(double share, double largest) {
    if (Double.isNaN(share)) {
      out.raw("<td class=\"bar\" data-v=\"-1\">–</td>");
    } else {
      bar(Figures.percent(share), share, largest > 0 ? share / largest : 0);
    }
  }

  private void bar(String text, double value, double length) {
    out.raw(String.format(Locale.ROOT, "<td class=\"bar\" data-v=\"%s\">", value)).text(text);
    out.raw(String.format(Locale.ROOT, "<i style=\"width:%.1f%%\"></i></td>", 100 * length));
  }

  private void lossless() {
    Map<String, List<Report.Tensor>> byWhy = new LinkedHashMap<>();
    for (Report.Tensor tensor : report.tensors()) {
      if (tensor.lossless()) {
        byWhy.computeIfAbsent(tensor.why(), key -> new ArrayList<>()).add(tensor);
      }
    }
    if (byWhy.isEmpty()) {
      return;
    }
    section("Kept lossless, and why");
    out.raw("<div class=\"scroll\"><table><thead><tr><th class=\"t\" scope=\"col\">Why</th>");
    out.raw("<th scope=\"col\">Tensors</th><th scope=\"col\">Weights</th>");
    out.raw("<th scope=\"col\">Size</th><th scope=\"col\">Of file</th></tr></thead><tbody>\n");
    byWhy.forEach(
        (why, tensors) -> {
          long bytes = tensors.stream().mapToLong(Report.Tensor::bytes).sum();
          long weights = tensors.stream().mapToLong(Report.Tensor::weights).sum();
          out.raw("<tr>").element("td class=\"t\"", why).element("td", "" + tensors.size());
          cell(Figures.count(weights)).cell(Figures.bytes(bytes));
          cell(Figures.percent((double) bytes / report.target().bytes())).out.raw("</tr>\n");
        });
    out.raw("</tbody></table></div>\n");
  }

  private void tensors() {
    List<Report.Tensor> tensors = report.tensors();
    boolean shares = tensors.stream().anyMatch(tensor -> !Double.isNaN(tensor.share()));
    long most = tensors.stream().mapToLong(Report.Tensor::bytes).max().orElse(1);
    double largest =
        tensors.stream()
            .mapToDouble(Report.Tensor::share)
            .filter(s -> !Double.isNaN(s))
            .max()
            .orElse(1);
    section("Tensors");
    if (tensors.isEmpty()) {
      out.raw("<p>The model has no tensors.</p>\n");
      return;
    }
    if (tensors.size() > MANY) {
      out.raw(
          "<p class=\"screen\"><input type=\"search\" aria-label=\"Show tensors that contain\""
              + " placeholder=\"Show tensors that contain …\" aria-controls=\"tensors\" hidden></p>");
    }
    out.raw("<div class=\"scroll\"><table class=\"sortable\" id=\"tensors\"><caption>");
    out.text(
        tensors.size()
            + " tensors. SNR: the weights' energy over that of their error, in dB."
            + (shares
                ? " Error: share of the outputs' error that calibration predicts from this tensor."
                : " What a tensor's error does to the outputs is known where the conversion was"
                    + " calibrated."));
    out.raw("</caption><thead><tr><th class=\"t\" scope=\"col\">Tensor</th>");
    out.raw("<th class=\"t\" scope=\"col\">Type</th><th scope=\"col\">Size</th>");
    out.raw("<th scope=\"col\">Bits a weight</th><th scope=\"col\">SNR dB</th>");
    out.raw(shares ? "<th scope=\"col\">Error</th>" : "");
    out.raw("<th class=\"t\" scope=\"col\">Why</th></tr></thead><tbody>\n");
    for (Report.Tensor tensor : tensors) {
      out.raw("<tr><td class=\"t name\"><bdi>").text(tensor.name()).raw("</bdi>");
      if (!tensor.reader().isEmpty()) {
        out.element("small", "read by " + tensor.reader());
      }
      if (!tensor.form().isEmpty() || tensor.layerSeed()) {
        out.element(
            "small",
            tensor.form()
                + (tensor.form().isEmpty() || !tensor.layerSeed() ? "" : ", ")
                + (tensor.layerSeed() ? "layer seed" : ""));
      }
      out.raw("</td><td class=\"t type\">").text(tensor.dtype()).element("small", shape(tensor));
      out.raw("</td>");
      bar(Figures.bytes(tensor.bytes()), (double) tensor.bytes(), (double) tensor.bytes() / most);
      cell(Figures.fixed(tensor.bitsPerWeight(), 2));
      out.raw("<td data-v=\"" + (Double.isFinite(tensor.snrDb()) ? tensor.snrDb() : 999) + "\">");
      out.text(tensor.lossless() ? "lossless" : Figures.fixed(tensor.snrDb(), 1)).raw("</td>");
      if (shares) {
        share(tensor.share(), largest);
      }
      out.element("td class=\"t why\"", tensor.why()).raw("</tr>\n");
    }
    out.raw("</tbody></table></div>\n");
  }

  private static String shape(Report.Tensor tensor) {
    return tensor.shape().isEmpty()
        ? "scalar"
        : String.join(" × ", tensor.shape().stream().map(String::valueOf).toList());
  }

  private void making() {
    if (!report.notices().isEmpty()) {
      section("Notes");
      out.raw("<ul class=\"plain\">");
      report.notices().forEach(notice -> out.element("li", notice));
      out.raw("</ul>\n");
    }
    section("How it was made");
    out.raw("<dl>");
    entry("Command", "pseed " + report.command());
    entry("Original", report.source().name() + " (" + report.source().format() + ")");
    entry("File made by", report.target().producer());
    entry("SHA-256 of the file", report.target().digest());
    if (report.plan() != null) {
      List<String> parts = new ArrayList<>();
      report
          .plan()
          .properties()
          .forEach(field -> parts.add(field.getKey() + " " + field.getValue().asText()));
      entry("Plan", String.join(", ", parts));
    }
    report.seconds().forEach((part, time) -> entry("Time of " + part, Figures.time(time)));
    out.raw("</dl>\n");
  }

  private void entry(String name, String value) {
    out.element("dt", name).element("dd", value);
  }

  private void foot() {
    out.raw("<footer class=\"soft\"><p>");
    if (report.judgement().isPresent()) {
      out.text(
          "Cosine: between an output and the original's for the same input. Embedding cosine: between"
              + " the means over the positions that the attention mask names. 5 % below: the value that"
              + " one input in twenty falls short of. "
              + Character.toUpperCase(ReportJson.INTERVAL.charAt(0))
              + ReportJson.INTERVAL.substring(1)
              + ".");
    }
    out.raw("</p></footer>\n");
  }
}
