#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

// What a client would rather have (RFC 9110, 12).
namespace squall::http {

// An element of Accept, Accept-Encoding, Accept-Language and their like; views into the header.
struct Preference {
  std::string_view value;   // `text/html`, `gzip`, `en-GB`, `*`
  std::string_view params;  // between that and the `q`: `level=1`
  int quality = 1000;       // thousandths; 0: not acceptable

  bool operator==(const Preference&) const = default;
};

// The elements, those of higher quality first, otherwise in their order. Malformed ones are left out, and so
// is what comes behind the first 100.
std::vector<Preference> parse_preferences(std::string_view header);

// The index of the one of `offered` that a client would rather have, the earlier of two that it likes as
// well; none if it accepts none. An empty header accepts all, and so the first: that is what a missing one
// means.

// Media types, as `text/html` or `text/html;level=1`; `text/*` and `*/*` in the header are ranges, of which
// the most specific that matches counts (RFC 9110, 12.5.1).
std::optional<std::size_t> choose_type(std::string_view accept, std::span<const std::string_view> offered);

// Content codings. `identity` is acceptable unless it or `*` has a quality of 0, and then the least liked of
// all; `x-gzip` is gzip (RFC 9110, 12.5.3). An empty header here accepts `identity` alone; to a missing one
// `identity` is the only safe answer too.
std::optional<std::size_t> choose_encoding(std::string_view accept,
                                           std::span<const std::string_view> offered);

// Languages, by the basic filtering of RFC 4647, 3.3.1: `en` in the header accepts `en-GB`.
std::optional<std::size_t> choose_language(std::string_view accept,
                                           std::span<const std::string_view> offered);

}  // namespace squall::http
