#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// The arguments of queries and form bodies (application/x-www-form-urlencoded of the URL standard).
namespace squall::http {

// Decoded names and values, as bytes, in their order. Pieces are separated by `&` alone; a name without `=`
// has an empty value, and an empty piece is skipped (HUT-55). nullopt for more pieces than `max_pieces`,
// empty pieces included: a piece takes many times the memory of its text.
using QueryArguments = std::vector<std::pair<std::string, std::string>>;
std::optional<QueryArguments> parse_query(std::string_view query, std::size_t max_pieces = 10'000);

// The text of a query or a form (application/x-www-form-urlencoded): `a=1&b=x+y`. Any bytes are allowed;
// parse_query() returns the same arguments.
std::string urlencode(const QueryArguments& arguments);

}  // namespace squall::http
