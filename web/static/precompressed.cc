#include <squall/web/static/precompressed.h>

#include <squall/http/message/accept.h>

#include <sys/stat.h>

#include <span>

namespace squall::web {

// stat() follows links out of the root. Nothing is lost: the sibling is opened by open_beneath().
Siblings find_siblings(const std::string& path, const FileIdentity& file) {
  Siblings found;
  std::string name;
  for (std::size_t i = 0; i < kPrecompressions.size(); ++i) {
    name.assign(path).append(kPrecompressions[i].suffix);
    struct stat status{};
    if (::stat(name.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    found[i] = FileIdentity::of(status).modified.seconds >= file.modified.seconds;
  }
  return found;
}

std::optional<std::size_t> choose_sibling(const Siblings& siblings,
                                          std::optional<std::string_view> accept_encoding) {
  if (siblings.none() || !accept_encoding) return std::nullopt;
  std::array<std::string_view, kPrecompressions.size() + 1> codings;
  std::array<std::size_t, kPrecompressions.size()> indices{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < kPrecompressions.size(); ++i) {
    if (!siblings[i]) continue;
    codings[count] = kPrecompressions[i].coding;
    indices[count++] = i;
  }
  codings[count] = "identity";
  const auto chosen =
      http::choose_encoding(*accept_encoding, std::span<const std::string_view>(codings).first(count + 1));
  if (!chosen || *chosen == count) return std::nullopt;
  return indices[*chosen];
}

}  // namespace squall::web
