package io.pseed.converter;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.pseed.converter.encode.EncodedTensor;
import io.pseed.converter.encode.EncoderBackend;
import io.pseed.converter.encode.ErrorMetric;
import io.pseed.converter.encode.PreferredBackend;
import io.pseed.converter.encode.TensorEncoder;
import io.pseed.converter.encode.TensorScan;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.plan.Plan;
import io.pseed.converter.plan.PlanJson;
import io.pseed.converter.plan.TensorPlan;
import io.pseed.converter.source.SourceException;
import io.pseed.converter.source.SourceTensor;
import io.pseed.converter.source.TensorSource;
import io.pseed.format.Codec;
import io.pseed.format.DType;
import io.pseed.format.PseedHeader;
import io.pseed.format.PseedWriter;
import io.pseed.format.TensorEntry;
import io.pseed.format.TensorRecord;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * From a source and a plan to a {@code .pseed} file. The same source, plan and version give the
 * same bytes, with any number of threads and after any interruption.
 */
public final class Converter {
  private static final JsonMapper MAPPER = new JsonMapper();

  /**
   * Heap that a weight in work on a device takes: the matrix and its targets, its share of a
   * metric's factors while they are made, the record while it is checked.
   */
  private static final long BYTES_IN_WORK = 48;

  private final Workers workers;
  private final Optional<EncoderBackend> device;
  private final ProgressListener progress;

  /** A converter that works on {@code workers}. */
  public Converter(Workers workers, ProgressListener progress) {
    this(workers, Optional.empty(), progress);
  }

  /**
   * A converter that searches on a device, and does on {@code workers} what is left, and all that
   * the device cannot. The bytes are the same.
   *
   * @param device is not closed
   */
  public Converter(Workers workers, Optional<EncoderBackend> device, ProgressListener progress) {
    this.workers = workers;
    this.device = device;
    this.progress = progress;
  }

  /**
   * Converts. The target is replaced when all is done; until then the work stands beside it, and a
   * run that was killed is gone on with when the same conversion is asked for again.
   *
   * @throws SourceException where the source cannot be read or does not match the plan
   */
  public ConversionResult convert(TensorSource source, Plan plan, Path target) throws IOException {
    return convert(source, plan, Map.of(), target);
  }

  /**
   * Converts so that what the weights' errors cost is small; see {@link #convert(TensorSource,
   * Plan, Path)}.
   *
   * @param metrics what errors cost, by tensor; tensors without one are coded by their squared
   *     error
   */
  public ConversionResult convert(
      TensorSource source, Plan plan, Map<String, ErrorMetric> metrics, Path target)
      throws IOException {
    long start = System.nanoTime();
    List<SourceTensor> tensors = source.tensors();
    requireMatch(source, plan);
    long weights = 0;
    for (SourceTensor tensor : tensors) {
      weights += TensorRecord.elementCount(tensor.shape());
    }
    progress.begin(tensors.size(), weights);
    List<String> notices = Collections.synchronizedList(new ArrayList<>(source.notices()));
    source.notices().forEach(progress::notice);
    List<ConversionResult.TensorResult> results = new ArrayList<>();
    PreferredBackend preferred =
        device
            .map(backend -> PreferredBackend.of(backend, sentence -> notice(notices, sentence)))
            .orElse(PreferredBackend.NONE);
    TensorEncoder encoder = new TensorEncoder(workers, preferred);
    long exactF16 = 0;
    long f32 = 0;
    long searched = 0;
    int resumed;
    PseedHeader header;
    long coded = 0;
    TensorScan[] scans = new TensorScan[tensors.size()];
    Turns.Encoder encoding =
        i ->
            encoder.encode(
                tensors.get(i),
                plan.tensors().get(i),
                scan(tensors, i, scans),
                Optional.ofNullable(metrics.get(tensors.get(i).name())),
                progress::done);
    try (PseedWriter writer = PseedWriter.create(target, fingerprint(source, plan, metrics))) {
      resumed = takeOver(writer, tensors, results, scans);
      if (resumed > 0) {
        notice(
            notices,
            "resumed an interrupted conversion: "
                + resumed
                + " of "
                + tensors.size()
                + " tensors were done");
      }
      try (Turns turns =
          device.isPresent()
              ? pipeline(resumed, tensors, encoding)
              : new Ahead(tensors, plan, metrics, scans, encoding)) {
        for (int i = 0; i < tensors.size(); i++) {
          SourceTensor tensor = tensors.get(i);
          long elements = TensorRecord.elementCount(tensor.shape());
          if (i >= resumed) {
            progress.tensor(tensor.name());
            EncodedTensor encoded = turns.take(i);
            long bytes = encoded.record().length();
            ConversionResult.TensorResult result =
                new ConversionResult.TensorResult(
                    tensor.name(),
                    tensor.dtype(),
                    tensor.shape(),
                    encoded.codec(),
                    encoded.layerSeed(),
                    bytes,
                    encoded.bitsPerWeight(),
                    encoded.snrDb(),
                    encoded.reason());
            writer.tensor(
                tensor.name(),
                tensor.dtype(),
                tensor.shape(),
                encoded.record(),
                stats(result),
                encoded.sourceCrc());
            results.add(result);
            searched += encoded.codec() == Codec.TRELLIS ? elements : 0;
          } else {
            progress.done(elements);
          }
          if (tensor.dtype() == DType.F32) {
            f32++;
            exactF16 += scan(tensors, i, scans).exactlyF16() ? 1 : 0;
          }
          coded += results.get(i).codec() == Codec.RAW ? 0 : 1;
        }
      }
      for (Map.Entry<String, byte[]> section : source.sections().entrySet()) {
        SectionBytes.of(section.getValue()).writeTo(writer, section.getKey());
      }
      header =
          writer.finish(
              Version.PRODUCER, source.metadata(), describe(source), PlanJson.summary(plan));
    }
    if (f32 > 0 && exactF16 == f32) {
      notice(
          notices,
          "every F32 weight is exactly an F16 value: compare the size with the F16 file, half of this source");
    }
    if (coded == 0 && !header.tensors().isEmpty() && !source.quantized()) {
      notice(notices, "no tensor was large enough to be coded: the file is lossless");
    }
    return new ConversionResult(
        target,
        source.bytes(),
        Files.size(target),
        weights,
        List.copyOf(results),
        resumed,
        List.copyOf(notices),
        (System.nanoTime() - start) / 1e9,
        searched);
  }

  /**
   * Encodes tensors with a metric ahead of their turn, several at a time: the rows of one depend on
   * one another, so only several matrices keep all threads busy.
   */
  private final class Ahead implements Turns {
    /** Weights of a group: bounds memory. */
    private static final long GROUP_WEIGHTS = 1L << 23;

    /** From this size on a matrix has panels enough of its own. */
    private static final long LARGEST = 1L << 22;

    private final List<SourceTensor> tensors;
    private final Plan plan;
    private final Map<String, ErrorMetric> metrics;
    private final TensorScan[] scans;
    private final Encoder others;
    private final Map<Integer, EncodedTensor> done = new ConcurrentHashMap<>();

    Ahead(
        List<SourceTensor> tensors,
        Plan plan,
        Map<String, ErrorMetric> metrics,
        TensorScan[] scans,
        Encoder others) {
      this.others = others;
      this.tensors = tensors;
      this.plan = plan;
      this.metrics = metrics;
      this.scans = scans;
    }

    private boolean isOneOf(int i) {
      return metrics.containsKey(tensors.get(i).name())
          && plan.tensors().get(i).trellis() != null
          && TensorRecord.elementCount(tensors.get(i).shape()) < LARGEST;
    }

    @Override
    public EncodedTensor take(int index) throws IOException {
      if (!isOneOf(index)) {
        return others.encode(index);
      }
      if (!done.containsKey(index)) {
        List<Workers.Task> tasks = new ArrayList<>();
        long weights = 0;
        for (int i = index; i < tensors.size() && weights < GROUP_WEIGHTS; i++) {
          if (isOneOf(i)) {
            int at = i;
            SourceTensor tensor = tensors.get(i);
            weights += TensorRecord.elementCount(tensor.shape());
            tasks.add(
                () -> {
                  try (Workers one = new Workers(1)) {
                    done.put(
                        at,
                        new TensorEncoder(one)
                            .encode(
                                tensor,
                                plan.tensors().get(at),
                                scan(tensors, at, scans),
                                Optional.of(metrics.get(tensor.name())),
                                progress::done));
                  }
                });
          }
        }
        workers.run(tasks);
      }
      return Objects.requireNonNull(done.remove(index));
    }

    @Override
    public void close() {}
  }

  /** Many tensors at a time, for a device. */
  private Turns pipeline(int first, List<SourceTensor> tensors, Turns.Encoder encoder) {
    return new TensorPipeline(
        first,
        tensors.size(),
        device.orElseThrow().tensorsAtOnce(),
        Runtime.getRuntime().maxMemory() / 2,
        i -> BYTES_IN_WORK * TensorRecord.elementCount(tensors.get(i).shape()),
        encoder);
  }

  private void notice(List<String> notices, String sentence) {
    notices.add(sentence);
    progress.notice(sentence);
  }

  /**
   * The scan of tensor {@code i}, read once a conversion; each index is asked for by one thread at
   * a time.
   */
  private static TensorScan scan(List<SourceTensor> tensors, int i, TensorScan[] scans)
      throws IOException {
    if (scans[i] == null) {
      scans[i] = TensorScan.of(tensors.get(i));
    }
    return scans[i];
  }

  /** Takes over the records of an interrupted run whose sources are unchanged. */
  private static int takeOver(
      PseedWriter writer,
      List<SourceTensor> tensors,
      List<ConversionResult.TensorResult> results,
      TensorScan[] scans)
      throws IOException {
    List<PseedWriter.Resumed> done = writer.resumed();
    int keep = 0;
    while (keep < done.size() && keep < tensors.size()) {
      PseedWriter.Resumed resumed = done.get(keep);
      SourceTensor tensor = tensors.get(keep);
      if (!resumed.entry().name().equals(tensor.name())
          || scan(tensors, keep, scans).crc() != resumed.sourceCrc()) {
        break;
      }
      results.add(result(resumed.entry()));
      keep++;
    }
    writer.keepResumed(keep);
    return keep;
  }

  /**
   * The statistics of a tensor as the header keeps them. The codec is named where the rest does not
   * tell: raw tensors have a reason, those of the codec trellis an error.
   */
  private static ObjectNode stats(ConversionResult.TensorResult result) {
    ObjectNode stats = MAPPER.createObjectNode();
    if (result.codec() == Codec.POINCARE
        || (result.codec() == Codec.RAW && result.reason().isEmpty())) {
      stats.put("codec", result.codec().label());
    }
    if (result.layerSeed()) {
      stats.put("layerSeed", true);
    }
    if (result.codec() == Codec.RAW) {
      if (!result.reason().isEmpty()) {
        stats.put("reason", result.reason());
      }
    } else {
      stats.put("snrDb", Math.round(result.snrDb() * 100) / 100.0);
    }
    return stats;
  }

  /** Whether a tensor's codec is told by {@link #stats}. */
  public static boolean isTold(TensorEntry entry) {
    ObjectNode stats = entry.stats();
    return stats != null && (stats.has("codec") || stats.has("reason") || stats.has("snrDb"));
  }

  /** What {@link #stats} said, read back; works for any file, missing members included. */
  public static ConversionResult.TensorResult result(TensorEntry entry) {
    ObjectNode stats = entry.stats() == null ? MAPPER.createObjectNode() : entry.stats();
    Codec codec = stats.has("snrDb") ? Codec.TRELLIS : Codec.RAW;
    for (Codec candidate : Codec.values()) {
      if (candidate.label().equals(stats.path("codec").asText())) {
        codec = candidate;
      }
    }
    long elements = entry.elements();
    return new ConversionResult.TensorResult(
        entry.name(),
        entry.dtype(),
        entry.shape(),
        codec,
        stats.path("layerSeed").asBoolean(),
        entry.length(),
        elements == 0 ? 0 : 8.0 * entry.length() / elements,
        stats.path("snrDb").asDouble(Double.POSITIVE_INFINITY),
        stats.path("reason").asText());
  }

  private static void requireMatch(TensorSource source, Plan plan) throws SourceException {
    List<SourceTensor> tensors = source.tensors();
    for (int i = 0; i < Math.max(tensors.size(), plan.tensors().size()); i++) {
      String found = i < tensors.size() ? tensors.get(i).name() : "nothing";
      String planned = i < plan.tensors().size() ? plan.tensors().get(i).name() : "nothing";
      if (!found.equals(planned)) {
        throw new SourceException(
            source.path(),
            "tensor "
                + i
                + " is '"
                + found
                + "', the plan has '"
                + planned
                + "'; make a plan for this file with --save-plan");
      }
      TensorPlan tensorPlan = plan.tensors().get(i);
      if (tensorPlan.trellis() != null) {
        long elements = TensorRecord.elementCount(tensors.get(i).shape());
        long view = (long) tensorPlan.trellis().view().rows() * tensorPlan.trellis().view().cols();
        if (view != elements || !tensors.get(i).dtype().isCoded()) {
          throw new SourceException(
              source.path(),
              "tensor '"
                  + found
                  + "' is "
                  + tensors.get(i).dtype()
                  + " with "
                  + elements
                  + " elements, the plan codes "
                  + view);
        }
      }
    }
  }

  private static ObjectNode describe(TensorSource source) {
    ObjectNode node = MAPPER.createObjectNode();
    node.put("format", source.format());
    node.put("name", String.valueOf(source.path().getFileName()));
    return node;
  }

  /** Of everything that decides the records: what is the same lets an interrupted run go on. */
  private static String fingerprint(
      TensorSource source, Plan plan, Map<String, ErrorMetric> metrics) throws IOException {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      sha256.update(Version.PRODUCER.getBytes(StandardCharsets.UTF_8));
      sha256.update(PlanJson.write(plan).getBytes(StandardCharsets.UTF_8));
      for (SourceTensor tensor : source.tensors()) {
        String line =
            tensor.name()
                + "\n"
                + tensor.dtype()
                + java.util.Arrays.toString(tensor.shape())
                + "\n";
        sha256.update(line.getBytes(StandardCharsets.UTF_8));
        ErrorMetric metric = metrics.get(tensor.name());
        if (metric != null) {
          ByteBuffer row = ByteBuffer.allocate(8 * (metric.block() + 1));
          for (int i = 0; i < metric.size(); i++) {
            row.clear();
            for (int j = 0; j < metric.block(); j++) {
              row.putDouble(metric.matrix()[i * metric.block() + j]);
            }
            sha256.update(row.putDouble(metric.damping()).flip());
          }
        }
      }
      return HexFormat.of().formatHex(sha256.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has SHA-256", e);
    }
  }
}
