/*
 * Stands in for java.exe, javac.exe and powershell.exe in tests of the launchers for Windows (.ci/windows): prints its arguments, one a line
 * in brackets, and ends with a code that the environment gives.
 *
 *   java -version   the version STANDIN_VERSION (17.0.15), as Java prints it
 *   java ...        ends with STANDIN_CODE (0)
 *   powershell ...  ends with STANDIN_REDIRECTED (0) when it is asked whether stderr is redirected, otherwise with STANDIN_CHANGED (0)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Without it MinGW's start-up code opens patterns such as lib\*, which the real programs do not let it do. */
int _dowildcard = 0;

static int code(const char *name) {
  const char *value = getenv(name);
  return value ? atoi(value) : 0;
}

int main(int argc, char **argv) {
  if (strstr(argv[0], "powershell")) {
    return code(strstr(argv[argc - 1], "IsErrorRedirected") ? "STANDIN_REDIRECTED" : "STANDIN_CHANGED");
  }
  if (argc == 2 && strcmp(argv[1], "-version") == 0) {
    const char *version = getenv("STANDIN_VERSION");
    fprintf(stderr, "Picked up JAVA_TOOL_OPTIONS: -Dx=y\nopenjdk version \"%s\" 2025-04-15\n", version ? version : "17.0.15");
    fprintf(stderr, "OpenJDK 64-Bit Server VM (build x+version 1)\n");
    return 0;
  }
  for (int i = 1; i < argc; i++) {
    printf("[%s]\n", argv[i]);
  }
  return code("STANDIN_CODE");
}
