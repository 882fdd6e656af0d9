package io.pseed.maven;

/** The POM asks for something that cannot be; the message is a sentence that names the tag. */
final class ConfigurationException extends Exception {
  private static final long serialVersionUID = 1L;

  ConfigurationException(String sentence) {
    super(sentence);
  }

  ConfigurationException(String sentence, Throwable cause) {
    super(sentence, cause);
  }
}
