#include <squall/http/message/query.h>

#include <squall/http/message/percent_encoding.h>

#include <algorithm>

namespace squall::http {

std::string urlencode(const QueryArguments& arguments) {
  std::string encoded;
  for (const auto& [name, value] : arguments) {
    if (!encoded.empty()) encoded += '&';
    encoded += url_escape(name);
    encoded += '=';
    encoded += url_escape(value);
  }
  return encoded;
}

std::optional<QueryArguments> parse_query(std::string_view query, std::size_t max_pieces) {
  QueryArguments arguments;
  for (std::size_t pieces = 0; !query.empty(); ++pieces) {
    if (pieces == max_pieces) return std::nullopt;
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view piece = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (piece.empty()) continue;
    const std::size_t equals = std::min(piece.find('='), piece.size());
    const std::string_view value = piece.substr(std::min(equals + 1, piece.size()));
    arguments.emplace_back(percent_decode(piece.substr(0, equals), Plus::is_space),
                           percent_decode(value, Plus::is_space));
  }
  return arguments;
}

}  // namespace squall::http
