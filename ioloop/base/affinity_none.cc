#include <squall/ioloop/base/cpu_count.h>

namespace squall {

int detail::affinity_count() noexcept { return 0; }

}  // namespace squall
