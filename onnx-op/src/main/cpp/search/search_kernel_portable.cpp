// Registers of 4 values in the compiler's own words: any machine.
#define PSEED_KERNEL search_kernel_portable
#define PSEED_LABEL "portable"
#define PSEED_LANES 4
#include "search_kernel.inc"
