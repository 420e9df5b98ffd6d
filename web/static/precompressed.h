#pragma once

#include <squall/web/static/file_identity.h>

#include <array>
#include <bitset>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

// Files that were compressed beforehand, beside the original: app.js.br, app.js.zst, app.js.gz.
namespace squall::web {

struct Precompression {
  std::string_view coding;  // of Accept-Encoding and Content-Encoding
  std::string_view suffix;  // of the file's name
};
// In the order of preference, if the client has none.
inline constexpr std::array<Precompression, 3> kPrecompressions = {
    {{"br", ".br"}, {"zstd", ".zst"}, {"gzip", ".gz"}}};

// The siblings that exist, as indices into kPrecompressions.
using Siblings = std::bitset<kPrecompressions.size()>;

// The compressed siblings of the file at `path`. A sibling that is older than the file does not count: it was
// made from another content. Compares whole seconds, because some compressors copy only the seconds.
Siblings find_siblings(const std::string& path, const FileIdentity& file);

// The sibling to send, as an index into kPrecompressions; nullopt to send the file itself. `accept_encoding`
// is nullopt without such a header.
std::optional<std::size_t> choose_sibling(const Siblings& siblings,
                                          std::optional<std::string_view> accept_encoding);

}  // namespace squall::web
