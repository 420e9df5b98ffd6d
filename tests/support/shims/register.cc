// Gives every test program the pollers of other systems: their own sources, over the shims. SQUALL_POLLER
// can then select kqueue and devpoll.

#include <squall/ioloop/poller/poller_devpoll.h>
#include <squall/ioloop/poller/poller_kqueue.h>
#include <squall/ioloop/poller/poller_table.h>

namespace squall {
namespace {

[[maybe_unused]] const bool g_registered = [] {
  register_poller("kqueue", &detail::make_poller_of<KqueuePoller>);
  register_poller("devpoll", &detail::make_poller_of<DevpollPoller>);
  return true;
}();

}  // namespace
}  // namespace squall
