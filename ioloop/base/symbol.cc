#include <squall/ioloop/base/symbol.h>

#include <squall/ioloop/base/owned_fd.h>

#include <cxxabi.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#if __has_include(<link.h>)
#include <link.h>
#endif

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <vector>

namespace squall {
namespace {

#ifdef ElfW

template <class T>
bool read_at(const OwnedFd& file, std::size_t offset, std::size_t count, std::vector<T>& into) {
  into.resize(count);
  const std::size_t bytes = count * sizeof(T);
  return ::pread(file.get(), into.data(), bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes);
}

// The symbol that contains `address`, an offset from the load address of the file; empty if no symbol does.
std::string symbol_in_file(const char* path, std::uintptr_t address) {
  const OwnedFd file(::open(path, O_RDONLY | O_CLOEXEC));
  std::vector<ElfW(Ehdr)> header;
  std::vector<ElfW(Shdr)> sections;
  if (!file || !read_at(file, 0, 1, header) ||
      std::string_view(reinterpret_cast<char*>(header[0].e_ident), SELFMAG) != ELFMAG ||
      !read_at(file, header[0].e_shoff, header[0].e_shnum, sections))
    return {};
  for (const ElfW(Shdr) & section : sections) {
    if (section.sh_type != SHT_SYMTAB || section.sh_link >= sections.size()) continue;
    const ElfW(Shdr)& strings = sections[section.sh_link];
    std::vector<ElfW(Sym)> symbols;
    std::vector<char> names;
    if (!read_at(file, section.sh_offset, section.sh_size / sizeof(ElfW(Sym)), symbols) ||
        !read_at(file, strings.sh_offset, strings.sh_size, names) || names.empty() || names.back() != '\0')
      return {};
    for (const ElfW(Sym) & symbol : symbols) {
      if ((symbol.st_info & 0xf) == STT_FUNC && address >= symbol.st_value &&
          address < symbol.st_value + symbol.st_size && symbol.st_name < names.size())
        return &names[symbol.st_name];
    }
  }
  return {};
}

#else

std::string symbol_in_file(const char*, std::uintptr_t) { return {}; }

#endif

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
  const std::string symbol = symbol_in_file(info.dli_fname, offset);
  if (!symbol.empty()) return without_parameters(demangled(symbol.c_str()));
  if (info.dli_sname) return without_parameters(demangled(info.dli_sname));
  return fmt::format("{}+{:#x}", info.dli_fname, offset);
}

}  // namespace squall
