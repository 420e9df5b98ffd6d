#include <squall/ioloop/poller/poller.h>

#include <squall/ioloop/poller/poller_table.h>

#include <fmt/format.h>

#include <cstdlib>
#include <mutex>
#include <stdexcept>

namespace squall {
namespace {

struct Registered {
  std::string name;
  PollerFactory make;
};

// Constructed on first use: static objects may register pollers in their constructors.
struct Registry {
  std::mutex mutex;
  std::vector<Registered> pollers;
};
Registry& registry() {
  static Registry all;
  return all;
}

// Null if there is no such poller. The registry must be locked.
PollerFactory find(std::string_view name) {
  for (const detail::PollerEntry& entry : detail::system_pollers())
    if (entry.name == name) return entry.make;
  for (const Registered& entry : registry().pollers)
    if (entry.name == name) return entry.make;
  return nullptr;
}

PollerFactory find_or_throw(std::string_view name, std::string_view whence) {
  {
    const std::lock_guard lock(registry().mutex);
    if (const PollerFactory make = find(name)) return make;
  }
  std::string names;
  for (const std::string& other : poller_names()) names += (names.empty() ? "" : ", ") + other;
  throw std::invalid_argument(fmt::format("there is no poller '{}'{}; there are: {}", name, whence, names));
}

}  // namespace

std::unique_ptr<Poller> make_poller(std::string_view name) {
  if (!name.empty()) return find_or_throw(name, "")();
  const char* wanted = std::getenv("SQUALL_POLLER");
  if (wanted && *wanted) return find_or_throw(wanted, ", which SQUALL_POLLER asks for")();
  return detail::system_pollers().front().make();
}

[[gnu::cold]] std::vector<std::string> poller_names() {
  std::vector<std::string> names;
  for (const detail::PollerEntry& entry : detail::system_pollers()) names.emplace_back(entry.name);
  const std::lock_guard lock(registry().mutex);
  for (const Registered& entry : registry().pollers) names.push_back(entry.name);
  return names;
}

void register_poller(std::string_view name, PollerFactory make) {
  if (name.empty() || !make)
    throw std::invalid_argument("a poller needs a name and a function that makes it");
  const std::lock_guard lock(registry().mutex);
  if (find(name)) throw std::invalid_argument(fmt::format("there is a poller '{}' already", name));
  registry().pollers.push_back({std::string(name), make});
}

}  // namespace squall
