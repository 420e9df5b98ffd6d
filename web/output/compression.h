#pragma once

#include <squall/web/handler/compression_options.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace squall::http {
class Headers;
}  // namespace squall::http

namespace squall::web {

class RequestHandler;

// A middleware that compresses responses with the coding that the client prefers: gzip, and br and zstd if
// the library has them. Settings::compress_response puts it around all routes.
//
// A response is compressed if the client accepts a coding, the type is one of Options::types, and the body is
// whole and of at least min_size bytes, or comes in pieces (WEB-182). At each flush() the client gets all
// that was written (WEB-183). Not compressed are responses that have a Content-Encoding or a Content-Range, a
// digest of the body, or `no-transform` in Cache-Control: so a handler can refuse compression.
//
// All responses get `Vary: Accept-Encoding` (WEB-181). A strong ETag of a compressed response becomes weak:
// the compressed bytes differ from build to build (RFC 9110, 8.8.3.3); If-None-Match compares weakly. Ranges
// of compressed responses are not offered: Accept-Ranges is removed.
//
// Security:  the size of a compressed response reveals whether a text of the request equals a secret of the
//            page, which many requests can then guess (BREACH). Pages that show both a secret and text from
//            the request should send `no-transform`, or change the secret in every response, as the masked
//            XSRF tokens do.
class Compression {
 public:
  using Options = CompressionOptions;
  // Codings that the library was built without are left out. Throws std::invalid_argument for a coding that
  // the library never has.
  explicit Compression(Options options = {});

  void before_head(RequestHandler& handler, std::optional<std::uint64_t> size);

 private:
  bool may_change(const http::Headers& headers) const;
  bool is_compressible(std::string_view content_type) const noexcept;
  std::string_view choose_coding(const http::Headers& request) const;

  Options options_;
  std::vector<std::string_view> offered_;  // of options_.codings, and `identity`
};

}  // namespace squall::web
