package io.pseed.converter.report;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.converter.verify.Judgement;
import io.pseed.converter.verify.Quality;
import java.util.Locale;
import java.util.Optional;

/**
 * A report as JSON: what the page shows, unrounded. A number that is infinite or not known is null.
 *
 * <pre>
 * { "pseedReport": 1, "command": "convert",
 *   "source":  { "name", "format", "bytes" },
 *   "target":  { "name", "bytes", "ratio", "weights", "bitsPerWeight", "graphBytes", "digest", "producer" },
 *   "plan":    summary of the plan in the file's header, or null,
 *   "judge":   { "inputs", "runs", "origin", "generated", "said": a sentence, "interval": how it was computed,
 *                "bound": { "minCosine", "minWorst", "passed" } or null },       or null: see "notJudged"
 *   "notJudged": why, or null,
 *   "outputs": [ { "name", "measure", "bounded", "values", "mean", "meanLow", "meanHigh", "low5", "min",
 *                  "maxAbs", "relative", "passed" } ],
 *   "others":  [ { "label", "rule", "bytes", "outputs": as above } ],            FP16, int8, int4
 *   "tries":   [ { "bytes", "cosine", "passed" } ],                              of --min-cosine
 *   "curve":   { "rule", "points": [ { "bytes", "cosine" } ] },                  expected, not measured
 *   "tensors": [ { "name", "reader", "dtype", "shape", "codec", "form", "layerSeed", "bytes", "weights", "bitsPerWeight",
 *                  "snrDb": null where lossless, "errorShare", "why" } ],
 *   "seconds": { part: number }, "notices": [ text ] }
 * </pre>
 */
public final class ReportJson {
  private static final int VERSION = 1;

  /** How confidence intervals are made, in words. */
  static final String INTERVAL =
      "95 % confidence interval of the mean: percentile bootstrap over the inputs, 2,000 resamples,"
          + " fixed seed";

  private ReportJson() {}

  /** The report. */
  public static ObjectNode of(Report report) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("pseedReport", VERSION).put("command", report.command());
    root.putObject("source")
        .put("name", report.source().name())
        .put("format", report.source().format())
        .put("bytes", report.source().bytes());
    Report.Target target = report.target();
    root.putObject("target")
        .put("name", target.name())
        .put("bytes", target.bytes())
        .put("ratio", (double) report.source().bytes() / target.bytes())
        .put("weights", target.weights())
        .put("bitsPerWeight", target.bitsPerWeight())
        .put("graphBytes", target.graphBytes())
        .put("digest", target.digest())
        .put("producer", target.producer());
    root.set("plan", report.plan());
    judge(root, report);
    ArrayNode others = root.putArray("others");
    for (Report.Other other : report.others()) {
      ObjectNode node = others.addObject();
      node.put("label", other.label()).put("rule", other.rule()).put("bytes", other.bytes());
      node.set("outputs", qualities(other.judgement(), report.bound()));
    }
    ArrayNode tries = root.putArray("tries");
    for (Report.Attempt attempt : report.tries()) {
      ObjectNode node = tries.addObject().put("bytes", attempt.bytes());
      number(node, "cosine", attempt.cosine());
      node.put("passed", attempt.passes());
    }
    ObjectNode curve = root.putObject("curve").put("rule", report.curve().rule());
    ArrayNode points = curve.putArray("points");
    for (Report.Point point : report.curve().points()) {
      number(points.addObject().put("bytes", point.bytes()), "cosine", point.cosine());
    }
    ArrayNode tensors = root.putArray("tensors");
    report.tensors().forEach(tensor -> tensors.add(tensor(tensor)));
    ObjectNode seconds = root.putObject("seconds");
    report.seconds().forEach((part, time) -> number(seconds, part, time));
    ArrayNode notices = root.putArray("notices");
    report.notices().forEach(notices::add);
    return root;
  }

  private static void judge(ObjectNode root, Report report) {
    if (report.judgement().isEmpty()) {
      root.putNull("judge").put("notJudged", report.notJudged()).putArray("outputs");
      return;
    }
    Judgement judgement = report.judgement().get();
    ObjectNode judge = root.putObject("judge");
    judge
        .put("inputs", judgement.inputs())
        .put("runs", judgement.runs())
        .put("origin", judgement.origin().name().toLowerCase(Locale.ROOT))
        .put("generated", judgement.generated())
        .put("said", judgement.judges())
        .put("interval", INTERVAL);
    if (report.bound().isEmpty()) {
      judge.putNull("bound");
    } else {
      ObjectNode bound = judge.putObject("bound");
      number(bound, "minCosine", report.bound().get().minCosine());
      number(bound, "minWorst", report.bound().get().minWorst());
      bound.put("passed", report.bound().get().passes(judgement));
    }
    root.putNull("notJudged");
    root.set("outputs", qualities(judgement, report.bound()));
  }

  /** The measures of a judgement; {@code passed} is true where no bound holds. */
  public static ArrayNode qualities(Judgement judgement, Optional<Report.Bound> bound) {
    ArrayNode list = JsonNodeFactory.instance.arrayNode();
    for (Quality quality : judgement.qualities()) {
      boolean bounded = judgement.bounded().contains(quality);
      ObjectNode node = list.addObject();
      node.put("name", quality.output()).put("measure", quality.measure().label());
      node.put("bounded", bounded).put("values", quality.values());
      number(node, "mean", quality.mean());
      number(node, "meanLow", quality.meanLow());
      number(node, "meanHigh", quality.meanHigh());
      number(node, "low5", quality.low5());
      number(node, "min", quality.min());
      number(node, "maxAbs", quality.maxAbs());
      number(node, "relative", quality.relative());
      node.put("passed", !bounded || bound.isEmpty() || bound.get().passes(quality));
    }
    return list;
  }

  private static ObjectNode tensor(Report.Tensor tensor) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("name", tensor.name()).put("reader", tensor.reader()).put("dtype", tensor.dtype());
    ArrayNode shape = node.putArray("shape");
    tensor.shape().forEach(shape::add);
    node.put("codec", tensor.codec()).put("form", tensor.form());
    node.put("layerSeed", tensor.layerSeed());
    node.put("bytes", tensor.bytes()).put("weights", tensor.weights());
    number(node, "bitsPerWeight", tensor.bitsPerWeight());
    number(node, "snrDb", tensor.snrDb());
    number(node, "errorShare", tensor.share());
    node.put("why", tensor.why());
    return node;
  }

  private static void number(ObjectNode node, String member, double value) {
    if (Double.isFinite(value)) {
      node.put(member, value);
    } else {
      node.putNull(member);
    }
  }
}
