#include <squall/http/client/client_core.h>

#include <squall/http/client/mapped_host.h>

#include <algorithm>

namespace squall::http {
namespace {

IdleCache::Limits idle_limits(const AsyncHTTPClient::Options& options) {
  IdleCache::Limits limits;
  limits.max_idle = options.keep_alive ? options.max_idle_connections : 0;
  limits.idle_timeout = options.idle_timeout;
  return limits;
}

}  // namespace

AdmissionQueue::Limits ClientCore::queue_limits(const AsyncHTTPClient::Options& options) {
  AdmissionQueue::Limits limits;
  limits.max_active = std::max<std::size_t>(options.max_clients, 1);
  if (options.max_clients_per_host)
    limits.max_active_per_host = std::max<std::size_t>(*options.max_clients_per_host, 1);
  return limits;
}

ClientCore::ClientCore(const AsyncHTTPClient::Options& options, IOLoop& loop)
    : options(options),
      loop(loop),
      resolver(options.resolver ? *options.resolver : default_resolver()),
      queue(queue_limits(options), loop),
      idle(idle_limits(options), loop),
      guards(loop) {
  for (const auto& [from, to] : options.hostname_mapping) {
    const MappedHost mapped(from);
    if (mapped.port) {
      resolver.map(mapped.name, *mapped.port, to, *mapped.port);
    } else {
      resolver.map(mapped.name, to);
    }
  }
}

}  // namespace squall::http
