#include <squall/ioloop/base/environment.h>

#include <crt_externs.h>

namespace squall {

char** detail::environment() noexcept { return *::_NSGetEnviron(); }

}  // namespace squall
