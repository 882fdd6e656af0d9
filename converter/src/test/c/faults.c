/*
 * Makes one system call that changes a file fail, or be the last of its process: for .ci/faults, by LD_PRELOAD.
 *
 *   FAULT_FOLDER  calls on files in this folder count; absolute, without links
 *   FAULT_AT      the call that it happens at, from 1 on; 0: none
 *   FAULT_MODE    before: killed before the call; after: killed after it; torn: killed when half of the bytes are written;
 *                 full: the call writes half of the bytes, and from then on every write says that the disk is full;
 *                 error: the call says EIO
 *   FAULT_LOG     a file that gets a line for each call
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int calls;
static int full;

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

static int in_folder(const char *path) {
  const char *folder = getenv("FAULT_FOLDER");
  if (folder == NULL || path == NULL) {
    return 0;
  }
  const size_t n = strlen(folder);
  return strncmp(path, folder, n) == 0 && path[n] == '/';
}

static int fd_in_folder(int fd) {
  char link[64];
  char path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) {
    return 0;
  }
  path[n] = 0;
  return in_folder(path);
}

enum fault { NONE, BEFORE, AFTER, TORN, FULL, ERROR };

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) {
    pause();
  }
}

/* Counts the call; what shall happen to it. A call before which the process is killed does not return. */
static enum fault count(const char *name, int writes) {
  const char *at = getenv("FAULT_AT");
  const char *mode = getenv("FAULT_MODE");
  const char *log = getenv("FAULT_LOG");
  enum fault found = NONE;
  pthread_mutex_lock(&lock);
  calls++;
  if (log != NULL) {
    const int fd = REAL(int, open, const char *, int, ...)(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd >= 0) {
      char line[80];
      const int n = snprintf(line, sizeof line, "%d %s\n", calls, name);
      if (REAL(ssize_t, write, int, const void *, size_t)(fd, line, (size_t)n) != n) {
        abort();
      }
      close(fd);
    }
  }
  if (full && writes) {
    found = ERROR;
  } else if (at != NULL && mode != NULL && atoi(at) == calls) {
    if (strcmp(mode, "before") == 0) {
      die();
    }
    found = strcmp(mode, "after") == 0  ? AFTER
            : strcmp(mode, "torn") == 0 ? (writes ? TORN : AFTER)
            : strcmp(mode, "full") == 0 ? (writes ? FULL : NONE)
                                        : ERROR;
  }
  pthread_mutex_unlock(&lock);
  return found;
}

static ssize_t outcome(enum fault fault, ssize_t result) {
  if (fault == AFTER || fault == TORN) {
    die();
  }
  if (fault == FULL) {
    full = 1;
  }
  return result;
}

static int failure(void) {
  errno = full ? ENOSPC : EIO;
  return -1;
}

ssize_t write(int fd, const void *bytes, size_t size) {
  if (!fd_in_folder(fd)) {
    return REAL(ssize_t, write, int, const void *, size_t)(fd, bytes, size);
  }
  const enum fault fault = count("write", 1);
  if (fault == ERROR) {
    return failure();
  }
  const size_t part = fault == TORN || fault == FULL ? (size + 1) / 2 : size;
  return outcome(fault, REAL(ssize_t, write, int, const void *, size_t)(fd, bytes, part));
}

static ssize_t pwrite_any(int fd, const void *bytes, size_t size, off64_t offset) {
  const enum fault fault = count("pwrite64", 1);
  if (fault == ERROR) {
    return failure();
  }
  const size_t part = fault == TORN || fault == FULL ? (size + 1) / 2 : size;
  return outcome(fault, REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)(fd, bytes, part, offset));
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset) {
  return fd_in_folder(fd) ? pwrite_any(fd, bytes, size, offset)
                          : REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t)(fd, bytes, size, offset);
}

ssize_t writev(int fd, const struct iovec *parts, int count_of_parts) {
  if (!fd_in_folder(fd)) {
    return REAL(ssize_t, writev, int, const struct iovec *, int)(fd, parts, count_of_parts);
  }
  const enum fault fault = count("writev", 1);
  if (fault == ERROR) {
    return failure();
  }
  const int some = fault == TORN || fault == FULL ? (count_of_parts + 1) / 2 : count_of_parts;
  return outcome(fault, REAL(ssize_t, writev, int, const struct iovec *, int)(fd, parts, some));
}

#define ON_FD(type, name, declaration, arguments, types)    \
  type name declaration {                                   \
    if (!fd_in_folder(fd)) {                                \
      return REAL(type, name, types) arguments;             \
    }                                                       \
    const enum fault fault = count(#name, 0);               \
    if (fault == ERROR) {                                   \
      return failure();                                     \
    }                                                       \
    return (type)outcome(fault, REAL(type, name, types) arguments); \
  }
#define TWO(a, b) a, b

ON_FD(int, ftruncate, (int fd, off_t length), (fd, length), TWO(int, off_t))
ON_FD(int, ftruncate64, (int fd, off64_t length), (fd, length), TWO(int, off64_t))
ON_FD(int, fsync, (int fd), (fd), int)
ON_FD(int, fdatasync, (int fd), (fd), int)

#define ON_PATH(name, declaration, arguments, path, types)  \
  int name declaration {                                    \
    if (!in_folder(path)) {                                 \
      return REAL(int, name, types) arguments;              \
    }                                                       \
    const enum fault fault = count(#name, 0);               \
    if (fault == ERROR) {                                   \
      return failure();                                     \
    }                                                       \
    return (int)outcome(fault, REAL(int, name, types) arguments); \
  }

ON_PATH(rename, (const char *from, const char *to), (from, to), to, TWO(const char *, const char *))
ON_PATH(unlink, (const char *path), (path), path, const char *)

static int creates(const char *path, int flags) { return (flags & (O_CREAT | O_TRUNC)) != 0 && in_folder(path); }

int open64(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  const enum fault fault = creates(path, flags) ? count("open", 0) : NONE;
  if (fault == ERROR) {
    return failure();
  }
  return (int)outcome(fault, REAL(int, open64, const char *, int, ...)(path, flags, mode));
}

int open(const char *path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  const enum fault fault = creates(path, flags) ? count("open", 0) : NONE;
  if (fault == ERROR) {
    return failure();
  }
  return (int)outcome(fault, REAL(int, open, const char *, int, ...)(path, flags, mode));
}
