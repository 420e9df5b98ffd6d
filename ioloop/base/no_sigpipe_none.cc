#include <squall/ioloop/base/no_sigpipe.h>

namespace squall {

void raise_no_sigpipe(int) noexcept {}

}  // namespace squall
