#include <squall/ioloop/base/cpu_count.h>

#include <sched.h>

#include <cerrno>
#include <memory>

namespace squall {

int detail::affinity_count() noexcept {
  // The kernel refuses a set that is smaller than its own set, and has no call that returns the size of its
  // set.
  for (int processors = 1024; processors <= 1024 * 1024; processors *= 2) {
    struct Free {
      void operator()(cpu_set_t* set) const noexcept { CPU_FREE(set); }
    };
    const std::unique_ptr<cpu_set_t, Free> set(CPU_ALLOC(static_cast<std::size_t>(processors)));
    if (!set) return 0;
    const std::size_t size = CPU_ALLOC_SIZE(static_cast<std::size_t>(processors));
    if (::sched_getaffinity(0, size, set.get()) == 0) return CPU_COUNT_S(size, set.get());
    if (errno != EINVAL) return 0;
  }
  return 0;
}

}  // namespace squall
