#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace squall::websocket {

// The place of a message in the history of its topic.
//
// Offsets of one epoch are consecutive, from 1 on: 0 is the place in front of the first message. A broker
// that has lost a history begins another epoch, so positions of different epochs cannot be compared.
struct Position {
  std::uint64_t epoch = 0;  // random, so that no other history has it
  std::uint64_t offset = 0;

  bool operator==(const Position&) const = default;
};

// `00c0ffee00c0ffee-42`: the epoch with 16 hexadecimal digits, and the offset in decimal. It is the id of an
// event of an event stream, and a client sends it back to resume.
std::string to_string(const Position& position);
// nullopt for every other text. Clients can send any text.
std::optional<Position> parse_position(std::string_view text) noexcept;

}  // namespace squall::websocket
