// The three functions that the library exports.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>

#include "provider.hpp"
#include "pseed_ort.h"
#include "runtime.hpp"

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace pseed_ort {

namespace {

// Marks session options that have the provider, so that registering twice is no error.
constexpr char kRegistered[] = "pseed.registered";

// The numbers of a runtime 1.minor.patch; minor is -1 where the text is something else.
struct Version {
  int minor = -1;
  int patch = 0;
};

Version parse(const char *text) {
  Version version;
  if (text == nullptr || std::sscanf(text, "1.%d.%d", &version.minor, &version.patch) < 1) {
    version.minor = -1;
  }
  return version;
}

// A status of a runtime that may be too old for everything else: CreateStatus is the first slot of every version's table.
OrtStatus *refuse(const ApiBase *base, const std::string &message) {
  if (const void *table = base->GetApi(1)) {
    using CreateStatus = decltype(Api::CreateStatus);
    return reinterpret_cast<CreateStatus>(static_cast<void (*const *)()>(table)[0])(kFail, message.c_str());
  }
  std::fprintf(stderr, "%s\n", message.c_str());
  return nullptr;
}

void say_once(const std::string &message) {
  static std::atomic<bool> said{false};
  if (!said.exchange(true)) {
    std::fprintf(stderr, "%s\n", message.c_str());
  }
}

// This library's own file.
std::basic_string<PathChar> own_path() {
#if defined(_WIN32)
  HMODULE module = nullptr;
  std::wstring path(32768, L'\0');
  if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                          reinterpret_cast<LPCWSTR>(reinterpret_cast<void *>(&own_path)), &module)) {
    throw StatusError(kFail, "pseed: cannot find this library's own file");
  }
  path.resize(GetModuleFileNameW(module, &path[0], static_cast<DWORD>(path.size())));
  return path;
#else
  Dl_info info;
  if (dladdr(reinterpret_cast<void *>(&own_path), &info) == 0 || info.dli_fname == nullptr) {
    throw StatusError(kFail, "pseed: cannot find this library's own file");
  }
  // What dlopen was given may be relative to a folder that the program has left meanwhile; the runtime would look beside itself.
  if (char *full = realpath(info.dli_fname, nullptr)) {
    const std::string path = full;
    std::free(full);
    return path;
  }
  return info.dli_fname;
#endif
}

// Keeps the library where it is until the process ends. Bindings unload it with the session options, and what was said once would be
// said again; nor must code go while a thread of the runtime may still be in it.
void stay_loaded() {
  static std::once_flag once;
  std::call_once(once, [] {
#if defined(_WIN32)
    HMODULE module = nullptr;
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                       reinterpret_cast<LPCWSTR>(reinterpret_cast<void *>(&own_path)), &module);
#else
    Dl_info info;
    if (dladdr(reinterpret_cast<void *>(&own_path), &info) != 0 && info.dli_fname != nullptr) {
      dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
    }
#endif
  });
}

const OrtEpDevice *find_device(const Environment &environment) {
  const OrtEpDevice *const *devices = nullptr;
  size_t count = 0;
  check(runtime()->GetEpDevices(environment.get(), &devices, &count));
  for (size_t i = 0; i < count; i++) {
    if (std::strcmp(runtime()->EpDevice_EpName(devices[i]), PSEED_ORT_PROVIDER) == 0) {
      return devices[i];
    }
  }
  return nullptr;
}

// The provider's device in the environment, which learns of the provider on the way.
const OrtEpDevice *device(const Environment &environment) {
  if (const OrtEpDevice *known = find_device(environment)) {
    return known;
  }
  check(runtime()->RegisterExecutionProviderLibrary(environment.get(), PSEED_ORT_PROVIDER, own_path().c_str()));
  const OrtEpDevice *registered = find_device(environment);
  if (registered == nullptr) {
    throw StatusError(kFail, "pseed: ONNX Runtime lists no CPU, so the provider has no device to run on");
  }
  return registered;
}

void add_provider(OrtSessionOptions *options) {
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  if (config(options, kRegistered, "") == "1") {
    return;
  }
  {
    const Environment environment;
    device(environment);
  }
  if (find_device(Environment()) == nullptr) {
    // The environment was gone again: the program makes its options before its environment. One reference is kept until the process
    // ends, because the options refer to what lives in the environment.
    static const Environment *const kept = new Environment();
    device(*kept);
  }
  const Environment environment;
  const OrtEpDevice *const devices[] = {device(environment)};
  check(runtime()->SessionOptionsAppendExecutionProvider_V2(options, environment.get(), devices, 1, nullptr, nullptr, 0));
  set_config(options, kRegistered, "1");
}

std::mutex table_mutex;

// Takes the runtime's functions, or says why it does not fit.
std::string take_runtime(const ApiBase *base) {
  static const void *taken = nullptr;
  const std::lock_guard<std::mutex> lock(table_mutex);
  const void *table = base->GetApi(kApiVersion);
  if (table == nullptr) {
    return std::string("pseed: ONNX Runtime calls itself ") + base->GetVersionString() + ", yet has no functions of version " +
           std::to_string(kApiVersion) + "; use an official build of 1.23 or newer, or open the model without this library";
  }
  if (taken != nullptr && taken != table) {
    return "pseed: two ONNX Runtimes in one process use the same copy of this library; give each a copy of its own";
  }
  taken = table;
  const Version version = parse(base->GetVersionString());
  set_runtime(table, version.minor, version.patch);
  return "";
}

}  // namespace

}  // namespace pseed_ort

using namespace pseed_ort;

PSEED_ORT_EXPORT OrtStatus *PSEED_ORT_CALL RegisterCustomOps(OrtSessionOptions *options, const OrtApiBase *api) {
  stay_loaded();
  const auto *base = reinterpret_cast<const ApiBase *>(api);
  const char *version = base->GetVersionString();
  const int minor = parse(version).minor;
  if (minor < static_cast<int>(kOldestMinor)) {
    return refuse(base, std::string("pseed: ONNX Runtime is ") + (version == nullptr ? "of unknown version" : version) +
                            ", expected 1.20 or newer; update it");
  }
  if (minor < static_cast<int>(kApiVersion)) {
    // Measured (README.md): an operator of ours could not be fast there, neither its output packed nor its consumers fused, while the
    // function in the model becomes plain constants. It only takes its time at load.
    say_once(std::string("pseed: ONNX Runtime ") + version +
             " has no plugin providers (1.23 has), so models decode themselves while they load: runs are as fast, but loading takes about "
             "10 times as long and 3 times the memory; update ONNX Runtime, or leave this library out to be rid of this line");
    return nullptr;
  }
  const std::string trouble = take_runtime(base);
  if (!trouble.empty()) {
    return refuse(base, trouble);
  }
  if (runtime()->GetEpApi() == nullptr) {
    say_once(std::string("pseed: this build of ONNX Runtime ") + version +
             " has no plugin providers, so models decode themselves while they load, which takes longer; use an official build");
    return nullptr;
  }
  try {
    add_provider(options);
    return nullptr;
  } catch (const std::exception &e) {
    // The Java archives of 1.23, for example, lack a library of the runtime that loading a provider needs there.
    say_once(std::string("pseed: ONNX Runtime ") + version + " does not take the provider, so models decode themselves while they load: "
             "runs are as fast, but loading takes about 10 times as long and 3 times the memory; update ONNX Runtime, or leave this library "
             "out to be rid of this line. It said: " + e.what());
    return nullptr;
  }
}

// Called by the runtime when the library is registered as a provider.
PSEED_ORT_EXPORT OrtStatus *CreateEpFactories(const char *, const OrtApiBase *api, const OrtLogger *logger, EpFactory **made, size_t most,
                                              size_t *count) {
  const auto *base = reinterpret_cast<const ApiBase *>(api);
  const std::string trouble = take_runtime(base);
  if (!trouble.empty()) {
    return refuse(base, trouble);
  }
  return guarded([&] {
    *count = 0;
    if (most != 0) {
      made[(*count)++] = new_factory(logger);
    }
  });
}

PSEED_ORT_EXPORT OrtStatus *ReleaseEpFactory(EpFactory *factory) {
  delete_factory(factory);
  return nullptr;
}
