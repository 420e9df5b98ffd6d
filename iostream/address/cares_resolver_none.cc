#include <squall/iostream/address/cares_resolver.h>

#include <stdexcept>

namespace squall {

class CaresResolver::Channel {};

bool CaresResolver::is_built_in() noexcept { return false; }

CaresResolver::CaresResolver(const Options&, IOLoop&) {
  throw std::runtime_error("Squall was built without c-ares");
}
CaresResolver::~CaresResolver() = default;

Task<Resolver::Answer> CaresResolver::look_up(std::string, std::uint16_t, int) { return {}; }

}  // namespace squall
