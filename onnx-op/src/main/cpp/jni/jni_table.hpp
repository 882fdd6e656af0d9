// What is used of the Java Native Interface. Its functions stand at fixed places of a table (JNI specification, "JNI Functions", the number
// after "LINKAGE: Index"), so that no JDK is needed to build for a platform.
#ifndef PSEED_JNI_TABLE_HPP
#define PSEED_JNI_TABLE_HPP

#include <cstddef>
#include <cstdint>

#if defined(_WIN32)
#define PSEED_EXPORT extern "C" __declspec(dllexport)
#else
#define PSEED_EXPORT extern "C" __attribute__((visibility("default")))
#endif

namespace pseed::jni {

using Env = void *const **;  // JNIEnv *: where a pointer to the table stands
using Object = void *;
using Int = int32_t;
using Long = int64_t;

constexpr size_t kNewStringUtf = 167;
constexpr size_t kNewDirectByteBuffer = 229;
constexpr size_t kGetDirectBufferAddress = 230;
constexpr size_t kGetDirectBufferCapacity = 231;

// The buffer's address; null where it is no direct buffer, or holds less than `bytes`.
inline void *address(Env env, Object buffer, uint64_t bytes) {
  using Capacity = int64_t (*)(Env, Object);
  using Address = void *(*)(Env, Object);
  if (buffer == nullptr || reinterpret_cast<Capacity>((*env)[kGetDirectBufferCapacity])(env, buffer) < static_cast<int64_t>(bytes)) {
    return nullptr;
  }
  return reinterpret_cast<Address>((*env)[kGetDirectBufferAddress])(env, buffer);
}

// A direct buffer over memory that is the caller's; null, with an OutOfMemoryError pending, where there is no memory for it.
inline Object buffer(Env env, void *memory, uint64_t bytes) {
  using NewBuffer = Object (*)(Env, void *, int64_t);
  return reinterpret_cast<NewBuffer>((*env)[kNewDirectByteBuffer])(env, memory, static_cast<int64_t>(bytes));
}

// A string of Java; null, with an OutOfMemoryError pending, where there is no memory for it. ASCII: beyond it, Java's encoding is one of
// its own.
inline Object string(Env env, const char *ascii) {
  using NewString = Object (*)(Env, const char *);
  return reinterpret_cast<NewString>((*env)[kNewStringUtf])(env, ascii);
}

}  // namespace pseed::jni
#endif
