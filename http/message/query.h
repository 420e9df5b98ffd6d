#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The arguments of queries and form bodies (application/x-www-form-urlencoded of the URL standard).
namespace squall::http {

// Names and values in the order they came, decoded, as bytes. Split at `&` alone; a name without `=` has an
// empty value, and an empty piece is nothing (HUT-55). None if there are more pieces than `max_pieces`, the
// empty ones among them: each takes many times the memory it takes to send.
using QueryArguments = std::vector<std::pair<std::string, std::string>>;
std::optional<QueryArguments> parse_query(std::string_view query, std::size_t max_pieces = 10'000);

// `a=1&b=x+y`: arguments as a query or a form (application/x-www-form-urlencoded) has them. Of whatever
// bytes; parse_query() gives the same back.
std::string urlencode(const QueryArguments& arguments);

}  // namespace squall::http
