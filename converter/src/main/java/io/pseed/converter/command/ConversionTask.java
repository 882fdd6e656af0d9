package io.pseed.converter.command;

import io.pseed.converter.ConversionResult;
import io.pseed.converter.Converter;
import io.pseed.converter.SizeForecast;
import io.pseed.converter.calibrate.CalibrationInputs;
import io.pseed.converter.calibrate.RateAllocator;
import io.pseed.converter.encode.EncoderBackend;
import io.pseed.converter.encode.ErrorMetric;
import io.pseed.converter.encode.Workers;
import io.pseed.converter.plan.Plan;
import io.pseed.converter.plan.PlanJson;
import io.pseed.converter.plan.Planner;
import io.pseed.converter.source.TensorSource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Converts one source as asked: calibration, the search for a size or a bound, the judgement. */
public final class ConversionTask {
  /** Inputs of the user's that are held out of calibration, at most. */
  private static final int HELD_OUT = 64;

  private final TensorSource source;
  private final ConversionRequest request;
  private final ConversionWatcher watcher;
  private final Wording wording;
  private final Set<String> notices = new LinkedHashSet<>();
  private Optional<EncoderBackend> device = Optional.empty();

  /** A task for an open source. */
  public ConversionTask(TensorSource source, ConversionRequest request, ConversionWatcher watcher) {
    this.source = source;
    this.request = request;
    this.watcher = watcher;
    this.wording = request.inputs().wording();
  }

  /**
   * Converts.
   *
   * @param target the file to write; it is replaced when all is done
   * @throws CommandFailure where a bound or a size cannot be met; nothing is written then
   */
  public ConversionOutcome run(Path target) throws IOException, CommandFailure {
    try {
      return convert(target);
    } finally {
      device.ifPresent(EncoderBackend::close);
    }
  }

  private ConversionOutcome convert(Path target) throws IOException, CommandFailure {
    ConversionCalibration calibration =
        new ConversionCalibration(
            request.calibrate(), request.inputs(), watcher::say, notices::add);
    calibration.open(source, base(), request.plan().isPresent());
    Optional<CalibrationInputs> heldOut = heldOut(calibration);
    try (JudgedConversion judged =
        JudgedConversion.open(
            source,
            request.judge(),
            request.inputs(),
            request.minCosine().isPresent()
                ? Optional.of(request.minCosine().getAsDouble())
                : Optional.empty(),
            heldOut,
            watcher::say,
            notices::add)) {
      // Behind what may be wrong with the request; calibration hides how long it takes.
      device = Devices.installed(wording).open(request.device(), watcher::say);
      device.ifPresent(backend -> backend.prepare(request.seedBits()));
      ConversionResult result = convert(target, calibration, judged);
      notices.addAll(result.notices());
      judged.notices(List.copyOf(notices));
      return new ConversionOutcome(
          result, calibration, judged.report(result), List.copyOf(notices));
    }
  }

  private Optional<CalibrationInputs> heldOut(ConversionCalibration calibration) {
    return request.minCosine().isPresent() && request.judge().data().isEmpty()
        ? calibration.holdOut(HELD_OUT)
        : Optional.empty();
  }

  /**
   * The part of the user's calibration data that this conversion judges by, and does not calibrate
   * with; empty where others judge. For checks of a file that was made before.
   */
  public Optional<CalibrationInputs> heldOut() throws IOException, CommandFailure {
    if (request.minCosine().isEmpty() || request.calibrate().data().isEmpty()) {
      return Optional.empty();
    }
    ConversionCalibration calibration =
        new ConversionCalibration(
            request.calibrate(), request.inputs(), sentence -> {}, sentence -> {});
    calibration.open(source, base(), request.plan().isPresent());
    return heldOut(calibration);
  }

  private Planner planner(double rate) {
    return new Planner(
        rate, request.seedBits(), request.layerSeeds(), request.targetSize().isEmpty());
  }

  private double bits() {
    return request.bits().orElse(ConversionRequest.USUAL_BITS);
  }

  /** What is done without calibration, and without a size to fit. */
  private Plan base() throws IOException {
    return planner(bits()).plan(source);
  }

  private ConversionResult convert(
      Path target, ConversionCalibration calibration, JudgedConversion judged)
      throws IOException, CommandFailure {
    long start = System.nanoTime();
    Optional<RateAllocator> calibrated = calibration.run(source, base(), request.threads());
    if (calibrated.isPresent()) {
      judged.second("calibration", (System.nanoTime() - start) / 1e9);
    }
    if (request.plan().isPresent()) {
      Path file = request.plan().get();
      Plan plan = PlanJson.read(Files.readString(file, StandardCharsets.UTF_8), file.toString());
      Map<String, ErrorMetric> metrics = calibrated.map(RateAllocator::metrics).orElse(Map.of());
      return request.minCosine().isPresent()
          ? judged.bounded(attempt -> convert(plan, metrics, attempt), target)
          : convert(plan, metrics, target);
    }
    Coding coding =
        calibrated.isPresent()
            ? new Coding.Calibrated(calibrated.get(), new SizeForecast(source)::bytes)
            : new Coding.Uniform(rate -> planner(rate).plan(source));
    if (request.minCosine().isEmpty()) {
      return convertOnce(calibrated, coding, target, judged);
    }
    if (request.bits().isPresent() || request.targetSize().isPresent()) {
      return judged.bounded(attempt -> convertOnce(calibrated, coding, attempt, judged), target);
    }
    ConversionResult result = judged.smallest(coding, this::encode, target);
    watcher.planned(judged.plan().orElseThrow());
    return result;
  }

  private ConversionResult convertOnce(
      Optional<RateAllocator> calibrated, Coding coding, Path target, JudgedConversion judged)
      throws IOException, CommandFailure {
    if (calibrated.isPresent()) {
      return convertCalibrated(calibrated.get(), coding, target, judged);
    }
    if (request.targetSize().isPresent()) {
      return convertToSize(coding, request.targetSize().getAsLong(), target, judged);
    }
    Plan plan = coding.plan(bits());
    judged.made(coding, plan);
    return convert(plan, Map.of(), target);
  }

  private ConversionResult convertCalibrated(
      RateAllocator allocator, Coding coding, Path target, JudgedConversion judged)
      throws IOException, CommandFailure {
    SizeForecast forecast = new SizeForecast(source);
    boolean sized = request.targetSize().isPresent();
    long wanted = sized ? request.targetSize().getAsLong() : forecast.bytes(base());
    long least = sized ? forecast.bytes(allocator.least()) : 0;
    while (true) {
      Optional<Plan> plan =
          wanted < least ? Optional.empty() : allocator.fit(forecast::bytes, wanted);
      if (plan.isEmpty()) {
        throw tooSmall("its outputs are mostly error below about " + Units.bytes(least), least);
      }
      if (!allocator.useful(plan.get())) {
        notices.add("so few bits leave mostly error in the outputs; give more");
      }
      judged.made(coding, plan.get());
      ConversionResult result = convert(plan.get(), allocator.metrics(), target);
      if (!sized || result.targetBytes() <= request.targetSize().getAsLong()) {
        return result;
      }
      wanted -= tooLarge(result);
    }
  }

  private CommandFailure tooSmall(String why, long smallest) {
    return new CommandFailure(
        String.format(
            Locale.ROOT,
            "%s %s is too small for this source: %s (%d bytes)",
            wording.of(Setting.TARGET_SIZE),
            Units.bytes(request.targetSize().orElseThrow()),
            why,
            smallest));
  }

  private long tooLarge(ConversionResult result) {
    long above = result.targetBytes() - request.targetSize().orElseThrow();
    watcher.say(
        String.format(
            Locale.ROOT,
            "the file came out %d bytes larger than asked for; converting again with fewer bits",
            above));
    return above;
  }

  private ConversionResult convertToSize(
      Coding coding, long targetSize, Path target, JudgedConversion judged)
      throws IOException, CommandFailure {
    TargetSize search = new TargetSize(new SizeForecast(source), coding::plan);
    long wanted = targetSize;
    while (true) {
      TargetSize.Found found =
          search
              .largest(wanted)
              .orElseThrow(
                  () ->
                      tooSmall(
                          "with 1 bit a weight the file takes about "
                              + Units.bytes(search.smallest()),
                          search.smallest()));
      watcher.say(
          String.format(
              Locale.ROOT, "%.2f bits a weight fit into %s", found.bits(), Units.bytes(wanted)));
      judged.made(coding, found.plan());
      ConversionResult result = convert(found.plan(), Map.of(), target);
      if (result.targetBytes() <= targetSize) {
        return result;
      }
      wanted -= tooLarge(result);
    }
  }

  private ConversionResult convert(Plan plan, Map<String, ErrorMetric> metrics, Path target)
      throws IOException {
    watcher.planned(plan);
    return encode(plan, metrics, target);
  }

  private ConversionResult encode(Plan plan, Map<String, ErrorMetric> metrics, Path target)
      throws IOException {
    try (Workers pool = new Workers(request.threads());
        ConversionWatcher.Progress progress = watcher.encoding()) {
      return new Converter(pool, device, progress).convert(source, plan, metrics, target);
    }
  }
}
