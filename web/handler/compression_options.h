#pragma once

#include <squall/http/codec/content_encoder.h>
#include <squall/web/handler/middleware.h>

#include <cstdint>
#include <string>
#include <vector>

namespace squall::web {

struct CompressionOptions;

namespace detail {

// A Compression with these options.
Middleware make_compression(const CompressionOptions& options);

}  // namespace detail

// Which responses are compressed, and how: see Compression.
struct CompressionOptions {
  // A whole body of fewer bytes is not compressed. Bodies in pieces are, whatever their size (WEB-182).
  std::uint64_t min_size = 1024;
  http::ContentLevels levels{};
  // Media types; `text/*` is all of text. Types whose data is compressed already gain nothing.
  std::vector<std::string> types = {
      "text/*",
      "application/javascript",
      "application/x-javascript",
      "application/xml",
      "application/atom+xml",
      "application/json",
      "application/xhtml+xml",
      "image/svg+xml",
  };
  // The codings to use, of those that the library has; of those that a client likes equally the first.
  std::vector<std::string> codings = {"zstd", "br", "gzip"};
  // Not to be set. By this pointer the linker drops the codings from a program that has no such options.
  Middleware (*make)(const CompressionOptions& options) = &detail::make_compression;
};

}  // namespace squall::web
