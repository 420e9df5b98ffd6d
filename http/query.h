#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

// URL-encoded text: paths, queries and form bodies (RFC 3986, and the URL standard's form encoding).
namespace squall::http {

// What `+` stands for.
enum class Plus { is_plus, is_space };

// Replaces each %XX by its byte. An escape that is none stays as it is (HUT-55).
std::string percent_decode(std::string_view text, Plus plus = Plus::is_plus);

// Names and values in the order they came, decoded, as bytes. Split at `&` alone; a name without `=` has an
// empty value, and an empty piece is nothing (HUT-55).
using QueryArguments = std::vector<std::pair<std::string, std::string>>;
QueryArguments parse_query(std::string_view query);

bool is_utf8(std::string_view text) noexcept;

}  // namespace squall::http
