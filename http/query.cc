#include <squall/http/query.h>

#include <squall/http/ascii.h>
#include <squall/ioloop/utf8.h>

#include <algorithm>

namespace squall::http {

std::string percent_decode(std::string_view text, Plus plus) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      decoded += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      decoded += c == '+' && plus == Plus::is_space ? ' ' : c;
    }
  }
  return decoded;
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

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace squall::http
