#pragma once

#include <cstddef>
#include <optional>
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

// All but letters, digits and `_.-~` escaped (ESC-05): for one value in a query or a form, spaces as `+`; for
// a path, `Plus::is_plus`, spaces as `%20` and slashes as they are.
std::string url_escape(std::string_view text, Plus plus = Plus::is_space);
// The reverse, bytes (ESC-06): percent_decode() with the other default.
inline std::string url_unescape(std::string_view text, Plus plus = Plus::is_space) {
  return percent_decode(text, plus);
}

// Names and values in the order they came, decoded, as bytes. Split at `&` alone; a name without `=` has an
// empty value, and an empty piece is nothing (HUT-55). None if there are more pieces than `max_pieces`, the
// empty ones among them: each takes many times the memory it takes to send.
using QueryArguments = std::vector<std::pair<std::string, std::string>>;
std::optional<QueryArguments> parse_query(std::string_view query, std::size_t max_pieces = 10'000);

// `a=1&b=x+y`: arguments as a query or a form (application/x-www-form-urlencoded) has them. Of whatever
// bytes; parse_query() gives the same back.
std::string urlencode(const QueryArguments& arguments);

bool is_utf8(std::string_view text) noexcept;

}  // namespace squall::http
