#include <squall/ioloop/base/symbol_table.h>

namespace squall {

std::string detail::symbol_in_file(const char*, std::uintptr_t) { return {}; }

}  // namespace squall
