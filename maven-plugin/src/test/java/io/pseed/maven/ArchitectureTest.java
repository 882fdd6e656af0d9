package io.pseed.maven;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The arrows of ARCHITECTURE.md. */
@AnalyzeClasses(packages = "io.pseed", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  @ArchTest
  static final ArchRule nothingCallsThePlugin =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.pseed.maven..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("io.pseed.maven..", "org.apache.maven..", "org.eclipse.aether..");

  @ArchTest
  static final ArchRule goalsTranslateAndDoNotSearch =
      noClasses()
          .that()
          .resideInAPackage("io.pseed.maven..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.pseed.converter.cli..",
              "io.pseed.converter.encode..",
              "io.pseed.converter.calibrate..",
              "io.pseed.codec..",
              "com.google.protobuf..");
}
