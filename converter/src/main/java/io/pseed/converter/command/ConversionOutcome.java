package io.pseed.converter.command;

import io.pseed.converter.ConversionResult;
import io.pseed.converter.report.Report;
import java.util.List;
import java.util.Optional;

/**
 * What a conversion came to.
 *
 * @param result the file
 * @param calibration what it was calibrated with
 * @param report what became of the model, where a bound or a report was asked for
 * @param notices sentences for the user
 */
public record ConversionOutcome(
    ConversionResult result,
    ConversionCalibration calibration,
    Optional<Report> report,
    List<String> notices) {
  public ConversionOutcome {
    notices = List.copyOf(notices);
  }
}
