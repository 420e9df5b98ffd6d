#include <squall/ioloop/base/random_bytes.h>

#include <squall/ioloop/base/errors.h>

// Linux declares getentropy() in the second, Darwin in the first.
#include <sys/random.h>
#include <unistd.h>

namespace squall {

void detail::fill_randomly(char* space, std::size_t size) {
  if (::getentropy(space, size) != 0) throw_errno("getentropy");
}

}  // namespace squall
