#include <squall/ioloop/base/environment.h>

extern char** environ;

namespace squall {

char** detail::environment() noexcept { return environ; }

}  // namespace squall
