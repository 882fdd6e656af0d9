package io.pseed.converter.command;

import java.util.Locale;

/** How users of one program write its settings, so that sentences name what they wrote. */
public interface Wording {
  /** The options of the shell's command: {@code --min-cosine}. */
  Wording OPTIONS =
      new Wording() {
        @Override
        public String of(Setting setting) {
          return setting == Setting.WEIGHTS_ONLY
              ? "pseed verify --weights-only"
              : "--" + setting.name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        @Override
        public String moreHeap() {
          return "give it more, for example with JAVA_OPTS=-Xmx8g, or use fewer --threads";
        }

        @Override
        public String stackTrace() {
          return "run it again with --stacktrace and report what it prints";
        }

        @Override
        public String again() {
          return "run the same command again";
        }
      };

  /** A setting as the user writes it. */
  String of(Setting setting);

  /** What to do when memory runs out, behind a semicolon. */
  String moreHeap();

  /** What to do about a failure that nobody expected, behind a semicolon. */
  String stackTrace();

  /** How to try again. */
  String again();
}
