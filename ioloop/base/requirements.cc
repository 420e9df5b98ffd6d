// The sizes and numbers that Squall's code relies on: a build for another system stops here.
#include <sys/types.h>

#include <bit>
#include <climits>
#include <cstdint>
#include <ctime>

static_assert(CHAR_BIT == 8, "Squall needs bytes of eight bits");
static_assert(sizeof(int) >= 4, "Squall needs an int of 32 bits");
static_assert(sizeof(off_t) == 8, "Squall serves files beyond 2 GiB: compile it with -D_FILE_OFFSET_BITS=64");
static_assert(sizeof(std::time_t) == 8,
              "Squall needs times beyond 2038: compile it with -D_TIME_BITS=64 -D_FILE_OFFSET_BITS=64");
static_assert(std::endian::native == std::endian::little || std::endian::native == std::endian::big,
              "Squall copies words into bytes: the bytes of a word must be in one order or the other");
