// The execution provider: takes the graphs that hold decode nodes, decodes once, and runs them in a session of ONNX Runtime's own.
#ifndef PSEED_ORT_PROVIDER_HPP
#define PSEED_ORT_PROVIDER_HPP

#include "runtime.hpp"

namespace pseed_ort {

// The factory that the runtime asks for providers. `logger` outlives it.
EpFactory *new_factory(const OrtLogger *logger);
void delete_factory(EpFactory *factory);
// How many of them there are: none before the runtime has loaded the library as a provider, and after its environment has gone.
int factories();

}  // namespace pseed_ort
#endif
