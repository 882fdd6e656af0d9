// Plain loops, which the compiler turns into what every machine of the target has.
#define PSEED_KERNEL trellis_kernel_portable
#define PSEED_LANES 0
#include "trellis_kernel.inc"
