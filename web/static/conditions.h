#pragma once

#include <squall/http/message/headers.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace squall::web {

// The conditions of a request for a file (RFC 9110, 13). Views borrow the request's headers.
struct Conditions {
  std::optional<std::string_view> if_match;
  std::optional<std::string_view> if_none_match;
  std::optional<std::string_view> if_modified_since;
  std::optional<std::string_view> if_unmodified_since;
  std::optional<std::string_view> if_range;
  std::optional<std::string_view> range;
  std::optional<std::string_view> accept_encoding;

  // Of several fields with one name, the first. Goes through the headers once.
  static Conditions of(const http::Headers& headers) noexcept;

  // The conditions hold that the client has set for any answer but 412.
  bool preconditions_hold(std::string_view etag,
                          std::chrono::system_clock::time_point modified) const noexcept;
  // The client has the current version, so that the answer is 304. An If-None-Match alone decides; an
  // If-Modified-Since that is no date is ignored (WEB-151, SEC-57).
  bool is_not_modified(std::string_view etag, std::chrono::system_clock::time_point modified) const noexcept;
  // The Range to answer: none if an If-Range does not hold.
  std::optional<std::string_view> valid_range(std::string_view etag,
                                              std::chrono::system_clock::time_point modified) const noexcept;
};

}  // namespace squall::web
