package io.pseed.converter;

import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.io.ObjectInput;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.lang.invoke.MethodHandles;

/** What SECURITY.md promises of the code, whatever a file says. */
@AnalyzeClasses(packages = "io.pseed", importOptions = ImportOption.DoNotIncludeTests.class)
class TrustRulesTest {
  /** What protobuf's compiler makes uses reflection on its own classes. */
  private static final String GENERATED = "io.pseed.converter.onnx.proto..";

  @ArchTest
  static final ArchRule nobodyUsesTheNetwork =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("java.net..", "javax.net..", "java.rmi..", "javax.naming..");

  @ArchTest
  static final ArchRule nobodySerializesObjects =
      noClasses()
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(ObjectInputStream.class, ObjectOutputStream.class, ObjectInput.class);

  @ArchTest
  static final ArchRule noNameInAFileBecomesAClass =
      noClasses()
          .that()
          .resideOutsideOfPackage(GENERATED)
          .should()
          .dependOnClassesThat(
              resideInAPackage("java.lang.reflect..").or(resideInAPackage("javax.script..")))
          .orShould()
          .callMethod(Class.class, "forName", String.class)
          .orShould()
          .callMethod(ClassLoader.class, "loadClass", String.class)
          .orShould()
          .callMethod(MethodHandles.class, "lookup");

  @ArchTest
  static final ArchRule jsonBecomesTreesAndNeverObjects =
      noClasses()
          .should()
          .callMethod(ObjectMapper.class, "readValue", String.class, Class.class)
          .orShould()
          .callMethod(ObjectMapper.class, "readValue", byte[].class, Class.class)
          .orShould()
          .callMethodWhere(
              target(
                  nameMatching(
                      "(treeToValue|convertValue|activateDefaultTyping|enableDefaultTyping)")));

  @ArchTest
  static final ArchRule onlyTheDemoStartsProcesses =
      noClasses()
          .that()
          .resideOutsideOfPackage("io.pseed.converter.demo..")
          .should()
          .dependOnClassesThat()
          .belongToAnyOf(ProcessBuilder.class)
          .orShould()
          .callMethod(Runtime.class, "exec", String.class)
          .orShould()
          .callMethod(Runtime.class, "exec", String[].class);

  /** It loads a file of the artifact that was verified, or the one that the user names. */
  @ArchTest
  static final ArchRule nobodyElseLoadsNativeCodeByHimself =
      noClasses()
          .that()
          .doNotHaveFullyQualifiedName("io.pseed.onnx.JniLibrary")
          .should()
          .callMethod(System.class, "load", String.class)
          .orShould()
          .callMethod(System.class, "loadLibrary", String.class);

  /** Whoever opens tokenizers must have said how their library is to behave. */
  @ArchTest
  static final ArchRule tokenizersAreOpenedWhereTheirLibraryWasPrepared =
      noClasses()
          .that()
          .haveNameNotMatching(
              "io\\.pseed\\.converter\\.(inputs\\.TextInputs|demo\\.SentenceEncoder)")
          .should()
          .callMethodWhere(
              target(nameMatching("(newInstance|builder)"))
                  .and(target(owner(resideInAPackage("ai.djl..")))));
}
