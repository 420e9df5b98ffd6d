#include <squall/ioloop/base/symbol.h>

#include <squall/ioloop/base/symbol_table.h>

#include <cxxabi.h>
#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace squall {
namespace {

// Returns "f" for "f(int) [clone .actor]" and "f(int) (.resume)", the names that GCC and clang give to the
// part of a coroutine that runs after a suspension.
std::string without_parameters(std::string name) {
  for (const char* suffix : {" [clone ", " (."})
    if (const auto at = name.find(suffix); at != std::string::npos) name.resize(at);
  if (!name.ends_with(')')) return name;
  int depth = 0;
  for (std::size_t i = name.size(); i-- > 0;) {
    if (name[i] == ')') ++depth;
    if (name[i] == '(' && --depth == 0) return name.substr(0, i);
  }
  return name;
}

}  // namespace

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name, nullptr, nullptr, &status),
                                                         &std::free);
  return status == 0 ? text.get() : name;
}

std::string symbol_name(const void* code) {
  Dl_info info{};
  if (::dladdr(code, &info) == 0) return fmt::format("{}", code);
  const auto offset =
      reinterpret_cast<std::uintptr_t>(code) - reinterpret_cast<std::uintptr_t>(info.dli_fbase);
  const std::string symbol = detail::symbol_in_file(info.dli_fname, offset);
  if (!symbol.empty()) return without_parameters(demangled(symbol.c_str()));
  if (info.dli_sname) return without_parameters(demangled(info.dli_sname));
  return fmt::format("{}+{:#x}", info.dli_fname, offset);
}

}  // namespace squall
