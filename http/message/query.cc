#include <squall/http/message/query.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/utf8.h>

#include <algorithm>

namespace squall::http {

std::string percent_decode(std::string_view text, Plus plus) {
  std::string decoded(text);
  const std::string_view special = plus == Plus::is_space ? "%+" : "%";
  std::size_t from = std::min(text.find_first_of(special), text.size());
  char* to = decoded.data() + from;
  while (from < text.size()) {
    const char c = text[from++];
    if (c == '%' && text.size() - from >= 2 && hex_value(text[from]) >= 0 && hex_value(text[from + 1]) >= 0) {
      *to++ = static_cast<char>(hex_value(text[from]) * 16 + hex_value(text[from + 1]));
      from += 2;
    } else {
      *to++ = c == '+' && plus == Plus::is_space ? ' ' : c;
    }
  }
  decoded.resize(static_cast<std::size_t>(to - decoded.data()));
  return decoded;
}

namespace {

void append_escaped(std::string& to, std::string_view text, Plus plus) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_alpha(c) || is_digit(c) || c == '_' || c == '.' || c == '-' || c == '~') {
      to += c;
    } else if (c == ' ' && plus == Plus::is_space) {
      to += '+';
    } else if (c == '/' && plus == Plus::is_plus) {
      to += c;
    } else {
      to.append({'%', kUpperHex[byte >> 4], kUpperHex[byte & 15]});
    }
  }
}

}  // namespace

std::string url_escape(std::string_view text, Plus plus) {
  std::string escaped;
  escaped.reserve(text.size());
  append_escaped(escaped, text, plus);
  return escaped;
}

std::string urlencode(const QueryArguments& arguments) {
  std::string encoded;
  for (const auto& [name, value] : arguments) {
    if (!encoded.empty()) encoded += '&';
    append_escaped(encoded, name, Plus::is_space);
    encoded += '=';
    append_escaped(encoded, value, Plus::is_space);
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

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace squall::http
