package io.pseed.vectors;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** Who may see whom in the format's module. */
class ArrowsTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("io.pseed.format", "io.pseed.codec");

  @Test
  void theContainerKnowsNoCodec() {
    noClasses()
        .that()
        .resideInAPackage("io.pseed.format..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.pseed.codec..")
        .check(CLASSES);
  }

  @Test
  void theTrellisUsesNoOtherCodecButTheHadamardTransform() {
    only("io.pseed.codec.trellis..", "io.pseed.codec.trellis..", "io.pseed.codec.hadamard..");
  }

  @Test
  void thePoincareCodecUsesNoOtherCodec() {
    only("io.pseed.codec.poincare..", "io.pseed.codec.poincare..");
  }

  @Test
  void theHadamardTransformUsesNobody() {
    only("io.pseed.codec.hadamard..", "io.pseed.codec.hadamard..");
    noClasses()
        .that()
        .resideInAPackage("io.pseed.codec.hadamard..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.pseed.format..")
        .check(CLASSES);
  }

  @Test
  void onlyTheCodecRoomUsesTheCodecs() {
    noClasses()
        .that()
        .resideOutsideOfPackage("io.pseed.codec..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.pseed.codec.*..")
        .check(CLASSES);
  }

  @Test
  void theDecodersNeedNothingButJava() {
    classes()
        .that()
        .resideInAPackage("io.pseed.codec..")
        .should()
        .onlyDependOnClassesThat(
            resideInAnyPackage("java..", "io.pseed.format..", "io.pseed.codec.."))
        .check(CLASSES);
  }

  private static void only(String user, String... allowed) {
    noClasses()
        .that()
        .resideInAPackage(user)
        .should()
        .dependOnClassesThat(
            resideInAPackage("io.pseed.codec..").and(resideInAnyPackage(allowed).negate()))
        .check(CLASSES);
  }
}
