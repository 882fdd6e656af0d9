package io.pseed.converter.command;

import io.pseed.converter.onnx.proto.NodeProto;
import io.pseed.converter.report.Report;
import io.pseed.converter.report.ReportHtml;
import io.pseed.converter.report.ReportTensors;
import io.pseed.converter.source.TensorSource;
import io.pseed.converter.source.onnx.OnnxModelSource;
import io.pseed.converter.verify.Judgement;
import io.pseed.format.PseedReader;
import io.pseed.format.TensorEntry;
import io.pseed.format.TensorRecord;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Gathers what a report says. */
public final class ReportMaker {
  private final String command;
  private final TensorSource source;
  private final PseedReader reader;
  private final List<String> notices = new ArrayList<>();
  private final Map<String, Double> seconds = new LinkedHashMap<>();
  private Map<String, Double> shares = Map.of();
  private Map<String, String> whys = Map.of();
  private Optional<Judgement> judgement = Optional.empty();
  private Optional<Report.Bound> bound = Optional.empty();
  private String notJudged = "";
  private List<Report.Other> others = List.of();
  private List<Report.Attempt> tries = List.of();
  private Report.Curve curve = Report.Curve.NONE;

  private ReportMaker(String command, TensorSource source, PseedReader reader) {
    this.command = command;
    this.source = source;
    this.reader = reader;
  }

  public static ReportMaker of(String command, TensorSource source, PseedReader reader) {
    ReportMaker maker = new ReportMaker(command, source, reader);
    return maker.notices(source.notices());
  }

  public ReportMaker notices(List<String> more) {
    more.stream().filter(notice -> !notices.contains(notice)).forEach(notices::add);
    return this;
  }

  public ReportMaker judged(Judgement judgement, Optional<Report.Bound> bound) {
    this.judgement = Optional.of(judgement);
    this.bound = bound;
    return this;
  }

  public ReportMaker notJudged(String why) {
    this.notJudged = why;
    return this;
  }

  public ReportMaker others(List<Report.Other> others) {
    this.others = others;
    return this;
  }

  public ReportMaker tries(List<Report.Attempt> tries) {
    this.tries = tries;
    return this;
  }

  public ReportMaker curve(Report.Curve curve) {
    this.curve = curve;
    return this;
  }

  public ReportMaker tensors(Map<String, Double> shares, Map<String, String> whys) {
    this.shares = shares;
    this.whys = whys;
    return this;
  }

  public ReportMaker second(String part, double time) {
    seconds.put(part, time);
    return this;
  }

  public Report make() throws IOException {
    long weights = 0;
    long records = 0;
    for (TensorEntry entry : reader.header().tensors()) {
      weights += TensorRecord.elementCount(entry.shape());
      records += entry.length();
    }
    return new Report(
        command,
        new Report.Source(
            String.valueOf(source.path().getFileName()), source.format(), source.bytes()),
        new Report.Target(
            String.valueOf(Path.of(reader.label()).getFileName()),
            reader.fileLength(),
            weights,
            reader.digest(),
            reader.header().producer(),
            reader.fileLength() - records),
        reader.header().plan(),
        ReportTensors.of(reader, readers(), shares, whys),
        judgement,
        notJudged,
        bound,
        others,
        tries,
        curve,
        seconds,
        notices);
  }

  /** Nodes that read tensors whose names exporters invented: they often have the layer's path. */
  private Map<String, String> readers() {
    Map<String, String> readers = new LinkedHashMap<>();
    if (source instanceof OnnxModelSource model) {
      for (NodeProto node : model.graph().getGraph().getNodeList()) {
        for (String input : node.getInputList()) {
          if (input.contains("::") && !node.getName().isEmpty()) {
            readers.putIfAbsent(input, node.getName());
          }
        }
      }
    }
    return readers;
  }

  /** Writes beside and renames, so that no half page stands there. */
  public static void write(Report report, Path file) throws IOException {
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try {
      // Not through a link that stands there.
      Files.deleteIfExists(part);
      Files.writeString(
          part,
          ReportHtml.of(report),
          StandardCharsets.UTF_8,
          StandardOpenOption.CREATE_NEW,
          StandardOpenOption.WRITE);
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw e.getClass() == IOException.class
          ? new IOException(file + ": cannot be written: " + e.getMessage(), e)
          : e;
    } finally {
      Files.deleteIfExists(part);
    }
  }
}
