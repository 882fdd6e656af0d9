package io.pseed.maven;

import io.pseed.converter.command.CommandFailure;
import io.pseed.converter.command.Failures;
import io.pseed.converter.inputs.InputException;
import io.pseed.converter.plan.PlanJson;
import io.pseed.converter.source.SourceException;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.inject.Inject;
import org.apache.maven.execution.MavenSession;
import org.apache.maven.model.Dependency;
import org.apache.maven.plugin.AbstractMojo;
import org.apache.maven.plugin.MojoExecution;
import org.apache.maven.plugin.MojoExecutionException;
import org.apache.maven.plugin.MojoFailureException;
import org.apache.maven.plugins.annotations.Parameter;
import org.apache.maven.project.MavenProject;
import org.eclipse.aether.RepositorySystem;
import org.eclipse.aether.artifact.DefaultArtifact;
import org.eclipse.aether.resolution.ArtifactRequest;
import org.eclipse.aether.resolution.ArtifactResolutionException;

/** What all goals have in common: artifacts, and how a failure becomes a sentence. */
abstract class AbstractPseedMojo extends AbstractMojo {
  @Inject private RepositorySystem repositories;

  @Parameter(defaultValue = "${project}", readonly = true, required = true)
  MavenProject project;

  @Parameter(defaultValue = "${session}", readonly = true, required = true)
  MavenSession session;

  @Parameter(defaultValue = "${mojoExecution}", readonly = true, required = true)
  MojoExecution execution;

  /** Does nothing where true. */
  @Parameter(property = "pseed.skip", defaultValue = "false")
  boolean skip;

  /** Where results are written. */
  @Parameter(
      property = "pseed.outputDirectory",
      defaultValue = "${project.build.directory}/generated-resources/pseed")
  File outputDirectory;

  @Parameter(defaultValue = "${project.build.directory}", readonly = true, required = true)
  File buildDirectory;

  /** What a goal does. */
  abstract void run()
      throws IOException,
          InterruptedException,
          ConfigurationException,
          CommandFailure,
          MojoFailureException;

  @Override
  public final void execute() throws MojoExecutionException, MojoFailureException {
    if (skip) {
      getLog().info("pseed is skipped (pseed.skip)");
      return;
    }
    try {
      run();
    } catch (ConfigurationException e) {
      throw new MojoExecutionException(e.getMessage(), e);
    } catch (CommandFailure e) {
      throw new MojoFailureException(e.getMessage(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new MojoExecutionException("interrupted", e);
    } catch (SourceException e) {
      throw new MojoExecutionException("<source>: " + sentence(e), e);
    } catch (PlanJson.PlanException e) {
      throw new MojoExecutionException("<plan>: " + sentence(e), e);
    } catch (InputException e) {
      throw new MojoExecutionException("<calibration> or <judge>: " + sentence(e), e);
    } catch (IOException | RuntimeException | OutOfMemoryError | StackOverflowError e) {
      throw new MojoExecutionException(sentence(e), e);
    }
  }

  private static String sentence(Throwable failure) {
    return Failures.sentence(failure, MavenWording.INSTANCE);
  }

  Path basedir() {
    File folder = project.getBasedir();
    return (folder == null ? new File(session.getExecutionRootDirectory()) : folder)
        .toPath()
        .toAbsolutePath()
        .normalize();
  }

  Path buildFolder() {
    return buildDirectory.toPath().toAbsolutePath().normalize();
  }

  /** A file of this execution below the build directory. */
  Path stateFile(String goal) {
    String id = execution.getExecutionId() == null ? "default" : execution.getExecutionId();
    return buildFolder()
        .resolve("pseed")
        .resolve(goal + "-" + id.replaceAll("[^A-Za-z0-9._-]", "_") + ".json");
  }

  /** A path as a user would write it. */
  String shown(Path path) {
    Path base = basedir();
    return path.startsWith(base) ? base.relativize(path).toString() : path.toString();
  }

  ModelFiles modelFiles() {
    return new ModelFiles(basedir(), buildFolder(), this::resolve);
  }

  private Path resolve(Coordinates wanted) throws ConfigurationException {
    String version =
        wanted
            .version()
            .or(() -> declared(wanted))
            .orElseThrow(
                () ->
                    new ConfigurationException(
                        "<source> "
                            + wanted.label()
                            + "!/"
                            + wanted.entry()
                            + " has no version, and the project declares no such dependency"));
    ArtifactRequest request =
        new ArtifactRequest(
            new DefaultArtifact(
                wanted.group(),
                wanted.artifact(),
                wanted.classifier(),
                wanted.extension(),
                version),
            project.getRemoteProjectRepositories(),
            null);
    try {
      return repositories
          .resolveArtifact(session.getRepositorySession(), request)
          .getArtifact()
          .getFile()
          .toPath();
    } catch (ArtifactResolutionException e) {
      throw new ConfigurationException(
          "<source> "
              + wanted.label()
              + "!/"
              + wanted.entry()
              + ": "
              + String.valueOf(e.getMessage()).replaceAll("\\s*[\\r\\n]+\\s*", " "),
          e);
    }
  }

  private Optional<String> declared(Coordinates wanted) {
    List<Dependency> managed =
        project.getDependencyManagement() == null
            ? List.of()
            : project.getDependencyManagement().getDependencies();
    return Stream.concat(project.getDependencies().stream(), managed.stream())
        .filter(one -> one.getGroupId().equals(wanted.group()))
        .filter(one -> one.getArtifactId().equals(wanted.artifact()))
        .map(Dependency::getVersion)
        .findFirst();
  }
}
