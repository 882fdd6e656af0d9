// Which of the decoder's loops run: the best that the machine and the build have, or one that a test asks for.
#ifndef PSEED_INSTRUCTION_SET_HPP
#define PSEED_INSTRUCTION_SET_HPP

#include "crc32c.hpp"
#include "trellis_kernel.hpp"

namespace pseed {

struct InstructionSet {
  int id;  // PSEED_SET_*
  const char *label;
  const TrellisKernel *kernel;  // null: not on this machine, or not in this build
  const Crc32c *crc;
};

// Of an id, PSEED_SET_BEST included; null where there is no such id.
const InstructionSet *instruction_set(int id);

}  // namespace pseed
#endif
