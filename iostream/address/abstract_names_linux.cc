#include <squall/iostream/address/address_system.h>

namespace squall {

bool detail::has_abstract_names() noexcept { return true; }

}  // namespace squall
