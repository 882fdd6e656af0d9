package io.pseed.converter;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The arrows of ARCHITECTURE.md. */
@AnalyzeClasses(packages = "io.pseed", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
  private static final String CONVERTER = "io.pseed.converter";

  @ArchTest
  static final ArchRule formatsOfSourcesDoNotKnowEachOther =
      noClasses()
          .that()
          .resideInAPackage(CONVERTER + ".source.onnx..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(CONVERTER + ".source.safetensors..");

  @ArchTest
  static final ArchRule sourcesKnowNoPlansAndNoEncoders =
      noClasses()
          .that()
          .resideInAPackage(CONVERTER + ".source..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              CONVERTER + ".plan..", CONVERTER + ".encode..", CONVERTER + ".export..", CONVERTER);

  @ArchTest
  static final ArchRule plansKnowNoEncoders =
      noClasses()
          .that()
          .resideInAPackage(CONVERTER + ".plan..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(CONVERTER + ".encode..", CONVERTER + ".export..", CONVERTER);

  @ArchTest
  static final ArchRule encodersKnowNoFormatsOfSources =
      noClasses()
          .that()
          .resideInAPackage(CONVERTER + ".encode..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              CONVERTER + ".source.onnx..",
              CONVERTER + ".source.safetensors..",
              CONVERTER + ".export..",
              CONVERTER);

  @ArchTest
  static final ArchRule calibrationDoesNotKnowWhereInputsComeFrom =
      noClasses()
          .that()
          .resideInAnyPackage(
              CONVERTER + ".calibrate..", CONVERTER + ".source..", CONVERTER + ".encode..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(CONVERTER + ".inputs..");

  @ArchTest
  static final ArchRule nothingCallsTheCommand =
      noClasses()
          .that()
          .resideOutsideOfPackage(CONVERTER + ".cli..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(CONVERTER + ".cli..");

  @ArchTest
  static final ArchRule onlyProgramsCallTasks =
      noClasses()
          .that()
          .resideOutsideOfPackages(CONVERTER + ".cli..", CONVERTER + ".command..")
          .should()
          .dependOnClassesThat()
          .resideInAPackage(CONVERTER + ".command..");

  @ArchTest
  static final ArchRule tasksKnowNoShell =
      noClasses()
          .that()
          .resideInAPackage(CONVERTER + ".command..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("picocli..", "me.tongfei..");

  @ArchTest
  static final ArchRule formatAndRuntimeKnowNoConverter =
      noClasses()
          .that()
          .resideInAnyPackage("io.pseed.format..", "io.pseed.codec..", "io.pseed.onnx..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(CONVERTER + "..", "com.google.protobuf..");
}
