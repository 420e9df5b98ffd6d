#pragma once

#include <string_view>

namespace squall::web {

// The media type and the content coding of a file, by the extensions of its name: `a.tar.gz` is
// `application/x-tar` in `gzip`. Empty if they are not known. Case has no meaning. `path` may have folders.
struct MimeType {
  std::string_view type;
  std::string_view encoding;

  bool operator==(const MimeType&) const = default;
};
MimeType guess_type(std::string_view path) noexcept;

// The Content-Type of a static file: its type without a charset, which is the file's own business;
// `application/gzip` for files in gzip; `application/octet-stream` for files in other codings or of unknown
// types (WEB-150).
std::string_view static_content_type(std::string_view path) noexcept;

}  // namespace squall::web
