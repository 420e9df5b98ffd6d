#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

// Content negotiation: the preferences of a client (RFC 9110, 12).
namespace squall::http {

// An element of Accept, Accept-Encoding, Accept-Language or a similar header. Views borrow the header's text.
struct Preference {
  std::string_view value;   // `text/html`, `gzip`, `en-GB`, `*`
  std::string_view params;  // the parameters before `q`: `level=1`
  int quality = 1000;       // in thousandths; 0: not acceptable

  bool operator==(const Preference&) const = default;
};

// The elements in the order of decreasing quality; equal ones keep their order. Malformed elements and all
// elements behind the first 100 are left out.
std::vector<Preference> parse_preferences(std::string_view header);

// The choose_ functions return the index of the element of `offered` that the client prefers; of equal
// elements the first. nullopt if the client accepts no element. An empty header accepts all, like a missing
// header.

// Media types, as `text/html` or `text/html;level=1`. `text/*` and `*/*` in the header are ranges; the most
// specific range that matches applies (RFC 9110, 12.5.1).
std::optional<std::size_t> choose_type(std::string_view accept, std::span<const std::string_view> offered);

// Content codings; `x-gzip` is gzip (RFC 9110, 12.5.3). `identity` is acceptable, with the lowest preference,
// unless it or `*` has a quality of 0. An empty header accepts `identity` alone; for a missing header, too,
// `identity` is the safe choice.
std::optional<std::size_t> choose_encoding(std::string_view accept,
                                           std::span<const std::string_view> offered);

// Languages, by the basic filtering of RFC 4647, 3.3.1: `en` in the header accepts `en-GB`.
std::optional<std::size_t> choose_language(std::string_view accept,
                                           std::span<const std::string_view> offered);

}  // namespace squall::http
