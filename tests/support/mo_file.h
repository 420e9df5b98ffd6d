#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace squall::testing {

enum class MoOrder { little_endian, big_endian };

// The bytes of a catalog of gettext (.mo), with messages and translations in the order given.
inline std::string mo_file(const std::vector<std::pair<std::string, std::string>>& entries,
                           MoOrder order = MoOrder::little_endian) {
  std::string head;
  const auto put = [order](std::string& to, std::size_t value) {
    for (int i = 0; i < 4; ++i)
      to += static_cast<char>(value >> 8 * (order == MoOrder::big_endian ? 3 - i : i) & 0xFF);
  };
  const std::size_t table = 8 * entries.size();
  for (const std::size_t value : {std::size_t{0x950412de}, std::size_t{0}, entries.size(), std::size_t{28},
                                  28 + table, std::size_t{0}, std::size_t{0}})
    put(head, value);
  std::string texts;
  const auto add = [&](const std::string& text) {
    put(head, text.size());
    put(head, 28 + 2 * table + texts.size());
    texts += text;
    texts += '\0';
  };
  for (const auto& [message, translation] : entries) add(message);
  for (const auto& [message, translation] : entries) add(translation);
  return head + texts;
}

// A text with a NUL between its parts: a message and its plural, or the forms of a translation.
inline std::string mo_forms(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) {
    if (!text.empty()) text += '\0';
    text += part;
  }
  return text;
}

}  // namespace squall::testing
