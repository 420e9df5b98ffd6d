#include <squall/ioloop/base/owned_fd.h>
#include <squall/ioloop/base/symbol_table.h>

#include <fcntl.h>
#include <link.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string_view>
#include <vector>

namespace squall {
namespace {

template <class T>
bool read_at(const OwnedFd& file, std::size_t offset, std::size_t count, std::vector<T>& into) {
  into.resize(count);
  const std::size_t bytes = count * sizeof(T);
  return ::pread(file.get(), into.data(), bytes, static_cast<off_t>(offset)) == static_cast<ssize_t>(bytes);
}

}  // namespace

std::string detail::symbol_in_file(const char* path, std::uintptr_t address) {
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

}  // namespace squall
