#include <squall/iostream/address/default_resolver.h>

#include <squall/iostream/address/system_resolver.h>

#include <atomic>

namespace squall {
namespace {

constinit std::atomic<Resolver*> g_default_resolver = nullptr;

}  // namespace

Resolver* set_default_resolver(Resolver* resolver) noexcept { return g_default_resolver.exchange(resolver); }

Resolver& default_resolver() {
  if (Resolver* const chosen = g_default_resolver.load()) return *chosen;
  // Never destroyed, so that destructors of other static objects may use it.
  static ThreadedResolver* const resolver = new ThreadedResolver;
  return *resolver;
}

}  // namespace squall
